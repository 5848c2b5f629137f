import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { asyncBufferFromFile, parquetMetadataAsync, parquetSchema } from 'hyparquet';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { openedStore } from '../../test/support/opened-store.ts';
import { ColumnPages, isPlainColumn } from './parquet-pages.ts';
import { FieldSlices } from './parquet-slices.ts';
import { exactColumns } from './parquet-text.ts';

const { store, folder } = await openedStore('parquet-pages');

/** Reads every field of a file in both ways, so many rows at a time, and gives their texts. */
async function bothWays(path: string, steps: readonly number[]) {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file, { geoparquet: false });
  const columns = new Map(exactColumns(metadata).map((column) => [column.field, column]));
  const pages: string[][] = [];
  const slices: string[][] = [];
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    for (const [place, tree] of parquetSchema(metadata).children.entries()) {
      const chunk = group.columns[place]!;
      expect(isPlainColumn(tree, chunk)).toBe(true);
      const { name } = tree.element;
      const text = columns.get(name)!.text;
      const read = async (field: Pick<ColumnPages, 'take'>) => {
        const texts: string[] = [];
        for (let turn = 0; texts.length < end - start; turn++) {
          const count = Math.min(steps[turn % steps.length]!, end - start - texts.length);
          texts.push(...(await field.take(count)).map(text));
        }
        return texts;
      };
      pages.push(await read(new ColumnPages(file, tree, chunk.meta_data!)));
      slices.push(await read(new FieldSlices(file, metadata, name, start, end)));
    }
    start = end;
  }
  return { pages, slices };
}

const texts = fc.oneof(fc.constantFrom('', 'a', 'bb', 'grün'), fc.string({ maxLength: 12 }));
const anyColumns = fc.integer({ min: 1, max: 120 }).chain((rows) => {
  const values = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { minLength: rows, maxLength: rows });
  const column = (name: string, type: ColumnSource['type'], value: fc.Arbitrary<unknown>) =>
    fc.oneof(
      values(value).map((data) => ({ name, type: type!, data, nullable: false })),
      values(fc.option(value)).map((data) => ({ name, type: type!, data, nullable: true })),
    );
  return fc.tuple(
    column('text', 'STRING', texts),
    column('few', 'STRING', fc.constantFrom('x', 'y')),
    column('long', 'INT64', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    column('short', 'INT32', fc.integer({ min: -3, max: 3 })),
    column('double', 'DOUBLE', fc.double({ noNaN: true })),
  );
});

test('a column read page by page holds what the library finds in it', async () => {
  const steps = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      anyColumns,
      steps,
      fc.constantFrom(40, 200, 1 << 20),
      fc.constantFrom(10, 1000),
      async (columnData, each, pageSize, rowGroupSize) => {
        const path = join(folder.path, 'any.parquet');
        writeFileSync(path, new Uint8Array(parquetWriteBuffer({ columnData, pageSize, rowGroupSize })));
        const { pages, slices } = await bothWays(path, each);
        expect(pages).toEqual(slices);
      },
    ),
    { numRuns: 60 },
  );
});

test.each([
  ['old pages', "output_format_parquet_data_page_size = 500, output_format_parquet_version = '1.0'"],
  ['large pages', "output_format_parquet_compression_method = 'zstd'"],
  ['no packing', "output_format_parquet_data_page_size = 500, output_format_parquet_compression_method = 'none'"],
])('written by another program: %s', async (what, settings) => {
  const path = join(folder.path, `${what}.parquet`);
  const nullable = (value: string, step: number) => `if(number % ${step} = 0, NULL, ${value})`;
  const columns = {
    text: "concat('value ', toString(number))",
    few: "['a', 'b', 'c'][number % 3 + 1]",
    runs: 'toString(intDiv(number, 700))',
    some: nullable("concat('v', toString(number % 300))", 7),
    none: 'CAST(NULL AS Nullable(String))',
    money: 'toDecimal128(number, 18) / 7',
    part: nullable('toDecimal64(number, 4) / 3', 2),
    time: "toDateTime64(1725148800 + number, 3, 'UTC')",
    whole: nullable('toInt64(number)', 5),
  };
  const select = Object.entries(columns).map(([name, value]) => `${value} AS ${name}`);
  await store.columns.command(
    `INSERT INTO FUNCTION file('${path}', Parquet) SELECT ${select.join(', ')} FROM numbers(5000) SETTINGS ${settings}`,
  );
  const { pages, slices } = await bothWays(path, [1000, 1, 333]);
  expect(pages).toEqual(slices);
});
