import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fail } from '../model/index.ts';
import { fileFailure } from './file-failure.ts';
import { fileOf, readManifest } from './manifest.ts';
import type { BillFile } from './table.ts';

/** More are no export but a whole bucket. */
const MOST_FILES = 10_000;

/** Files that tools leave beside an export: job marks, statements that make a table, hidden files. */
const NO_DATA = /(^|\/)([._][^/]*|create_table[^/]*|[^/]*\.(sql|crc|ya?ml|md|txt))$/i;

/**
 * Finds the files of one export.
 *
 * Takes  paths: files, folders with everything in them, manifests with what they name.
 * Gives  files in a fixed order, each with a name that tells it from the others; manifests among them.
 * Fails  FILE_UNREADABLE, also for a folder without data.
 */
export async function exportFiles(paths: readonly string[]): Promise<BillFile[]> {
  const found = (await Promise.all(paths.map(filesOf))).flat();
  const once = new Map(found.map((file) => [file.path, file]));
  if (once.size > MOST_FILES)
    throw fail('FILE_UNREADABLE', { file: paths.join(', ').slice(0, 200), reason: 'too many files' });
  return [...once.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

async function filesOf(path: string): Promise<BillFile[]> {
  const file = { name: basename(path), path };
  try {
    const what = await stat(path);
    if (what.isDirectory()) return await folderFiles(path);
    if (!what.isFile()) throw fail('FILE_UNREADABLE', { file: path, reason: 'it is not a file' });
  } catch (cause) {
    throw fileFailure({ name: path, path }, cause);
  }
  const manifest = await readManifest(file);
  if (!manifest) return [file];
  const beside = await folderFiles(dirname(path));
  const named = manifest.entries.map(({ key }) => fileOf(key, beside));
  return [file, ...new Set(named.filter((each) => each !== null))];
}

async function folderFiles(folder: string): Promise<BillFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = paths.map((path) => ({ name: relative(folder, path).replaceAll('\\', '/'), path }));
  const data = files.filter(({ name }) => !NO_DATA.test(name));
  if (data.length === 0)
    throw fail('FILE_UNREADABLE', { file: folder, reason: 'the folder has no files of an export' });
  return data;
}
