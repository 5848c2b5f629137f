import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repository } from './data.ts';

const bin = join(repository, 'bin', 'taximeter.js');

/** A running `taximeter ingest --follow`. */
export interface Following {
  /** What it printed so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** Ctrl-C. Gives the exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

/** Follows logs with the built program, as a user does. */
export function startFollowing(args: readonly string[]): Following {
  const child = spawn(process.execPath, [bin, 'ingest', '--follow', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return {
    out: () => out,
    err: () => err,
    stop: () => ended(child, 'SIGINT'),
    kill: async () => void (await ended(child, 'SIGKILL')),
  };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }
  return child.exitCode;
}
