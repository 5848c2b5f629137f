import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Duplex, pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Info, parse } from 'csv-parse';
import { damagedFile, fileFailure } from './file-failure.ts';
import { type BillFile, type Table, type TableRow, textColumn } from './table.ts';
import { unzipped } from './unzip.ts';
import { createUnzstd } from './unzstd.ts';

export type Packing = 'plain' | 'gzip' | 'zstd' | 'zip';

const BATCH_ROWS = 1_000;

/** A row is at most this long: a quote that is never closed must not swallow the whole file into memory. */
const LONGEST_ROW = 4 * 1024 * 1024;

/**
 * Reads a CSV file as a stream of rows.
 *
 * Takes  file, and how it is packed.
 * Gives  null when there is not even a header.
 * Holds  one batch in memory, whatever the size of the file; byte order mark, CRLF and LF make no difference.
 * Fails  FILE_UNREADABLE; FILE_DAMAGED when it is cut short or its quotes do not match.
 */
export async function openCsv(file: BillFile, packing: Packing): Promise<Table> {
  const rows = batchesOf(file, packing);
  const { value: first, done } = await rows.next();
  if (done === true) throw damagedFile(file, 'the file has no header');
  const [header, ...others] = first;
  const columns = (header!.cells as string[]).map(textColumn);
  return { columns, line: header!.line, batches: following(others, rows) };
}

async function* following(
  first: readonly TableRow[],
  rows: AsyncGenerator<readonly TableRow[]>,
): AsyncGenerator<Iterable<TableRow>> {
  try {
    yield first;
    yield* rows;
  } finally {
    await rows.return(undefined);
  }
}

async function* batchesOf(file: BillFile, packing: Packing): AsyncGenerator<readonly TableRow[]> {
  const rows = csvStream(file.path, packing);
  try {
    let batch: TableRow[] = [];
    for await (const { record, info } of rows as AsyncIterable<{ record: string[]; info: Info }>) {
      batch.push({ line: info.lines, cells: record });
      if (batch.length < BATCH_ROWS) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  } catch (cause) {
    throw fileFailure(file, cause);
  } finally {
    rows.destroy();
  }
}

function csvStream(path: string, packing: Packing): Duplex {
  const parser = parse({
    bom: true,
    info: true,
    record_delimiter: ['\r\n', '\n'],
    // A row of another length is reported with its line by whoever reads the columns.
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_ROW,
  });
  // An error anywhere in the line destroys the parser with it, and so reaches whoever iterates.
  pipeline([...unpackedParts(path, packing), parser], () => undefined);
  return parser;
}

/** The bytes of a file on their way out of what they are packed in. */
export function unpackedParts(path: string, packing: Packing): (Readable | Duplex)[] {
  if (packing === 'zip') return [unzipped(path)];
  const unpack = { plain: () => [], gzip: () => [createGunzip()], zstd: () => [createUnzstd()] }[packing]();
  return [createReadStream(path), ...unpack];
}

/** Says whether the last line of a text file is ended: one that is not may have been cut in its last value. */
export async function endsInLine(file: BillFile): Promise<boolean> {
  const handle = await open(file.path, 'r');
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === 10;
  } finally {
    await handle.close();
  }
}
