import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowWriter } from '../store/index.ts';
import { readTotals } from './work-totals.ts';

test('reads what the engine writes: texts of any length, 128-bit numbers of any sign', () => {
  const int128 = fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n });
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.integer({ min: 120, max: 20_000 }).map((size) => 'é'.repeat(size)),
  );
  const row = fc.record({
    tenant: text,
    endpoint: text,
    service: text,
    totals: fc.array(int128, { minLength: 2, maxLength: 2 }),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
      const writer = new RowWriter(16);
      for (const { tenant, endpoint, service, totals } of rows) {
        for (const each of [tenant, endpoint, service]) writer.text(each);
        for (const each of totals) writer.i128(each);
      }
      expect(readTotals(Buffer.from(writer.bytes()), 2)).toEqual(rows);
    }),
    { numRuns: 50 },
  );
});
