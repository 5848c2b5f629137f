import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../model/index.ts';
import { globPattern, globRoot, isGlob } from './glob.ts';

/** Which files of a folder to take. */
export interface FileChoice {
  /** Globs over names; empty: every file. */
  readonly include: readonly string[];
  /** Whether folders within folders count. */
  readonly recursive: boolean;
}

interface Found {
  readonly path: string;
  readonly mtimeMs: number;
}

/**
 * Finds the files that an argument names: itself, those of a folder, or those that a glob matches, the oldest first.
 *
 * Takes  argument: `-` is standard input, and stays what it is.
 * Fails  FILE_UNREADABLE when there is none.
 */
export async function findFiles(argument: string, choice: FileChoice): Promise<string[]> {
  if (argument === '-') return [argument];
  const there = await stat(argument).catch((cause: NodeJS.ErrnoException) => cause);
  if (!(there instanceof Error)) {
    if (!there.isDirectory()) return [argument];
    const patterns = choice.include.map(globPattern);
    const isChosen = (name: string) =>
      patterns.length === 0 || patterns.some((pattern) => pattern.test(name) || pattern.test(base(name)));
    return found(argument, await filesBelow(argument, choice.recursive, isChosen), 'no such file in the folder');
  }
  if (!isGlob(argument)) throw fail('FILE_UNREADABLE', { file: argument, reason: there.code }, [], there);
  const glob = argument.replace(/^(?:\.\/)+/, '');
  const [root, pattern] = [globRoot(glob), globPattern(glob)];
  const isChosen = (name: string) => pattern.test(root === '.' ? name : pathIn(root, name));
  const isDeep = glob.slice(root.length + 1).includes('/');
  return found(argument, await filesBelow(root, isDeep, isChosen), 'nothing matches');
}

function found(argument: string, files: readonly Found[], reason: string): string[] {
  if (files.length === 0) throw fail('FILE_UNREADABLE', { file: argument, reason });
  const byAge = (a: Found, b: Found) =>
    a.mtimeMs - b.mtimeMs || b.path.localeCompare(a.path, 'en', { numeric: true }) || 0;
  return [...files].sort(byAge).map(({ path }) => path);
}

/** Takes  isChosen: of a path below the folder. Folders that cannot be read are passed over; links to files count. */
async function filesBelow(
  folder: string,
  isDeep: boolean,
  isChosen: (name: string) => boolean,
  below = '',
): Promise<Found[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(() => []);
  const files: Found[] = [];
  for (const entry of entries) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      if (isDeep) files.push(...(await filesBelow(folder, isDeep, isChosen, name)));
    } else if (isChosen(name)) {
      const path = pathIn(folder, name);
      const there = await stat(path).catch(() => null);
      if (there?.isFile()) files.push({ path, mtimeMs: there.mtimeMs });
    }
  }
  return files;
}

/** Not `join`: a path has to look as its glob does. */
function pathIn(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

function base(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
