import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shareOut } from './shares.ts';

const amount = fc.oneof(fc.bigInt({ min: -20n, max: 20n }), fc.bigInt({ min: -(10n ** 33n), max: 10n ** 33n }));
const weight = fc.oneof(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 10n ** 30n }));
const weights = fc.array(weight, { minLength: 1, maxLength: 40 }).filter((all) => all.some((each) => each > 0n));
const sum = (numbers: readonly bigint[]) => numbers.reduce((total, each) => total + each, 0n);

describe.each<[string, bigint, bigint[], bigint[]]>([
  ['an even split', 6n, [1n, 1n, 1n], [2n, 2n, 2n]],
  ['left-over units to the earlier of equals', 5n, [1n, 1n, 1n], [2n, 2n, 1n]],
  ['left-over units to the larger remainder first', 10n, [1n, 2n, 3n], [2n, 3n, 5n]],
  ['a negative amount as its mirror image', -5n, [1n, 1n, 1n], [-2n, -2n, -1n]],
  ['nothing', 0n, [1n, 2n], [0n, 0n]],
  ['one taker', -7n, [3n], [-7n]],
  ['zero weights between', 3n, [0n, 1n, 0n, 1n], [0n, 2n, 0n, 1n]],
  ['less than a unit each', 1n, [1n, 1n, 2n], [0n, 0n, 1n]],
])('%s', (_name, whole, by, shares) => {
  test('comes out to the unit', () => expect(shareOut(whole, by)).toEqual(shares));
});

test('shares add up to the amount', () => {
  fc.assert(
    fc.property(amount, weights, (whole, by) => {
      expect(sum(shareOut(whole, by))).toBe(whole);
    }),
  );
});

test('a zero weight gets zero', () => {
  fc.assert(
    fc.property(amount, weights, (whole, by) => {
      shareOut(whole, by).forEach((share, taker) => {
        if (by[taker] === 0n) expect(share).toBe(0n);
      });
    }),
  );
});

test('no share is a whole unit away from its exact part, none has the other sign', () => {
  fc.assert(
    fc.property(amount, weights, (whole, by) => {
      const total = sum(by);
      shareOut(whole, by).forEach((share, taker) => {
        const away = share * total - whole * by[taker]!;
        expect(away < total && away > -total).toBe(true);
        expect(share * whole >= 0n).toBe(true);
      });
    }),
  );
});

test('a negative amount is shared as its mirror image', () => {
  fc.assert(
    fc.property(amount, weights, (whole, by) => {
      expect(shareOut(-whole, by)).toEqual(shareOut(whole, by).map((share) => -share));
    }),
  );
});

test('who weighs more never gets less; of equals the earlier never gets less, by at most one unit', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), weights, (whole, by) => {
      const shares = shareOut(whole, by);
      for (let taker = 1; taker < by.length; taker++) {
        const [before, here] = [shares[taker - 1]!, shares[taker]!];
        if (by[taker - 1]! > by[taker]!) expect(before >= here).toBe(true);
        if (by[taker - 1]! === by[taker]!) expect([0n, 1n]).toContain(before - here);
      }
    }),
  );
});

test('ten thousand takers lose no unit', () => {
  const by = Array.from({ length: 10_000 }, (_, taker) => BigInt((taker * 7_919) % 10_007));
  const shares = shareOut(999_999_999_999_999_999_999n, by);
  expect(sum(shares)).toBe(999_999_999_999_999_999_999n);
  expect(shares).toHaveLength(10_000);
});

test('remainders that differ only beyond the precision of a double are still told apart', () => {
  const [small, large] = [10n ** 25n, 10n ** 25n + 1n];
  expect(shareOut(1n, [small, large])).toEqual([0n, 1n]);
  expect(shareOut(1n, [large, small])).toEqual([1n, 0n]);
});

test('nobody to charge is a failure, a negative weight is a bug', () => {
  expect(() => shareOut(1n, [])).toThrow(expect.objectContaining({ code: 'COST_NO_WEIGHT' }));
  expect(() => shareOut(1n, [0n, 0n])).toThrow(expect.objectContaining({ code: 'COST_NO_WEIGHT' }));
  expect(() => shareOut(1n, [2n, -1n])).toThrow('a weight is not negative');
});
