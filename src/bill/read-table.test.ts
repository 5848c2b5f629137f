import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleCsv, exampleRow } from '../../test/support/example-bill.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { openStore, type Store } from '../store/index.ts';
import { type Container, containerOf, openTable } from './read-table.ts';

const folder = tempFolder('read-table');
let store: Store;
beforeAll(async () => {
  store = await openStore({ folder: folder.path });
  await written('small.zst', 'CSVWithNames', 'number FROM numbers(1000)');
});
afterAll(async () => {
  await store.close();
  folder.remove();
});

async function rowsOf(name: string): Promise<{ container: Container; rows: (readonly string[])[]; lines: number[] }> {
  const file = { name, path: join(folder.path, name) };
  const container = await containerOf(file);
  const { columns, line, batches } = await openTable(file, container);
  const rows: (readonly string[])[] = [columns.map(({ name: column }) => column)];
  const lines = [line];
  for await (const batch of batches) {
    for (const row of batch) {
      rows.push(row.cells.map((raw, place) => columns[place]!.text(raw)));
      lines.push(row.line);
    }
  }
  return { container, rows, lines };
}

function put(name: string, bytes: string | Uint8Array): string {
  writeFileSync(join(folder.path, name), bytes);
  return name;
}

/** Lets the engine write a file, as a second writer beside the library that reads it. */
function written(name: string, format: string, select: string, settings = ''): Promise<void> {
  return store.columns.command(
    `INSERT INTO FUNCTION file('${join(folder.path, name)}', ${format}) SELECT ${select} ${settings}`,
  );
}

const BOM = '\uFEFF';
const texts: readonly (readonly [what: string, text: string, lines: readonly number[]])[] = [
  ['LF', 'a,b\n1,2\n3,4\n', [1, 2, 3]],
  ['CRLF', 'a,b\r\n1,2\r\n3,4\r\n', [1, 2, 3]],
  ['LF and CRLF mixed', 'a,b\r\n1,2\n3,4\r\n', [1, 2, 3]],
  ['no newline at the end', 'a,b\n1,2\n3,4', [1, 2, 3]],
  ['a byte order mark', `${BOM}a,b\n1,2\n3,4\n`, [1, 2, 3]],
  ['empty lines', 'a,b\n\n1,2\n\n3,4\n\n', [1, 3, 5]],
  ['quotes', '"a","b"\n"1","2"\n3,"4"\n', [1, 2, 3]],
];

test.each(texts)('CSV with %s', async (what, text, lines) => {
  const read = await rowsOf(put(`${what}.csv`, text));
  expect(read.rows).toEqual([
    ['a', 'b'],
    ['1', '2'],
    ['3', '4'],
  ]);
  expect(read.lines).toEqual(lines);
});

test('quoted cells hold commas, quotes and newlines; the line is where the row ends', async () => {
  const { rows, lines } = await rowsOf(put('cells.csv', 'a,b\n"x, ""y""\nz",2\n3,4\n'));
  expect(rows[1]).toEqual(['x, "y"\nz', '2']);
  expect(lines).toEqual([1, 3, 4]);
});

const csv = exampleCsv(Array.from({ length: 5_000 }, (_, i) => exampleRow({ ResourceId: `r-${i}` })));

test('what a file is decides its content, not its name', async () => {
  expect((await rowsOf(put('really-gzip.csv', gzipSync(csv)))).container).toBe('gzip');
  expect((await rowsOf(put('really-plain.csv.gz', csv))).container).toBe('plain');
});

test('packed files hold the same rows as plain ones, also in several gzip members', async () => {
  const plain = await rowsOf(put('plain.csv', csv));
  const half = csv.indexOf('\n', csv.length / 2) + 1;
  put('two-members.gz', Buffer.concat([gzipSync(csv.slice(0, half)), gzipSync(csv.slice(half))]));
  expect((await rowsOf('two-members.gz')).rows).toEqual(plain.rows);
  expect(plain.rows).toHaveLength(5_001);
});

test('Zstandard written by another program', async () => {
  await written('numbers.csv.zst', 'CSVWithNames', "number AS n, 'text' AS t FROM numbers(300000)");
  const { container, rows } = await rowsOf('numbers.csv.zst');
  expect(container).toBe('zstd');
  expect(rows).toHaveLength(300_001);
  expect(rows.at(-1)).toEqual(['299999', 'text']);
});

