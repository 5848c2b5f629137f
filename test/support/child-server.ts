import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { inPath } from './available.ts';

const READY_WITHIN_MS = 300_000;
const STOPS_WITHIN_MS = 60_000;

/** A server program to start, and how to know that it serves. */
export interface ServerProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Runs the program as this user; only root can. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** The signal on which it stops in order; also sent when this process dies, so that nothing is left running. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  readonly isReady: () => Promise<boolean>;
}

/** A server process that one test owns. */
export interface ChildServer {
  readonly pid: number;
  /** Stops it in order and waits for its end. */
  stop(): Promise<void>;
  /** Ends it like a power cut and waits for its end. */
  kill(): Promise<void>;
}

/**
 * Starts a server program and waits until it serves.
 *
 * Fails  with what the program wrote, when it ends first or does not serve within a minute.
 */
export async function startChild(program: ServerProgram): Promise<ChildServer> {
  const { command, args } = tiedToThisProcess(program);
  const child = spawn(command, args, { cwd: program.cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const wrote = lastWords(child);
  const spawnFailure = new Promise<never>((_, reject) => child.once('error', reject));
  await Promise.race([spawnFailure, untilReady(child, program.isReady, wrote)]);
  return {
    pid: child.pid!,
    stop: () => end(child, program.stopSignal),
    kill: () => end(child, 'SIGKILL'),
  };
}

/** setpriv replaces itself by the program, so the process id stays, and lets the kernel end it after its parent. */
function tiedToThisProcess({ command, args, user, stopSignal }: ServerProgram): { command: string; args: string[] } {
  const setpriv = inPath('setpriv');
  if (setpriv === undefined) throw new Error('no setpriv in PATH (it is part of util-linux)');
  const asUser = user ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : [];
  return { command: setpriv, args: ['--pdeathsig', stopSignal.slice(3), ...asUser, command, ...args] };
}

/** Keeps the end of what the program writes, for the message of a failed start. */
function lastWords(child: ChildProcess): () => string {
  let text = '';
  const keep = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4_000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => text;
}

async function untilReady(child: ChildProcess, isReady: () => Promise<boolean>, wrote: () => string): Promise<void> {
  const deadlineMs = Date.now() + READY_WITHIN_MS;
  while (!hasEnded(child) && Date.now() < deadlineMs) {
    if (await isReady()) return;
    await pause(50);
  }
  const what = hasEnded(child) ? `ended with ${child.exitCode ?? child.signalCode}` : 'does not serve';
  await end(child, 'SIGKILL');
  // What it wrote last may still be in the pipe when its end is known.
  await pause(50);
  throw new Error(`${child.spawnargs.join(' ')} ${what}: ${wrote()}`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const lastResort = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS);
  await ended;
  clearTimeout(lastResort);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Gives a TCP port on loopback that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}
