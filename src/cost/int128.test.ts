import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Int128Column } from './int128.ts';

const MOST = 2n ** 127n - 1n;
const number = fc.oneof(fc.bigInt({ min: -MOST, max: MOST }), fc.bigInt({ min: -3n, max: 2n ** 33n }));
const numbers = fc.array(number, { maxLength: 20 });
const all = (column: Int128Column) => Array.from({ length: column.count }, (_, place) => column.get(place));
const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);

test('holds numbers of any sign, adds them up and negates them', () => {
  fc.assert(
    fc.property(numbers, (values) => {
      const column = Int128Column.of(...values);
      expect(all(column)).toEqual(values);
      expect(column.sum()).toBe(sum(values));
      expect(all(column.negated())).toEqual(values.map((value) => -value));
      expect(values.map((_, place) => column.isPositive(place))).toEqual(values.map((value) => value > 0n));
    }),
  );
});

test('adds, counts up and compares in place', () => {
  const half = fc.bigInt({ min: 0n, max: 2n ** 126n - 1n });
  fc.assert(
    fc.property(half, fc.oneof(half, fc.constant(1n), fc.constant(2n ** 96n - 1n)), (a, b) => {
      const column = Int128Column.of(a, b);
      column.add(0, column, 1);
      column.increment(1);
      expect(all(column)).toEqual([a + b, b + 1n]);
      expect(column.isSame(0, 1)).toBe(a + b === b + 1n);
      expect(column.union()).toBe((a + b) | (b + 1n));
    }),
  );
});

test('sums beyond what a double could count', () => {
  const column = Int128Column.zeros(2_500_000);
  column.words.fill(0xffff_ffff);
  expect(column.sum()).toBe(-2_500_000n);
  column.words.forEach((_, at) => {
    if (at % 4 === 3) column.words[at] = 0x7fff_ffff;
  });
  expect(column.sum()).toBe(2_500_000n * MOST);
});

test('what has no room is a bug', () => {
  expect(() => Int128Column.of(MOST + 1n)).toThrow('128 bits');
  const column = Int128Column.of(MOST, 1n);
  expect(() => column.add(0, column, 1)).toThrow('127 bits');
});
