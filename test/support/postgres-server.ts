import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type Available, postgres } from './available.ts';
import { type ChildServer, freePort, startChild } from './child-server.ts';
import { tempFolder } from './temp-folder.ts';

/** A real PostgreSQL server of one test. */
export interface PostgresServer extends ChildServer {
  /** postgres://taximeter@127.0.0.1:PORT/postgres, trusted without a password. */
  readonly url: string;
  readonly port: number;
  /** The folder of its unix socket. */
  readonly socketFolder: string;
}

interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** Says whether this machine can start one. Fails in CI when it cannot. */
export const postgresAvailable = (): Available<string> => postgres();

/**
 * Starts PostgreSQL in a folder of its own on a free loopback port.
 *
 * Gives  the server once it answers a query; stop() and kill() also remove its folder.
 * Fails  where PostgreSQL is not installed; ask `postgresAvailable()` first.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const { found: bin, reason } = postgres();
  if (bin === undefined) throw new Error(reason);
  const folder = tempFolder('postgres');
  const user = unprivilegedUser();
  if (user) chownSync(folder.path, user.uid, user.gid);
  initialise(join(bin, 'initdb'), folder.path, user);
  const port = await freePort();
  const url = `postgres://taximeter@127.0.0.1:${port}/postgres`;
  const child = await startChild({
    command: join(bin, 'postgres'),
    args: serverArguments(folder.path, port),
    cwd: folder.path,
    user,
    stopSignal: 'SIGINT',
    isReady: () => answersQuery(url),
  }).catch((cause: unknown) => {
    folder.remove();
    throw cause;
  });
  const afterwards = (end: () => Promise<void>) => () => end().finally(() => folder.remove());
  const end = { stop: afterwards(child.stop), kill: afterwards(child.kill) };
  return { url, port, socketFolder: folder.path, pid: child.pid, ...end };
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const user = idsOf('postgres') ?? idsOf('nobody');
  if (!user) throw new Error('neither user postgres nor nobody exists');
  return user;
}

function idsOf(name: string): SystemUser | undefined {
  const ask = (flag: string) => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: ask('-u'), gid: ask('-g') };
  } catch {
    return undefined;
  }
}

function initialise(initdb: string, folder: string, user: SystemUser | undefined): void {
  const args = ['-D', join(folder, 'data'), '-U', 'taximeter', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  execFileSync(initdb, args, { cwd: folder, ...user, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Durability of the database is its makers' business; without fsync a test takes seconds less. */
function serverArguments(folder: string, port: number): string[] {
  const settings = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'fsync=off',
    'max_connections=50',
  ];
  return ['-D', join(folder, 'data'), '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
}

async function answersQuery(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
