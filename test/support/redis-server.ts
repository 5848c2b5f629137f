import { execFileSync } from 'node:child_process';
import { createClient } from '@redis/client';
import { inPath, redis } from './available.ts';
import { type ChildServer, freePort, startChild } from './child-server.ts';
import { tempFolder } from './temp-folder.ts';

/** A real Redis, or Valkey, of one test. */
export interface RedisServer extends ChildServer {
  readonly url: string;
  readonly port: number;
  /** Runs one command on it. */
  command(...args: string[]): Promise<unknown>;
}

/** Starts a server in a folder of its own on a free loopback port. Takes  args: besides, such as `--replicaof 127.0.0.1 1`. */
export async function startRedis(...args: string[]): Promise<RedisServer> {
  const { found: program, reason } = redis();
  if (program === undefined) throw new Error(reason);
  const folder = tempFolder('redis');
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const command = async (...words: string[]) => {
    const client = createClient({ url, socket: { reconnectStrategy: false } });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.sendCommand(words);
    } finally {
      client.destroy();
    }
  };
  const child = await startChild({
    command: program,
    args: [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder.path,
      ...args,
    ],
    cwd: folder.path,
    stopSignal: 'SIGTERM',
    isReady: () =>
      command('PING').then(
        () => true,
        () => false,
      ),
  }).catch((cause: unknown) => {
    folder.remove();
    throw cause;
  });
  const afterwards = (end: () => Promise<void>) => () => end().finally(() => folder.remove());
  return { url, port, pid: child.pid, command, stop: afterwards(child.stop), kill: afterwards(child.kill) };
}

/** Starts a cluster of three, each with a third of the slots. Gives  their addresses with commas between them. */
export async function startRedisCluster(): Promise<{ readonly nodes: readonly RedisServer[]; readonly url: string }> {
  const nodes: RedisServer[] = [];
  while (nodes.length < 3) {
    const busPort = await freePort();
    nodes.push(
      await startRedis('--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '2000'),
    );
  }
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const cli = inPath('redis-cli') ?? inPath('valkey-cli')!;
  execFileSync(cli, ['--cluster', 'create', ...addresses, '--cluster-yes'], { stdio: 'ignore' });
  const url = nodes.map((node) => node.url).join(',');
  for (;;) {
    const states = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'INFO')));
    if (states.every((state) => String(state).includes('cluster_state:ok'))) return { nodes, url };
    await new Promise((done) => setTimeout(done, 20));
  }
}
