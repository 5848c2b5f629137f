import { assert, fail } from '../model/index.ts';

/**
 * Splits one amount over a few takers by weight, to the last unit. `shareOutMany` does the same for a million.
 *
 * Takes  amount: atto-units of one currency, any sign. weights: whole numbers, one per taker, none negative.
 * Gives  one share per taker, same order and unit.
 * Holds  shares add up to the amount; a zero weight gets zero; no share is a whole unit away from its exact part.
 * Fails  COST_NO_WEIGHT when there is nobody to charge.
 * From   largest-remainder method; ties to the earlier taker. docs/decisions/0002-money.md
 */
export function shareOut(amount: bigint, weights: readonly bigint[]): bigint[] {
  assert(
    weights.every((weight) => weight >= 0n),
    'a weight is not negative',
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  if (total <= 0n) throw fail('COST_NO_WEIGHT');
  const magnitude = amount < 0n ? -amount : amount;
  const shares = weights.map((weight) => (magnitude * weight) / total);
  const remainders = weights.map((weight) => (magnitude * weight) % total);
  const left = shares.reduce((rest, share) => rest - share, magnitude);
  // Every remainder is below the total, so fewer units are left than takers have a remainder. The sort keeps the order of equals.
  const largestFirst = [...weights.keys()].sort((a, b) => compare(remainders[b]!, remainders[a]!));
  for (const taker of largestFirst.slice(0, Number(left))) shares[taker]! += 1n;
  return amount < 0n ? shares.map((share) => -share) : shares;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
