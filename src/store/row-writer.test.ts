import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openedStore } from '../../test/support/opened-store.ts';
import type { RowShape } from './columns.ts';
import { RowWriter } from './row-writer.ts';

const { store, folder } = await openedStore('row-writer');

const shape: RowShape = [
  ['n', 'UInt32'],
  ['a', 'UInt8'],
  ['b', 'UInt16'],
  ['c', 'UInt64'],
  ['d', 'Int64'],
  ['e', 'Int128'],
  ['f', 'Int256'],
  ['g', 'String'],
  ['h', 'FixedString(4)'],
  ['i', 'UInt64'],
];
const between = (min: bigint, max: bigint) => fc.bigInt({ min, max });
const row = fc.record({
  a: fc.nat(0xff),
  b: fc.nat(0xffff),
  c: fc.maxSafeNat(),
  d: between(-(2n ** 63n), 2n ** 63n - 1n),
  e: between(-(2n ** 127n), 2n ** 127n - 1n),
  f: between(-(2n ** 255n), 2n ** 255n - 1n),
  g: fc.string({ unit: 'grapheme', maxLength: 300 }),
  h: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  i: fc.tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff)),
});

describe('what is written as RowBinary', () => {
  it('the engine reads back, digit for digit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        const writer = new RowWriter(8);
        for (const [place, { a, b, c, d, e, f, g, h, i }] of rows.entries()) {
          writer.u32(place);
          writer.u8(a);
          writer.u16(b);
          writer.u64(c);
          writer.i64(d);
          writer.i128(e);
          writer.i256(f);
          writer.text(g);
          writer.fixed(Buffer.from(h), 0, 4);
          writer.u64halves(i[0], i[1]);
        }
        const columns = shape.map(([name, type]) => `${name} ${type}`).join(', ');
        await store.columns.command(`CREATE OR REPLACE TABLE written (${columns}) ENGINE = MergeTree ORDER BY n`);
        const path = join(folder.path, 'rows.bin');
        writeFileSync(path, writer.bytes());
        await store.columns.insertFile('written', shape, path);
        const read = await store.columns.query(
          'SELECT a, b, c, toString(d) AS d, toString(e) AS e, toString(f) AS f, g, hex(h) AS h, i FROM written ORDER BY n',
        );
        expect(read).toEqual(
          rows.map(({ a, b, c, d, e, f, g, h, i }) => ({
            ...{ a, b, c: String(c), d: String(d), e: String(e), f: String(f), g },
            h: Buffer.from(h).toString('hex').toUpperCase(),
            i: String((BigInt(i[1]) << 32n) + BigInt(i[0])),
          })),
        );
      }),
      { numRuns: 25 },
    );
  });

  it('is one block, however many rows: one insert makes one part', async () => {
    const count = 1_200_000;
    const writer = new RowWriter(4 * count);
    for (let n = 0; n < count; n++) writer.u32(n);
    const path = join(folder.path, 'many.bin');
    writeFileSync(path, writer.bytes());
    await store.columns.command('CREATE TABLE many (n UInt32) ENGINE = MergeTree ORDER BY n');
    await store.columns.insertFile('many', [['n', 'UInt32']], path);
    const parts = await store.columns.query("SELECT rows FROM system.parts WHERE table = 'many'");
    expect(parts).toEqual([{ rows: String(count) }]);
  });
});

describe('the writer', () => {
  it('grows without losing what is written', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.nat(20), (pieces, size) => {
        const writer = new RowWriter(size);
        for (const piece of pieces) writer.raw(piece);
        expect(writer.bytes()).toEqual(Buffer.concat(pieces));
        expect(writer.sizeBytes).toBe(Buffer.concat(pieces).length);
      }),
    );
  });

  it('writes a text the same from a string, from bytes, and from latin1', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const bytes = Buffer.from(text);
        const [fromText, fromBytes] = [new RowWriter(1), new RowWriter(1)];
        fromText.text(text);
        fromBytes.textBytes(Buffer.concat([Buffer.from('xx'), bytes]), 2, bytes.length + 2);
        expect(fromBytes.bytes()).toEqual(fromText.bytes());
        const latin1 = new RowWriter(1);
        latin1.latin1(bytes.toString('latin1'));
        expect(latin1.bytes()).toEqual(bytes);
      }),
    );
  });

  it('takes back what stands behind a place, and fills in what was left open', () => {
    const writer = new RowWriter(4);
    writer.u32(0);
    writer.text('kept');
    const end = writer.sizeBytes;
    writer.text('taken back');
    writer.truncate(end);
    writer.patchU32(0, end);
    expect(writer.bytes()).toEqual(Buffer.from([end, 0, 0, 0, 4, ...Buffer.from('kept')]));
    writer.reset();
    expect(writer.sizeBytes).toBe(0);
  });
});
