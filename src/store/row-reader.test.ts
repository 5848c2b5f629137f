import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowReader } from './row-reader.ts';
import { RowWriter } from './row-writer.ts';
import { Texts } from './texts.ts';

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.integer({ min: 120, max: 20_000 }).map((size) => 'é'.repeat(size)),
);
const row = fc.tuple(text, text, fc.nat({ max: 255 }), fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n }));

test('reads what RowWriter writes: texts of any length, 128-bit numbers of any sign', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
      const writer = new RowWriter(16);
      for (const [first, second, byte, number] of rows) {
        writer.text(first);
        writer.text(second);
        writer.u8(byte);
        writer.i128(number);
      }
      const bytes = Buffer.from(writer.bytes());
      expect(RowReader.countRows(bytes, 2, 17)).toBe(rows.length);
      const [reader, texts, words] = [new RowReader(bytes), new Texts(), new Uint32Array(4 * rows.length)];
      const read = rows.map((_, place) => {
        const [first, second] = [texts.string(reader.text(texts)), texts.string(reader.text(texts))];
        const byte = reader.u8();
        reader.words128(words, place);
        const parts = [...words.subarray(4 * place, 4 * place + 4)].map((word, at) => BigInt(word) << BigInt(32 * at));
        return [
          first,
          second,
          byte,
          BigInt.asIntN(
            128,
            parts.reduce((sum, part) => sum + part),
          ),
        ];
      });
      expect(read).toEqual(rows);
    }),
    { numRuns: 50 },
  );
});
