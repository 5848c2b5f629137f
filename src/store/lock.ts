import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { fail } from '../model/index.ts';

/** What a running server tells commands that want to talk to it. */
export interface RunningServer {
  /** For people; a process id says nothing about who lives, in a container least of all. */
  readonly pid: number;
  /** Where its API listens, e.g. http://127.0.0.1:4700; empty while a command holds the folder. */
  readonly url: string;
  /** Proves that a command may read the data folder; new at every start. */
  readonly token: string;
}

/** A data folder that this process holds. */
export interface FolderHold {
  /** Tells commands where the API is. */
  announce(server: Omit<RunningServer, 'pid'>): void;
  letGo(): void;
}

/** A reader looks for a moment only; another starter keeps the lock. */
const WAIT_FOR_READERS_MS = 1_000;

/** Real paths of what this process holds: the system's locks do not stand between two holders in one process. */
const held = new Set<string>();

/** Finds the process that holds a data folder, or null when none does. */
export function runningServer(folder: string): RunningServer | null {
  if (!isHeld(folder)) return null;
  const { pid, url, token } = readServer(folder);
  return { pid: Number(pid) || 0, url: String(url ?? ''), token: String(token ?? '') };
}

/**
 * Takes a data folder for this process: a lock on a file that the system lets go when the process ends, however it ends.
 *
 * Holds  of all who start at once one wins; what a dead process left behind holds nothing.
 * Fails  DATA_IN_USE while another holder is alive. DISK_FULL, FILE_UNREADABLE, FILE_DAMAGED.
 */
export function holdFolder(folder: string): FolderHold {
  let lock: SqliteDatabase.Database | null = null;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = realpathSync(folder);
    if (held.has(path)) throw fail('DATA_IN_USE', { folder, pid: process.pid });
    lock = lockFile(join(path, 'lock.sqlite'));
    announce(path, { url: '', token: '' });
    held.add(path);
    return holdOf(path, lock);
  } catch (cause) {
    lock?.close();
    throw lockFailure(folder, cause);
  }
}

function holdOf(path: string, lock: SqliteDatabase.Database): FolderHold {
  return {
    announce: (server) => announce(path, server),
    letGo: () => {
      if (!held.delete(path)) return;
      rmSync(join(path, 'server.json'), { force: true });
      lock.close();
    },
  };
}

/**
 * SQLite's exclusive lock is a POSIX record lock. Such a lock is lost when its process closes any other descriptor of the
 * file, so nothing here opens the file but SQLite, which knows; and the file is never deleted, or two could each lock theirs.
 */
function lockFile(path: string): SqliteDatabase.Database {
  const lock = new SqliteDatabase(path, { timeout: WAIT_FOR_READERS_MS });
  try {
    // On a file that cannot be written SQLite would be content with a lock that others can have too.
    accessSync(path, constants.W_OK);
    chmodSync(path, 0o600);
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    throw cause;
  }
}

function isHeld(folder: string): boolean {
  let probe: SqliteDatabase.Database | null = null;
  try {
    probe = new SqliteDatabase(join(folder, 'lock.sqlite'), { readonly: true, fileMustExist: true, timeout: 0 });
    probe.prepare('SELECT 1 FROM sqlite_master').get();
    return false;
  } catch (cause) {
    return isBusy(cause);
  } finally {
    probe?.close();
  }
}

function isBusy(cause: unknown): boolean {
  return /^SQLITE_BUSY/.test((cause as { code?: string }).code ?? '');
}

/** Whoever reads finds the old text or the new one, and only its owner reads. */
function announce(path: string, server: Omit<RunningServer, 'pid'>): void {
  const file = join(path, 'server.json');
  const next = `${file}.new`;
  rmSync(next, { force: true });
  writeFileSync(next, JSON.stringify({ pid: process.pid, ...server }), { mode: 0o600, flag: 'wx' });
  renameSync(next, file);
}

function readServer(folder: string): Partial<RunningServer> {
  try {
    return (JSON.parse(readFileSync(join(folder, 'server.json'), 'utf8')) ?? {}) as Partial<RunningServer>;
  } catch {
    return {};
  }
}

function lockFailure(folder: string, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  if (isBusy(cause)) return fail('DATA_IN_USE', { folder, ...pidFact(folder) }, [], cause);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL') return fail('DISK_FULL', { folder }, [], cause);
  if (code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT')
    return fail('FILE_DAMAGED', { file: join(folder, 'lock.sqlite') }, [], cause);
  if (/^(E[A-Z]+|SQLITE_(CANTOPEN|READONLY|IOERR|PERM).*)$/.test(code))
    return fail('FILE_UNREADABLE', { folder, reason: code }, [], cause);
  return cause;
}

function pidFact(folder: string): { pid?: number } {
  const { pid } = readServer(folder);
  return typeof pid === 'number' && pid > 0 ? { pid } : {};
}
