import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { fileFailure } from './file-failure.ts';
import { exactColumns, exactParsers, type ParquetColumn } from './parquet-text.ts';
import type { BillFile, TableRow, TableRows } from './table.ts';

/** A page of only nulls unpacks to nothing, which the library's LZ4 takes for damage. */
const unpackers = Object.fromEntries(
  Object.entries(compressors).map(([codec, unpack]) => [
    codec,
    (packed: Uint8Array, sizeBytes: number) => (sizeBytes === 0 ? new Uint8Array(0) : unpack(packed, sizeBytes)),
  ]),
);

/** Rows turned into objects at a time; a row group of many more is read in slices. */
const BATCH_ROWS = 20_000;

/**
 * Reads a Parquet file as rows of exact text.
 *
 * Gives  the column names, then the rows; line is the row number from 1.
 * Holds  at most one slice of one row group in memory; no value passes through a rounding conversion.
 * Fails  FILE_UNREADABLE; FILE_DAMAGED when it is cut short or packed in an unknown way.
 */
export async function* readParquet(file: BillFile): TableRows {
  try {
    const source = await asyncBufferFromFile(file.path);
    const metadata = await parquetMetadataAsync(source, { geoparquet: false });
    const columns = exactColumns(metadata);
    yield [{ line: 0, cells: columns.map((column) => column.name) }];
    for (const [rowStart, rowEnd] of slicesOf(metadata)) {
      const options = { rowStart, rowEnd, useOffsetIndex: true, utf8: false, geoparquet: false };
      const rows = await parquetReadObjects({
        file: source,
        metadata,
        compressors: unpackers,
        parsers: exactParsers,
        ...options,
      });
      yield rows.map((row, i) => rowOf(row, rowStart + i + 1, columns));
    }
  } catch (cause) {
    throw fileFailure(file, cause);
  }
}

function rowOf(row: Record<string, unknown>, line: number, columns: readonly ParquetColumn[]): TableRow {
  return { line, cells: columns.map((column) => column.text(row[column.name])) };
}

/** Slices never cross a row group, so that no group is unpacked for another one's rows. */
function* slicesOf(metadata: FileMetaData): Generator<readonly [start: number, end: number]> {
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    for (; start < end; start = Math.min(start + BATCH_ROWS, end)) yield [start, Math.min(start + BATCH_ROWS, end)];
  }
}
