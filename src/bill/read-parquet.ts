import { type AsyncBuffer, asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { fileFailure } from './file-failure.ts';
import { exactColumns, exactParsers, type ParquetColumn } from './parquet-text.ts';
import type { BillFile, Table, TableRow } from './table.ts';

/** A page of only nulls unpacks to nothing, which the library's LZ4 takes for damage. */
const unpackers = Object.fromEntries(
  Object.entries(compressors).map(([codec, unpack]) => [
    codec,
    (packed: Uint8Array, sizeBytes: number) => (sizeBytes === 0 ? new Uint8Array(0) : unpack(packed, sizeBytes)),
  ]),
);

/** Rows unpacked at a time. More need more memory; fewer read the pages of a large row group more often. */
const SLICE_ROWS = 100_000;

/**
 * Reads a Parquet file as rows of exact values, one column after the other.
 *
 * Gives  its fields as columns, those of a struct as `struct.field`; the line of a row is its number from 1.
 * Holds  at most one slice of one row group in memory; no value passes through a rounding conversion.
 * Fails  FILE_UNREADABLE; FILE_DAMAGED when it is cut short or packed in an unknown way.
 */
export async function openParquet(file: BillFile): Promise<Table> {
  try {
    const source = await asyncBufferFromFile(file.path);
    const metadata = await parquetMetadataAsync(source, { geoparquet: false });
    const columns = exactColumns(metadata);
    return { columns, line: 0, batches: slices(file, source, metadata, columns) };
  } catch (cause) {
    throw fileFailure(file, cause);
  }
}

async function* slices(
  file: BillFile,
  source: AsyncBuffer,
  metadata: FileMetaData,
  columns: readonly ParquetColumn[],
): AsyncGenerator<Iterable<TableRow>> {
  for (const [start, end] of slicesOf(metadata)) {
    const fields = new Map<string, readonly unknown[]>();
    try {
      for (const { field } of columns) {
        if (!fields.has(field)) fields.set(field, await readField(source, metadata, field, start, end));
      }
    } catch (cause) {
      throw fileFailure(file, cause);
    }
    yield rowsOf(
      columns.map(({ field }) => fields.get(field)!),
      columns,
      start,
      end - start,
    );
  }
}

/** The values of one field in a range of rows. One field at a time: what unpacking it takes is free again before the next one. */
async function readField(
  file: AsyncBuffer,
  metadata: FileMetaData,
  field: string,
  rowStart: number,
  rowEnd: number,
): Promise<readonly unknown[]> {
  const values: unknown[] = new Array(rowEnd - rowStart).fill(null);
  let found = 0;
  await parquetRead({
    ...{ file, metadata, columns: [field], rowStart, rowEnd, compressors: unpackers, parsers: exactParsers },
    ...{ useOffsetIndex: true, utf8: false, geoparquet: false },
    onChunk: ({ columnName, columnData, rowStart: first }) => {
      if (columnName !== field) return;
      const from = Math.max(rowStart, first);
      const to = Math.min(rowEnd, first + columnData.length);
      for (let row = from; row < to; row++) values[row - rowStart] = columnData[row - first];
      found += Math.max(to - from, 0);
    },
  });
  if (found !== values.length) throw new Error(`the column ${field} has ${found} values for ${values.length} rows`);
  return values;
}

function* rowsOf(
  values: readonly (readonly unknown[])[],
  columns: readonly ParquetColumn[],
  start: number,
  count: number,
): Generator<TableRow> {
  const cells: unknown[] = columns.map(() => null);
  const row = { line: 0, cells };
  for (let i = 0; i < count; i++) {
    row.line = start + i + 1;
    for (let column = 0; column < cells.length; column++) cells[column] = columns[column]!.of(values[column]![i]);
    yield row;
  }
}

/** Slices never cross a row group, so that no group is unpacked for another one's rows. */
function* slicesOf(metadata: FileMetaData): Generator<readonly [start: number, end: number]> {
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    for (; start < end; start = Math.min(start + SLICE_ROWS, end)) yield [start, Math.min(start + SLICE_ROWS, end)];
  }
}
