import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Loss, SpanCounts } from '../../sdk/src/index.ts';

const program = fileURLToPath(new URL('./measured-child.js', import.meta.url));

/** A program that measures its calls, in a process of its own. */
export interface MeasuredChild {
  /** Asks it for something that is measured. */
  call(path: string, tenant?: string): Promise<number>;
  /** Waits until what came before is in its outbox. */
  ready(): Promise<void>;
  close(): Promise<ChildCounts>;
  counts(): Promise<ChildCounts>;
  kill(): Promise<void>;
  /** What it wrote to its error output. */
  words(): string;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>;
}

export interface ChildCounts extends SpanCounts {
  readonly losses: readonly Loss[];
  readonly problems: readonly string[];
  /** How many threads it started. */
  readonly threads: number;
}

/** Starts the program. Takes  options: of its Taximeter; before: a command that starts it, such as one that mounts a disk for it. */
export async function startMeasured(
  options: object,
  { before = [], env = {} }: { readonly before?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<MeasuredChild> {
  const [command = process.execPath, ...args] = [...before, process.execPath];
  const child = spawn(command, [...args, program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const words: string[] = [];
  child.stderr.on('data', (chunk) => words.push(String(chunk)));
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const port = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([line]) => Number(line)),
    ended.then((code) => Promise.reject(new Error(`it ended with ${code}: ${words.join('')}`))),
  ]);
  const url = `http://127.0.0.1:${port}`;
  const json = async (path: string) => (await (await fetch(`${url}${path}`)).json()) as ChildCounts;
  return {
    call: async (path, tenant) => {
      const answer = await fetch(`${url}${path}`, { headers: tenant === undefined ? {} : { 'x-tenant': tenant } });
      await answer.text();
      return answer.status;
    },
    ready: async () => void (await (await fetch(`${url}/ready`)).text()),
    close: () => json('/close'),
    counts: () => json('/counts'),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    words: () => words.join(''),
    ended,
  };
}
