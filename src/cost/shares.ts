import { assert, fail } from '../model/index.ts';

/**
 * Splits one amount over many takers by weight, to the last unit.
 *
 * Takes  amount: atto-units of one currency, any sign. weights: whole numbers, one per taker, none negative.
 * Gives  one share per taker, same order and unit.
 * Holds  shares add up to the amount; a zero weight gets zero; no share is a whole unit away from its exact part.
 * Fails  COST_NO_WEIGHT when there is nobody to charge.
 * From   largest-remainder method; ties to the earlier taker. docs/decisions/0002-money.md
 */
export function shareOut(amount: bigint, weights: readonly bigint[]): bigint[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  if (total <= 0n) throw fail('COST_NO_WEIGHT');
  const isNegative = amount < 0n;
  const magnitude = isNegative ? -amount : amount;
  const remainders: bigint[] = new Array(weights.length);
  const shares: bigint[] = new Array(weights.length);
  let given = 0n;
  for (let taker = 0; taker < weights.length; taker++) {
    const weight = weights[taker]!;
    assert(weight >= 0n, 'a weight is not negative');
    const exact = magnitude * weight;
    const share = exact / total;
    shares[taker] = share;
    remainders[taker] = exact - share * total;
    given += share;
  }
  // Every remainder is below the total, so fewer units are left than takers have a remainder.
  for (const taker of largest(remainders, Number(magnitude - given))) shares[taker]! += 1n;
  return isNegative ? shares.map((share) => -share) : shares;
}

/**
 * Gives the places of the `count` largest numbers; of equal ones the earlier places.
 * Rounded to doubles, numbers sort many times faster, and larger ones never become smaller: only those that round to the
 * edge between taken and left have to be compared exactly.
 */
function largest(numbers: readonly bigint[], count: number): number[] {
  if (count === 0) return [];
  const rounded = Float64Array.from(numbers, Number);
  const edge = rounded.toSorted()[rounded.length - count]!;
  const taken: number[] = [];
  const atEdge: number[] = [];
  rounded.forEach((number, place) => {
    if (number > edge) taken.push(place);
    else if (number === edge) atEdge.push(place);
  });
  atEdge.sort((a, b) => (numbers[a]! > numbers[b]! ? -1 : numbers[a]! < numbers[b]! ? 1 : a - b));
  return [...taken, ...atEdge.slice(0, count - taken.length)];
}
