import { createReadStream } from 'node:fs';
import { type Duplex, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Info, parse } from 'csv-parse';
import { fileFailure } from './file-failure.ts';
import type { BillFile, TableRow, TableRows } from './table.ts';
import { createUnzstd } from './unzstd.ts';

export type Packing = 'plain' | 'gzip' | 'zstd';

const BATCH_ROWS = 1_000;

/** A row is at most this long: a quote that is never closed must not swallow the whole file into memory. */
const LONGEST_ROW = 4 * 1024 * 1024;

/**
 * Reads a CSV file as a stream of rows.
 *
 * Takes  file, and how it is packed.
 * Holds  one batch in memory, whatever the size of the file; byte order mark, CRLF and LF make no difference.
 * Fails  FILE_UNREADABLE; FILE_DAMAGED when it is cut short or its quotes do not match.
 */
export async function* readCsv(file: BillFile, packing: Packing): TableRows {
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
  const unpack = { plain: () => [], gzip: () => [createGunzip()], zstd: () => [createUnzstd()] }[packing]();
  // An error anywhere in the line destroys the parser with it, and so reaches whoever iterates.
  pipeline([createReadStream(path), ...unpack, parser], () => undefined);
  return parser;
}
