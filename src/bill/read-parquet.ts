import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import { fileFailure } from './file-failure.ts';
import { ColumnPages, isPlainColumn } from './parquet-pages.ts';
import { FieldSlices } from './parquet-slices.ts';
import { exactColumns, type ParquetColumn } from './parquet-text.ts';
import type { BillFile, Table, TableRow } from './table.ts';

/** Few enough that what is made of a batch is gone before memory is tidied up. */
const BATCH_ROWS = 1_000;

/** Gives the values of a field row after row. */
type FieldValues = Pick<ColumnPages, 'take'>;

/**
 * Reads a Parquet file as rows of exact values, a batch of all columns at a time.
 *
 * Gives  its fields as columns, those of a struct as `struct.field`; the line of a row is its number from 1.
 * Holds  one page of each column in memory, of a column of lists or structs a slice; no value passes through a rounding conversion.
 * Fails  FILE_UNREADABLE; FILE_DAMAGED when it is cut short or packed in an unknown way.
 */
export async function openParquet(file: BillFile): Promise<Table> {
  try {
    const source = await asyncBufferFromFile(file.path);
    const metadata = await parquetMetadataAsync(source, { geoparquet: false });
    const columns = exactColumns(metadata);
    return { columns, line: 0, batches: batchesOf(file, source, metadata, columns) };
  } catch (cause) {
    throw fileFailure(file, cause);
  }
}

async function* batchesOf(
  file: BillFile,
  source: AsyncBuffer,
  metadata: FileMetaData,
  columns: readonly ParquetColumn[],
): AsyncGenerator<Iterable<TableRow>> {
  let start = 0;
  for (const [group, { num_rows: rows }] of metadata.row_groups.entries()) {
    const end = start + Number(rows);
    const fields = fieldsOf(source, metadata, group, start, end);
    for (; start < end; start = Math.min(start + BATCH_ROWS, end)) {
      const count = Math.min(BATCH_ROWS, end - start);
      yield rowsOf(await valuesOf(file, fields, columns, count), columns, start, count);
      // A server that imports a bill has others to answer meanwhile.
      await nextTurn();
    }
  }
}

/** A reader for each field of a row group. */
function fieldsOf(
  source: AsyncBuffer,
  metadata: FileMetaData,
  group: number,
  start: number,
  end: number,
): ReadonlyMap<string, FieldValues> {
  const { columns } = metadata.row_groups[group]!;
  const readerOf = (tree: SchemaTree) => {
    const { name } = tree.element;
    const [chunk, another] = columns.filter(({ meta_data: meta }) => meta?.path_in_schema[0] === name);
    return chunk && !another && isPlainColumn(tree, chunk)
      ? new ColumnPages(source, tree, chunk.meta_data!)
      : new FieldSlices(source, metadata, name, start, end);
  };
  return new Map(parquetSchema(metadata).children.map((tree) => [tree.element.name, readerOf(tree)]));
}

async function valuesOf(
  file: BillFile,
  fields: ReadonlyMap<string, FieldValues>,
  columns: readonly ParquetColumn[],
  count: number,
): Promise<(readonly unknown[])[]> {
  try {
    const values = new Map<string, readonly unknown[]>();
    for (const [name, field] of fields) values.set(name, await field.take(count));
    return columns.map(({ field }) => values.get(field)!);
  } catch (cause) {
    throw fileFailure(file, cause);
  }
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
