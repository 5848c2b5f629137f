import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clickhouse } from './available.ts';
import { type ChildServer, freePort, startChild } from './child-server.ts';
import { type ClusterShape, clickhouseConfig } from './clickhouse-config.ts';
import { tempFolder } from './temp-folder.ts';

/** A real ClickHouse server of one test. */
export interface ClickHouseServer extends ChildServer {
  readonly httpUrl: string;
  readonly httpPort: number;
  readonly tcpPort: number;
}

/** Give folder and ports of an earlier server to start it again with its data; a given folder is not removed on stop. */
export interface ClickHouseOptions {
  readonly folder?: string;
  readonly httpPort?: number;
  readonly tcpPort?: number;
  readonly cluster?: ClusterShape;
}

/**
 * Starts a ClickHouse server from the library that the embedded engine brings: the same version, no container.
 *
 * Gives  the server once it answers /ping; user `default` without password, loopback only.
 * Fails  where cc or the library is missing; ask `clickhouse()` of available.ts first.
 */
export async function startClickHouse(options: ClickHouseOptions = {}): Promise<ClickHouseServer> {
  const own = options.folder === undefined ? tempFolder('clickhouse') : undefined;
  const folder = options.folder ?? own!.path;
  const httpPort = options.httpPort ?? (await freePort());
  const tcpPort = options.tcpPort ?? (await freePort());
  const launch = prepare(folder, options.cluster);
  const httpUrl = `http://127.0.0.1:${httpPort}`;
  const child = await startChild({
    command: launch.launcher,
    args: [launch.library, ...serverArguments(folder, httpPort, tcpPort)],
    cwd: folder,
    stopSignal: 'SIGTERM',
    isReady: () => answersPing(httpUrl),
  }).catch((cause: unknown) => {
    own?.remove();
    throw cause;
  });
  const afterwards = (end: () => Promise<void>) => () => end().finally(() => own?.remove());
  return { httpUrl, httpPort, tcpPort, pid: child.pid, stop: afterwards(child.stop), kill: afterwards(child.kill) };
}

/** Two servers that form the cluster `shards`, one shard each; without Keeper, so tables are made on each of them. */
export async function startClickHouseCluster(name = 'shards'): Promise<readonly [ClickHouseServer, ClickHouseServer]> {
  const shards = [{ tcpPort: await freePort() }, { tcpPort: await freePort() }] as const;
  const first = await startClickHouse({ tcpPort: shards[0].tcpPort, cluster: { name, shards, own: 0 } });
  const second = await startClickHouse({ tcpPort: shards[1].tcpPort, cluster: { name, shards, own: 1 } });
  return [first, second];
}

function prepare(folder: string, cluster: ClusterShape | undefined): { launcher: string; library: string } {
  const { found, reason } = clickhouse();
  if (!found) throw new Error(reason);
  mkdirSync(folder, { recursive: true });
  const launcher = join(folder, 'launcher');
  const source = fileURLToPath(new URL('clickhouse-launcher.c', import.meta.url));
  execFileSync(found.compiler, [source, '-o', launcher, '-ldl'], { stdio: ['ignore', 'ignore', 'inherit'] });
  writeFileSync(join(folder, 'config.xml'), clickhouseConfig(cluster));
  return { launcher, library: found.library };
}

/** `clickhouse local` serves for as long as its query runs; the short sleeps are how soon it notices SIGTERM. */
function serverArguments(folder: string, httpPort: number, tcpPort: number): string[] {
  const query = `system start listen http; system start listen tcp;
    select sleepEachRow(0.1) from numbers(100000000) settings max_block_size = 1, max_threads = 1 format Null`;
  return [
    ...['--path', join(folder, 'data'), '--config-file', join(folder, 'config.xml')],
    ...['--listen_host=127.0.0.1', `--http_port=${httpPort}`, `--tcp_port=${tcpPort}`],
    ...['--multiquery', '--query', query],
  ];
}

async function answersPing(httpUrl: string): Promise<boolean> {
  try {
    const answer = await fetch(`${httpUrl}/ping`, { signal: AbortSignal.timeout(2_000) });
    return (await answer.text()).startsWith('Ok');
  } catch {
    return false;
  }
}
