import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { damagedFile, fileFailure } from './file-failure.ts';
import { openCsv, type Packing, unpackedParts } from './read-csv.ts';
import { openJson } from './read-json.ts';
import { openParquet } from './read-parquet.ts';
import type { BillFile, Table } from './table.ts';

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
  if (magic === '504b0304') return 'zip';
  // Skippable frames may stand before the first one with data.
  return magic.startsWith('28b52ffd') || /^5.2a4d18/.test(magic) ? 'zstd' : 'plain';
}

/**
 * Opens a file as a table, whatever it is packed in: CSV, JSON or Parquet.
 *
 * Fails  FILE_UNREADABLE, FILE_DAMAGED, also while its rows are read.
 */
export async function openTable(file: BillFile, container: Container): Promise<Table> {
  if (container === 'parquet') return openParquet(file);
  return (await startsAsJson(file, container)) ? openJson(file, container) : openCsv(file, container);
}

const MARK_AND_SPACE = /^\uFEFF?\s*/;

/** Says whether the unpacked text of a file is JSON: it begins with an object or a list. */
async function startsAsJson(file: BillFile, container: Packing): Promise<boolean> {
  const parts = unpackedParts(file.path, container);
  // An error anywhere in the line destroys its last part with it.
  const last = parts.at(-1)!;
  if (parts.length > 1) pipeline(parts, () => undefined);
  try {
    for await (const chunk of last) {
      const text = (chunk as Buffer).toString('utf8', 0, 1_000).replace(MARK_AND_SPACE, '');
      if (text !== '') return text.startsWith('{') || text.startsWith('[');
    }
    return false;
  } catch (cause) {
    throw fileFailure(file, cause);
  } finally {
    for (const part of parts) part.destroy();
  }
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
