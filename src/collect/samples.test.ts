import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDecimal } from '../model/index.ts';
import { RowWriter } from '../store/index.ts';
import { quickMillionths } from './samples.ts';

const doubles = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.double({ min: -100, max: 100 }),
  // Next to the halves that rounding decides by.
  fc
    .tuple(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.integer({ min: -4, max: 4 }))
    .map(([half, bits]) => ((half + 0.5) / 1_000_000) * (1 + bits * 2 ** -52)),
);

it('millionths without the text are those of the text, wherever they are given', () => {
  let given = 0;
  fc.assert(
    fc.property(doubles, (value) => {
      const quick = quickMillionths(value);
      if (quick === null) return;
      given += 1;
      const exact = parseDecimal(String(value), 6);
      expect(exact).toMatchObject({ value: BigInt(quick) });
    }),
    { numRuns: 3_000 },
  );
  expect(given).toBeGreaterThan(1_000);
});

it('a whole double is written as the same 128 bits as a bigint', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const [one, other] = [new RowWriter(4), new RowWriter(4)];
      one.i128whole(value);
      other.i128(BigInt(value));
      expect(one.bytes()).toEqual(other.bytes());
    }),
  );
});
