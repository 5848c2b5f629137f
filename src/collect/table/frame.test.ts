import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainColumns, textColumns } from './columns.ts';
import { appendFrame, FrameWriter } from './frame.ts';
import { SpanTable } from './span-table.ts';

interface Told {
  readonly numbers: readonly number[];
  readonly texts: readonly string[];
  readonly measure: number | null;
  readonly links: readonly number[];
}

const told: fc.Arbitrary<Told> = fc.record({
  numbers: fc.array(fc.nat(3), { minLength: plainColumns.length, maxLength: plainColumns.length }),
  texts: fc.array(fc.constantFrom('', 'a', 'bc', 'defg'), {
    minLength: textColumns.length,
    maxLength: textColumns.length,
  }),
  measure: fc.option(fc.nat(9)),
  links: fc.array(fc.nat(), { maxLength: 2 }).map((links) => links.flatMap((word) => [word, 1, 2, 3, 4, 5])),
});
const frames = fc.array(fc.array(told, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 6 });

function fill(table: SpanTable, rows: readonly Told[]): void {
  table.truncate(0);
  for (const { numbers, texts, measure, links } of rows) {
    const row = table.reserve(1);
    plainColumns.forEach(({ field, stride }, place) => {
      for (let word = 0; word < stride; word++) table[field][row * stride + word] = numbers[place]! + word;
    });
    textColumns.forEach(({ field }, place) => {
      table[field][row] = table.texts.idOfString(texts[place]!);
    });
    if (measure !== null) table.measure(measure, row, measure);
    if (links.length > 0) table.links.set(row, Uint32Array.from(links));
  }
}

test('memory that was used before makes no difference', () => {
  fc.assert(
    fc.property(frames, (all) => {
      const table = new SpanTable();
      const writer = new FrameWriter(table);
      for (const rows of all) {
        fill(table, rows);
        const payload = writer.payload();
        expect(payload.equals(new FrameWriter(table).payload())).toBe(true);
        writer.giveBack(payload.fill(0xff));
      }
    }),
  );
});

test('a payload stays as it is until it is given back', () => {
  const table = new SpanTable();
  const writer = new FrameWriter(table);
  fc.assert(
    fc.property(frames, (all) => {
      const kept = all.map((rows) => {
        fill(table, rows);
        const payload = writer.payload();
        return { payload, copy: Buffer.from(payload) };
      });
      for (const { payload, copy } of kept) expect(payload.equals(copy)).toBe(true);
      for (const { payload } of kept) writer.giveBack(payload);
    }),
  );
});

test('the rows of a frame are those it was written from', () => {
  fc.assert(
    fc.property(frames, (all) => {
      const [table, read] = [new SpanTable(), new SpanTable()];
      const writer = new FrameWriter(table);
      for (const rows of all) {
        fill(table, rows);
        const first = read.rows;
        appendFrame(read, writer.payload(), 7, 0);
        const again = new SpanTable();
        for (let row = first; row < read.rows; row++) again.copyRow(read, row);
        expect(new FrameWriter(again).payload().equals(new FrameWriter(table).payload())).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});
