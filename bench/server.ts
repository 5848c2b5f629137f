import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/taximeter.js', import.meta.url));
const TICKS_PER_SECOND = 100;

/** The built server in a process of its own, whose CPU time can be read. */
export interface MeasuredServer {
  readonly api: string;
  readonly otlp: string;
  /** CPU seconds of the whole process so far, engine threads included. */
  cpuSeconds(): number;
  /** Resident memory, now and at its highest, in bytes. */
  memory(): { readonly now: number; readonly peak: number };
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

/** Starts `taximeter serve` on a folder. */
export async function startServer(
  folder: string,
  ports: readonly [number, number],
  env: Record<string, string>,
): Promise<MeasuredServer> {
  const args = [
    bin,
    'serve',
    '--data',
    folder,
    '--port',
    String(ports[0]),
    '--otlp-port',
    String(ports[1]),
    '--otlp-grpc-port',
    'off',
  ];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, TAXIMETER_LOG: 'warn', TAXIMETER_ENVOY_PORT: 'off', ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const api = `http://127.0.0.1:${ports[0]}`;
  while (!(await fetch(`${api}/readyz`).catch(() => null))?.ok) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    await pause(50);
  }
  return {
    api,
    otlp: `http://127.0.0.1:${ports[1]}`,
    cpuSeconds: () => cpuSeconds(child),
    memory: () => memory(child),
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill(signal);
  await ended;
}

/** Fields 14 and 15 of /proc/PID/stat; the name before them may hold spaces, so they are counted behind its bracket. */
function cpuSeconds(child: ChildProcess): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function memory(child: ChildProcess): { now: number; peak: number } {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  return { now: kib('VmRSS') * 1024, peak: kib('VmHWM') * 1024 };
}
