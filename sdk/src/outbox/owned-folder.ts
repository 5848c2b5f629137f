import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { threadId } from 'node:worker_threads';

export const FILE_END = '.spans';
/** Whether a process of another container, or of another machine on the same disk, runs cannot be seen from here. It would have ended such an old file long ago. */
const FOREIGN_AFTER_MS = 600_000;
/** Another one each time that a machine starts. */
const BOOT = '/proc/sys/kernel/random/boot_id';

/** A file of an outbox. Its number says its place in the order. */
export interface OutboxFile {
  readonly path: string;
  readonly number: number;
  readonly bytes: number;
}

/** Who a folder belongs to: ids of processes mean something within their namespace only, and are given again. */
interface Owner {
  readonly namespace: string;
  readonly pid: number;
  readonly start: string;
  readonly thread: number;
}

/** The folders that this thread writes to; shared by all copies of this package in it. */
const shared = globalThis as { [open]?: Set<string> };
const open = Symbol.for('taximeter.outbox.open');

function openNames(): Set<string> {
  shared[open] ??= new Set();
  return shared[open];
}

/**
 * Names a folder that only its owner writes to; `makeFolder` makes it.
 *
 * From  the name says who that is, so that nobody needs a lock: an owner that has ended never comes back.
 */
export function ownFolder(root: string): string {
  const { namespace, pid, start, thread } = self();
  return join(root, `${namespace}.${pid}.${start}.${thread}.${randomBytes(6).toString('hex')}`);
}

/** Makes the folder, where it is not there, and says that it is written to. Fails  as the disk does. */
export function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  openNames().add(basename(folder));
}

/** Says that a folder is not written to any more; what is in it goes to whoever opens the outbox next. */
export function leaveFolder(folder: string): void {
  openNames().delete(basename(folder));
  removeIfEmpty(folder);
}

/**
 * Takes over what owners that have ended left behind.
 *
 * Takes  nextNumber: gives the numbers that the files get. onProblem: what cannot be taken over stays where it is.
 * Holds  a file is moved by one rename, so that of two who want it one gets it.
 */
export function adoptFiles(
  root: string,
  own: string,
  nextNumber: () => number,
  nowMs: number,
  onProblem: (message: string) => void,
): OutboxFile[] {
  const adopted: OutboxFile[] = [];
  for (const name of readdirSync(root).sort()) {
    const oldest = name === basename(own) ? null : adoptedWhenOlder(name);
    if (oldest === null) continue;
    try {
      for (const file of filesIn(join(root, name))) {
        if (oldest > 0 && nowMs - file.changedMs < oldest) continue;
        const number = nextNumber();
        const path = pathOf(own, number);
        if (isMoved(file.path, path)) adopted.push({ path, number, bytes: file.bytes });
      }
    } catch (cause) {
      onProblem(`what was left in the outbox cannot be taken over: ${(cause as Error).message}`);
    }
    removeIfEmpty(join(root, name));
  }
  return adopted;
}

export function pathOf(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(12, '0')}${FILE_END}`);
}

function filesIn(folder: string): { path: string; bytes: number; changedMs: number }[] {
  const names = namesIn(folder).filter((name) => name.endsWith(FILE_END));
  return names.sort().flatMap((name) => {
    const path = join(folder, name);
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? [] : [{ path, bytes: found.size, changedMs: found.mtimeMs }];
  });
}

/** Others look through the same outbox, and take away folders that they have emptied. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
}

/** How old files of a folder must be to be taken, in milliseconds; null while its owner may live, or where it is no such folder. */
function adoptedWhenOlder(name: string): number | null {
  const owner = ownerOf(name);
  if (owner === null || openNames().has(name)) return null;
  const here = self();
  if (owner.namespace !== here.namespace) return FOREIGN_AFTER_MS;
  if (owner.pid !== here.pid) return startOf(owner.pid) === owner.start ? null : 0;
  // Another thread of this process may be at it.
  return owner.start === here.start && owner.thread !== here.thread ? null : 0;
}

function ownerOf(name: string): Owner | null {
  const [, namespace, pid, start, thread] = /^(\w+)\.(\d+)\.(\w+)\.(\d+)\.[0-9a-f]{12}$/.exec(name) ?? [];
  if (namespace === undefined || start === undefined) return null;
  return { namespace, pid: Number(pid), start, thread: Number(thread) };
}

function self(): Owner {
  return { namespace: namespace(), pid: process.pid, start: startOf(process.pid) ?? '0', thread: threadId };
}

/** The number of the first namespace is the same on all machines: only with the boot it says which one is meant. */
function namespace(): string {
  return `n${said(() => readlinkSync('/proc/self/ns/pid'), /\D/g)}b${said(() => readFileSync(BOOT, 'utf8'), /[^0-9a-f]/g)}`;
}

/** Gives  '0' where the system does not say it. */
function said(ask: () => string, without: RegExp): string {
  try {
    return ask().replace(without, '');
  } catch {
    return '0';
  }
}

/** When a process started; '0' where the system does not say it, null where there is none. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before them may hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return isRunning(pid) ? '0' : null;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isMoved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw cause;
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody else took it away, or something is in it still.
  }
}
