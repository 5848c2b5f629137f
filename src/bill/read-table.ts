import { open } from 'node:fs/promises';
import { damagedFile, fileFailure } from './file-failure.ts';
import { type Packing, readCsv } from './read-csv.ts';
import { readParquet } from './read-parquet.ts';
import type { BillFile, TableRows } from './table.ts';

export type Container = 'parquet' | Packing;

/**
 * Finds out what a file is from its first bytes; names lie.
 *
 * Fails  FILE_UNREADABLE, FILE_DAMAGED when it is empty.
 */
export async function containerOf(file: BillFile): Promise<Container> {
  const magic = await firstBytes(file);
  if (magic.length === 0) throw damagedFile(file, 'the file is empty');
  if (magic.startsWith('50415231')) return 'parquet';
  if (magic.startsWith('1f8b')) return 'gzip';
  // Skippable frames may stand before the first one with data.
  return magic.startsWith('28b52ffd') || /^5.2a4d18/.test(magic) ? 'zstd' : 'plain';
}

/** Reads the rows of a file, whatever it is packed in. */
export function readTable(file: BillFile, container: Container): TableRows {
  return container === 'parquet' ? readParquet(file) : readCsv(file, container);
}

async function firstBytes(file: BillFile): Promise<string> {
  try {
    const handle = await open(file.path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
      return buffer.subarray(0, bytesRead).toString('hex');
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw fileFailure(file, cause);
  }
}
