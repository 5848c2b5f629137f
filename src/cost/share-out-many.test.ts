import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Int128Column } from './int128.ts';
import { shareOutMany } from './share-out-many.ts';
import { shareOut } from './shares.ts';

const MOST = 2n ** 127n - 1n;
const amount = fc.oneof(
  fc.bigInt({ min: -20n, max: 20n }),
  fc.bigInt({ min: -(10n ** 21n), max: 10n ** 21n }),
  fc.bigInt({ min: -MOST, max: MOST }),
);
const weight = fc.oneof(
  fc.bigInt({ min: 0n, max: 3n }),
  fc.bigInt({ min: 1n, max: 9n }).map((calls) => calls * 1_000_000n),
  fc.bigInt({ min: 0n, max: 10n ** 13n }),
  fc.bigInt({ min: 0n, max: MOST }),
  fc.integer({ min: 0, max: 126 }).map((bit) => 1n << BigInt(bit)),
);
const weights = fc.array(weight, { minLength: 1, maxLength: 60 }).filter((all) => all.some((each) => each > 0n));

const shares = (whole: bigint, by: readonly bigint[]) => {
  const column = shareOutMany(whole, Int128Column.of(...by));
  return by.map((_, place) => column.get(place));
};

test('gives what the plain way of sharing out gives', () => {
  fc.assert(
    fc.property(amount, weights, (whole, by) => {
      expect(shares(whole, by)).toEqual(shareOut(whole, by));
    }),
    { numRuns: 3000 },
  );
});

test('whole parts and parts just below a whole stay apart', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 10n ** 15n }), weights, fc.integer({ min: -1, max: 1 }), (times, by, off) => {
      const total = by.reduce((sum, each) => sum + each, 0n);
      const whole = BigInt.asIntN(126, times * total) + BigInt(off);
      expect(shares(whole, by)).toEqual(shareOut(whole, by));
    }),
    { numRuns: 1000, endOnFailure: true },
  );
});

test('equal remainders of different weights go by order', () => {
  // Weights of 24 bits leave the least room for error, and only sevenths are left over.
  const narrow = fc.bigInt({ min: 2n ** 22n, max: 2n ** 24n - 8n });
  fc.assert(
    fc.property(
      fc.array(narrow, { minLength: 8, maxLength: 40 }),
      fc.bigInt({ min: 1n, max: 10n ** 9n }),
      (by, times) => {
        const total = () => by.reduce((sum, each) => sum + each, 0n);
        by[0]! += 7n - (total() % 7n);
        const whole = times * (total() / 7n);
        expect(shares(whole, by)).toEqual(shareOut(whole, by));
      },
    ),
    { numRuns: 1000, endOnFailure: true },
  );
});

// So many that remainders are counted before they are sorted.
describe.each<[string, (taker: number) => bigint]>([
  ['all different', (taker) => 1n + BigInt((taker * 7_919) % 1_000_003) * 1_000_000n],
  ['all the same', () => 1_000_000n],
  ['few different', (taker) => BigInt(taker % 37) * 1_000_000n],
  ['far apart', (taker) => 1n << BigInt(taker % 100)],
  ['beyond the precision of a double', (taker) => 10n ** 25n + BigInt(taker % 3)],
])('a hundred thousand weights, %s', (_name, weightOf) => {
  const by = Array.from({ length: 100_000 }, (_, taker) => weightOf(taker));
  test.each([1n, -7n, 99_999n, 1_000_123_456_789_000_000_000n, -(10n ** 36n)])('%d comes out to the unit', (whole) => {
    const column = shareOutMany(whole, Int128Column.of(...by));
    const wrong = shareOut(whole, by).findIndex((share, taker) => share !== column.get(taker));
    expect(wrong).toBe(-1);
  });
});

test('nobody to charge is a failure, a negative weight or an amount without room is a bug', () => {
  expect(() => shares(1n, [])).toThrow(expect.objectContaining({ code: 'COST_NO_WEIGHT' }));
  expect(() => shares(1n, [0n, 0n])).toThrow(expect.objectContaining({ code: 'COST_NO_WEIGHT' }));
  expect(() => shares(1n, [2n, -1n])).toThrow('a weight is not negative');
  expect(() => shares(MOST + 1n, [1n])).toThrow('127 bits');
});
