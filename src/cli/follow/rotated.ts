import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { inodeOf } from './followed-log.ts';

/** A file that a log may have been moved to. */
export interface Sibling {
  readonly path: string;
  readonly inode: string;
  readonly mtimeMs: number;
}

/** Finds the files beside a log that may be what it was called before: its name, then a dot or a dash, then anything. Newest first. */
export async function rotatedSiblings(path: string): Promise<Sibling[]> {
  const [folder, name] = [dirname(path), basename(path)];
  // logrotate with `extension .log` puts the date in between: access-20220801.log.
  const stem = /^(.+)\.[^.]+$/.exec(name)?.[1];
  const isSibling = (each: string) =>
    each !== name &&
    (/^[.-]/.test(each.startsWith(name) ? each.slice(name.length) : '') ||
      (stem !== undefined && each.startsWith(stem) && /^[.-]\d/.test(each.slice(stem.length))));
  const siblings: Sibling[] = [];
  for (const each of await readdir(folder).catch(() => [])) {
    if (!isSibling(each)) continue;
    const there = await stat(join(folder, each), { bigint: true }).catch(() => null);
    if (!there?.isFile()) continue;
    siblings.push({ path: join(folder, each), inode: inodeOf(there), mtimeMs: Number(there.mtimeMs) });
  }
  return siblings.sort((a, b) => b.mtimeMs - a.mtimeMs);
}