const types = {
  d128: ["toDecimal128('12345678901234567890.123456789012345678', 18)", '12345678901234567890.123456789012345678'],
  d64: ["toDecimal64('-12.3456', 4)", '-12.3456'],
  d32: ["toDecimal32('7.5', 1)", '7.5'],
  d256: ["toDecimal256('-0.00000000000000000001', 20)", '-0.00000000000000000001'],
  double: ['toFloat64(4e-10)', '4e-10'],
  float: ['toFloat32(0.1)', '0.1'],
  int: ['toInt64(9007199254740993)', '9007199254740993'],
  seconds: ["toDateTime('2024-09-01 22:00:00', 'UTC')", '2024-09-01T22:00:00Z'],
  micros: ["toDateTime64('2024-09-01 22:00:00.123456', 6, 'UTC')", '2024-09-01T22:00:00.123456Z'],
  nanos: ["toDateTime64('2024-09-01 22:00:00.123456789', 9, 'UTC')", '2024-09-01T22:00:00.123456789Z'],
  day: ["toDate32('2024-09-01')", '2024-09-01T00:00:00Z'],
  nothing: ['CAST(NULL AS Nullable(String))', ''],
  map: ["map('env', 'prod')", '{"env":"prod"}'],
  yes: ['true', 'true'],
  text: ['\'grün, "x"\'', 'grün, "x"'],
} as const;

test.each(['none', 'snappy', 'lz4', 'gzip', 'brotli', 'zstd'])(
  'Parquet types become exact text, packed with %s',
  async (codec) => {
    const select = Object.entries(types).map(([name, [expression]]) => `${expression} AS ${name}`);
    const name = `types-${codec}.parquet`;
    await written(name, 'Parquet', select.join(', '), `SETTINGS output_format_parquet_compression_method = '${codec}'`);
    const { container, rows } = await rowsOf(name);
    expect(container).toBe('parquet');
    expect(rows).toEqual([Object.keys(types), Object.values(types).map(([, text]) => text)]);
  },
);

test('Parquet in several row groups keeps its rows in order', async () => {
  const data = Array.from({ length: 50_000 }, (_, i) => BigInt(i));
  const columnData = [
    { name: 'n', data, type: 'INT64' as const },
    { name: 'half', data: data.map((n) => (n % 3n === 0n ? null : Number(n) / 2)), type: 'DOUBLE' as const },
  ];
  put('groups.parquet', new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: [1_000, 45_000] })));
  const { rows, lines } = await rowsOf('groups.parquet');
  expect(rows.slice(1).map(([n]) => n)).toEqual(data.map(String));
  expect(rows.slice(1).map(([, half]) => half)).toEqual(data.map((n) => (n % 3n === 0n ? '' : String(Number(n) / 2))));
  expect([lines[0], lines[1], lines.at(-1)]).toEqual([0, 1, 50_000]);
});

const parquet = () => {
  const data = Array.from({ length: 2_000 }, (_, i) => `value ${i}`);
  return new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'a', data, type: 'STRING' }] }));
};
const damaged: readonly (readonly [what: string, bytes: () => string | Uint8Array, problem: RegExp])[] = [
  ['an empty file', () => '', /empty/],
  ['gzip cut short', () => gzipSync(csv).subarray(0, -20), /ends too early/],
  ['gzip with a flipped byte', () => flipped(gzipSync(csv), 40), /./],
  ['Zstandard cut short', () => readFileSync(join(folder.path, 'small.zst')).subarray(0, -5), /EOF/],
  ['Parquet cut short', () => parquet().subarray(0, -9), /parquet/],
  ['Parquet without its middle', () => Buffer.concat([parquet().subarray(0, 200), parquet().subarray(-300)]), /./],
  ['a quote that is never closed', () => 'a,b\n1,"2\n3,4\n', /never closed/],
  ['a quote inside a bare cell', () => 'a,b\n1,2"x"\n', /[Qq]uote/],
];

test.each(damaged)('damaged: %s', async (what, bytes, problem) => {
  const reading = rowsOf(put(`damaged ${what}`, bytes()));
  await expect(reading).rejects.toMatchObject({
    code: 'FILE_DAMAGED',
    problems: [{ path: `damaged ${what}`, message: expect.stringMatching(problem) }],
  });
});

test('a file that is not there, and one that is a folder', async () => {
  await expect(rowsOf('missing.csv')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  await expect(rowsOf('.')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = copy[at]! ^ 0xff;
  return copy;
}
