import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PairNumbers } from './pair-numbers.ts';

const number = fc.oneof(fc.nat(4), fc.nat(2 ** 32 - 1));
const pairs = fc.array(fc.tuple(number, number), { maxLength: 1_000 });

test('equal pairs have equal numbers, others others, from 1 on', () => {
  fc.assert(
    fc.property(pairs, (all) => {
      const numbers = new PairNumbers();
      const known = new Map<string, number>();
      for (const round of [1, 2]) {
        for (const [first, second] of all) {
          const key = `${first} ${second}`;
          if (round === 1 && !known.has(key)) known.set(key, known.size + 1);
          expect(numbers.of(first, second)).toBe(known.get(key));
        }
      }
      numbers.clear();
      expect(numbers.of(7, 7)).toBe(1);
    }),
  );
});
