import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureBuiltSdk } from '../support/built-sdk.ts';
import { startMeasured } from '../support/measured-program.ts';
import { tempFolder } from '../support/temp-folder.ts';

const NOBODY = 'http://127.0.0.1:9';
const folder = tempFolder('sdk-process');
let built: string;
/** Takes spans, and answers with this status. */
let receiver: Server;
let url: string;
let status: number;
let runs = 0;

beforeAll(async () => {
  built = ensureBuiltSdk();
  receiver = createServer(async (request, response) => {
    for await (const _ of request);
    response.writeHead(status).end();
  });
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
});
afterAll(() => {
  receiver.closeAllConnections();
  receiver.close();
  folder.remove();
});
beforeEach(() => {
  status = 200;
});

const newOutbox = () => join(folder.path, String(++runs));
const quick = { sendEveryMs: 20, backoff: { baseMs: 10, mostMs: 20 } };

/** What the next program that opens a folder finds there. */
async function leftIn(outbox: string): Promise<number> {
  const next = await startMeasured({ otlpUrl: url, outbox: { folder: outbox } });
  const { delivered } = await next.close();
  await next.kill();
  return delivered;
}

describe('a program', () => {
  it.each([
    ['worker', 1],
    ['main', 0],
  ])('sends in a thread of its own, or in its own: %s', async (sendsIn, threads) => {
    const child = await startMeasured({ otlpUrl: url, outbox: { folder: newOutbox(), ...quick, sendsIn } });
    for (let i = 0; i < 5; i++) expect(await child.call('/things')).toBe(200);
    expect(await child.close()).toMatchObject({ calls: 5, delivered: 5, threads, problems: [] });
    await child.kill();
  });

  it('whose thread ends sends by itself, and loses nothing', async () => {
    const child = await startMeasured({ otlpUrl: url, outbox: { folder: newOutbox(), ...quick }, endsThread: true });
    for (let i = 0; i < 5; i++) await child.call('/things');
    const { problems, ...counts } = await child.close();
    expect(counts).toMatchObject({ calls: 5, delivered: 5, threads: 1, losses: [] });
    expect(problems[0]).toContain('sent in the thread of the program');
    await child.kill();
  });

  it('that is started with something that measures, too, starts no thread in a thread', async () => {
    const preload = join(folder.path, 'preload.mjs');
    writeFileSync(
      preload,
      `import { Taximeter } from ${JSON.stringify(built)};
      const taximeter = new Taximeter({ service: 'preloaded', otlpUrl: ${JSON.stringify(url)}, outbox: { folder: ${JSON.stringify(newOutbox())} } });
      process.stderr.write('loaded');`,
    );
    const child = await startMeasured(
      { otlpUrl: url, outbox: { folder: newOutbox(), ...quick } },
      { env: { NODE_OPTIONS: `--import=${preload}` } },
    );
    await child.call('/things');
    expect(await child.close()).toMatchObject({ delivered: 1, threads: 1 });
    await child.kill();
    expect(child.words().match(/loaded/g)).toHaveLength(1);
  });

  it.each([
    ['/exit', 0],
    ['/throw', 1],
  ])('that ends in the turn in which a call ends leaves it to the next one: %s', async (path, code) => {
    const outbox = newOutbox();
    const child = await startMeasured({ otlpUrl: NOBODY, outbox: { folder: outbox, sendEveryMs: 60_000 } });
    expect(await child.call('/things')).toBe(200);
    // What is being written while a program ends is there twice, and would be delivered twice.
    await child.ready();
    await child.call(path).catch(() => 'cut off');
    expect(await child.ended).toBe(code);
    expect(await leftIn(outbox)).toBe(2);
  });

  it('has the same package by import and by require', () => {
    const script = `const one = require(${JSON.stringify(built)});
      import(${JSON.stringify(built)}).then((other) => console.log(one.Taximeter === other.Taximeter, typeof one.politeFetch))`;
    expect(String(execFileSync(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })).trim()).toBe(
      'true function',
    );
  });
});

describe('several programs', () => {
  it('that start at once share what others left: each file is taken by one', async () => {
    const outbox = newOutbox();
    for (let i = 0; i < 3; i++) {
      const child = await startMeasured({ otlpUrl: NOBODY, outbox: { folder: outbox, sendEveryMs: 60_000 } });
      for (let call = 0; call < 4; call++) await child.call('/things');
      await child.ready();
      await child.kill();
    }
    const [name = ''] = readdirSync(outbox);
    // Of many that have ended long ago nothing is left but their folders.
    for (let i = 0; i < 300; i++) mkdirSync(join(outbox, name.replace(/\.\w{12}$/, `.${String(i).padStart(12, '0')}`)));
    const children = await Promise.all(
      Array.from({ length: 4 }, () => startMeasured({ otlpUrl: url, outbox: { folder: outbox } })),
    );
    const counts = await Promise.all(children.map((child) => child.close()));
    await Promise.all(children.map((child) => child.kill()));
    expect(counts.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(12);
    expect(counts.flatMap(({ losses, problems }) => [...losses, ...problems])).toEqual([]);
    expect(readdirSync(outbox)).toEqual([]);
  });
});

/** A mount of our own, which needs a user namespace or root. */
const canMount = (() => {
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', folder.path], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('skipped: disks that are full or read-only: no mounts can be made here');
    return false;
  }
})();

describe.skipIf(!canMount)('a disk', () => {
  const mounted = (options: string, outbox: string) => {
    mkdirSync(outbox);
    return ['unshare', '-rm', 'sh', '-c', `mount -t tmpfs -o ${options} tmpfs "${outbox}" && exec "$0" "$@"`];
  };

  it('that is full ends no call; what was taken is delivered, and what was not is counted', async () => {
    const outbox = newOutbox();
    const before = mounted('size=64k', outbox);
    status = 503;
    const child = await startMeasured(
      { otlpUrl: url, outbox: { folder: outbox, fileBytes: 10_000, ...quick } },
      { before },
    );
    const tenant = 'x'.repeat(250);
    while ((await child.counts()).lost === 0)
      for (let i = 0; i < 50; i++) expect(await child.call('/things', tenant)).toBe(200);
    status = 200;
    const { calls, delivered, lost, losses } = await child.close();
    expect(delivered).toBeGreaterThan(0);
    expect(delivered + lost).toBe(calls);
    expect(new Set(losses.map(({ reason }) => reason))).toEqual(new Set(['disk']));
    await child.kill();
  });

  it('that is read-only ends no call and no program', async () => {
    const outbox = newOutbox();
    const before = mounted('ro', outbox);
    const child = await startMeasured({ otlpUrl: url, outbox: { folder: outbox, ...quick } }, { before });
    for (let i = 0; i < 3; i++) expect(await child.call('/things')).toBe(200);
    await child.ready();
    expect(await child.close()).toMatchObject({ calls: 3, delivered: 0, lost: 3 });
    await child.kill();
  });
});
