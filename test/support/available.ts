import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';

/** Either what a test needs, or the reason why this machine does not have it. */
export type Available<Found> =
  | { readonly found: Found; readonly reason?: undefined }
  | { readonly reason: string; readonly found?: undefined };

const MISSING = { found: undefined };

/**
 * The one place that decides between run, skip and fail: a machine of a contributor may lack a program, CI may not.
 *
 * Takes  found: undefined when it is missing. reason: what is missing, for people.
 * Fails  in CI, where a skipped test would look like a passed one.
 */
export function available<Found>(found: Found | undefined, reason: string): Available<Found> {
  if (found !== undefined) return { found };
  if (process.env.CI) throw new Error(`CI must have everything that the tests need: ${reason}`);
  return { reason };
}

/** A describe block that runs with what was found, or prints why it is skipped. */
export function describeWith<Found>(what: Available<Found>, name: string, body: (found: Found) => void): void {
  if (what.reason === undefined) {
    describe(name, () => body(what.found));
    return;
  }
  console.warn(`skipped: ${name}: ${what.reason}`);
  describe.skip(`${name} (${what.reason})`, () => body(MISSING as Found));
}

/** The C compiler, which builds the launcher of the ClickHouse server. */
export const cc = () => available(inPath('cc') ?? inPath('gcc'), 'no C compiler (apt-get install gcc)');

/** The browser of the browser tests. */
export const chromium = () =>
  available(inPath('chromium') ?? inPath('chromium-browser') ?? inPath('google-chrome'), 'no chromium in PATH');

/** A second opinion on access logs. */
export const goaccess = () => available(inPath('goaccess'), 'no goaccess in PATH');

/** A server that writes access logs; Debian puts it where only root's PATH leads. */
export const nginx = () => {
  const inDebian = '/usr/sbin/nginx';
  return available(
    inPath('nginx') ?? (isExecutable(inDebian) ? inDebian : undefined),
    'no nginx (apt-get install nginx)',
  );
};

/** A gateway with Lua. */
export const haproxy = () => {
  const inDebian = '/usr/sbin/haproxy';
  return available(inPath('haproxy') ?? (isExecutable(inDebian) ? inDebian : undefined), 'no haproxy in PATH');
};

/** A server of Redis or of Valkey, whichever is there. */
export const redis = () =>
  available(inPath('redis-server') ?? inPath('valkey-server'), 'no redis-server (apt-get install redis-server)');

/** The folder of PostgreSQL's programs, the newest version that Debian installed, or the one in PATH. */
export const postgres = () => available(postgresBin(), 'no PostgreSQL server (apt-get install postgresql)');

/** The shared library that holds all of ClickHouse. */
const libchdb = () => available(libchdbPath(), `no libchdb for ${process.platform} ${process.arch}`);

/** What a ClickHouse server for tests is made of. */
export function clickhouse(): Available<{ library: string; compiler: string }> {
  const library = libchdb();
  const compiler = cc();
  if (library.reason !== undefined) return library;
  if (compiler.reason !== undefined) return compiler;
  return { found: { library: library.found, compiler: compiler.found } };
}

/** Full path of a program in PATH. */
export function inPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function postgresBin(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).filter((name) => /^\d+$/.test(name)) : [];
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'));
  const inDebian = newestFirst.find((folder) => isExecutable(join(folder, 'initdb')));
  return inDebian ?? inPath('initdb')?.replace(/\/initdb$/, '');
}

function libchdbPath(): string | undefined {
  const near = createRequire(import.meta.url);
  try {
    const manifest = `@chdb/lib-${process.platform}-${process.arch}-gnu/package.json`;
    return near.resolve(manifest).replace(/package\.json$/, 'libchdb.so');
  } catch {
    return undefined;
  }
}
