import { divideHalfEven } from '../model/index.ts';

const UNIT = 10n ** 18n;

/**
 * Converts one amount.
 *
 * Takes  amountAtto: any sign. rateAtto: what one unit is worth, in 10^-18.
 * Gives  the nearest whole number of atto-units, ties to even.
 */
export function convertAmount(amountAtto: bigint, rateAtto: bigint): bigint {
  return divideHalfEven(amountAtto * rateAtto, UNIT);
}

/**
 * Converts the parts of an amount so that they add up to what the whole was converted to: largest remainder, ties to the earlier part.
 *
 * Takes  parts: any signs. total: the converted whole, at most a unit per part away from the exact sum.
 * Gives  the converted parts in their order.
 * Holds  they add up to the total; each is within two units of its exact value; a part of 0 stays 0 where another can take the difference.
 */
export function convertParts(parts: readonly bigint[], rateAtto: bigint, total: bigint): bigint[] {
  const exact = parts.map((part) => part * rateAtto);
  const floors = exact.map((value) => (value - modulo(value)) / UNIT);
  const order = parts.map((_, place) => place).filter((place) => parts[place] !== 0n);
  const places = order.length > 0 ? order : parts.map((_, place) => place);
  let left = total - floors.reduce((sum, each) => sum + each, 0n);
  if (places.length === 0 || left === 0n) return floors;
  const step = left > 0n ? 1n : -1n;
  const by = (place: number) => modulo(exact[place]!) * step;
  places.sort((a, b) => (by(a) === by(b) ? a - b : by(a) > by(b) ? -1 : 1));
  for (let turn = 0; left !== 0n; turn++) {
    floors[places[turn % places.length]!]! += step;
    left -= step;
  }
  return floors;
}

function modulo(value: bigint): bigint {
  return ((value % UNIT) + UNIT) % UNIT;
}
