import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../model/index.ts';

/** What a running server tells commands that want to talk to it. */
export interface RunningServer {
  readonly pid: number;
  /** Where its API listens, e.g. http://127.0.0.1:4700; empty while a command holds the folder. */
  readonly url: string;
  /** Proves that a command may read the data folder; new at every start. */
  readonly token: string;
}

/** Finds the process that holds a data folder, or null when none is alive. */
export function runningServer(folder: string): RunningServer | null {
  try {
    const holder = JSON.parse(readFileSync(lockPath(folder), 'utf8')) as RunningServer;
    return isAlive(holder.pid) ? holder : null;
  } catch {
    return null;
  }
}

/**
 * Takes a data folder for this process.
 *
 * Gives  a function that lets go of it again.
 * Fails  DATA_IN_USE while another process that is alive holds it.
 */
export function holdFolder(folder: string, holder: RunningServer): () => void {
  const path = lockPath(folder);
  const text = JSON.stringify(holder);
  try {
    mkdirSync(folder, { recursive: true });
    const other = runningServer(folder);
    if (other && other.pid !== holder.pid) throw fail('DATA_IN_USE', { folder, pid: other.pid });
    // What is left is stale, or ours. `wx` lets only one of two starters win.
    rmSync(path, { force: true });
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') throw fail('DATA_IN_USE', { folder }, [], cause);
    if (code === 'ENOSPC') throw fail('DISK_FULL', { folder }, [], cause);
    if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR')
      throw fail('FILE_UNREADABLE', { folder }, [], cause);
    throw cause;
  }
  return () => {
    if (runningServer(folder)?.pid === holder.pid) rmSync(path, { force: true });
  };
}

function lockPath(folder: string): string {
  return join(folder, 'taximeter.lock');
}

function isAlive(pid: unknown): boolean {
  // 0 and negative numbers stand for groups of processes, which are always alive.
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}
