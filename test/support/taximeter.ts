import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChildServer, freePort, startChild } from './child-server.ts';
import { repository } from './data.ts';

const bin = join(repository, 'bin', 'taximeter.js');

/** What a command did. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of the built program, as a user does. */
export function taximeter(
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Record<string, string> } = {},
): Promise<CommandResult> {
  return new Promise((done, failed) => {
    const env = { ...process.env, ...options.env };
    const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.once('error', failed);
    child.once('close', (code) => done({ code: code ?? -1, out, err }));
    child.stdin.end(options.input ?? '');
  });
}

/** A running `taximeter serve` that one test owns. */
export interface RunningTaximeter extends ChildServer {
  readonly api: string;
  readonly otlp: string;
  readonly otlpGrpc: string;
  readonly folder: string;
  /** What commands on this machine show; read from server.json as they do. */
  readonly localToken: string;
}

/** Starts the built program on a data folder, on free ports. */
export async function startTaximeter(folder: string, env: Record<string, string> = {}): Promise<RunningTaximeter> {
  const [port, otlpPort, grpcPort] = [await freePort(), await freePort(), await freePort()];
  const api = `http://127.0.0.1:${port}`;
  const settings = Object.entries({ TAXIMETER_LOG: 'warn', ...env }).map(([name, value]) => `${name}=${value}`);
  const args = [
    ...settings,
    process.execPath,
    bin,
    'serve',
    '--data',
    folder,
    '--port',
    String(port),
    '--otlp-port',
    String(otlpPort),
    '--envoy-port',
    'off',
    '--otlp-grpc-port',
    String(grpcPort),
  ];
  const server = await startChild({
    command: 'env',
    args,
    cwd: repository,
    stopSignal: 'SIGTERM',
    isReady: async () => (await fetch(`${api}/readyz`).catch(() => null))?.ok === true,
  });
  const { token } = JSON.parse(readFileSync(join(folder, 'server.json'), 'utf8')) as { token: string };
  return {
    ...server,
    api,
    otlp: `http://127.0.0.1:${otlpPort}`,
    otlpGrpc: `http://127.0.0.1:${grpcPort}`,
    folder,
    localToken: token,
  };
}
