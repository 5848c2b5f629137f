import { appendFileSync, cpSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expressMiddleware, type Loss, Taximeter } from '../../sdk/src/index.ts';
import { ensureBuiltSdk } from '../support/built-sdk.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { startMeasured } from '../support/measured-program.ts';
import { tempFolder } from '../support/temp-folder.ts';

const NOBODY = 'http://127.0.0.1:9';

let house: ListeningHouse;
const folder = tempFolder('sdk-outbox');
beforeAll(async () => {
  ensureBuiltSdk();
  house = await openListeningHouse(1 << 24);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

async function callsOf(tenant: string): Promise<number> {
  await house.house.collector.settle();
  const [row] = await house.house.store.columns.query<{ n: string }>(
    'SELECT sum(sign * is_call) AS n FROM work WHERE tenant = {tenant:String}',
    { tenant },
  );
  return Number(row?.n ?? 0);
}

/** Runs the program, asks it so often, and kills it. */
async function runAndKill(outbox: string, otlpUrl: string, tenant: string, calls: number): Promise<void> {
  const child = await startMeasured({
    otlpUrl,
    outbox: { folder: outbox, sendEveryMs: 50, backoff: { baseMs: 50, mostMs: 100 }, fileBytes: 4_000 },
  });
  for (let i = 0; i < calls; i++) await child.call('/things', tenant);
  await child.ready();
  await child.kill();
}

/** Opens what a program left, as its next start does, and delivers it. */
async function deliver(outbox: string, otlpUrl: string, losses: Loss[] = []): Promise<number> {
  const taximeter = new Taximeter({
    service: 'killed',
    otlpUrl,
    outbox: { folder: outbox },
    onLoss: (loss) => losses.push(loss),
  });
  expect(await taximeter.close(20_000)).toBe(true);
  return taximeter.counts.delivered;
}

const filesIn = (path: string) =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.spans'));

describe('a program that is killed', () => {
  it('loses nothing of what it did while Taximeter was away, and nothing counts twice', async () => {
    const outbox = join(folder.path, 'away');
    await runAndKill(outbox, NOBODY, 'away', 60);
    await runAndKill(outbox, NOBODY, 'away', 40);
    cpSync(outbox, join(folder.path, 'copy'), { recursive: true });
    await house.listening(async ({ otlp }) => {
      expect(await deliver(outbox, `http://127.0.0.1:${otlp}`)).toBe(100);
      expect(await callsOf('away')).toBe(100);
      expect(filesIn(outbox)).toEqual([]);
      // As after an answer that was lost: everything is sent once more.
      expect(await deliver(join(folder.path, 'copy'), `http://127.0.0.1:${otlp}`)).toBe(100);
      expect(await callsOf('away')).toBe(100);
    });
  });

  it('loses nothing when it is killed while it delivers', async () => {
    const outbox = join(folder.path, 'delivering');
    await house.listening(async ({ otlp }) => {
      const url = `http://127.0.0.1:${otlp}`;
      for (let run = 0; run < 2; run++) await runAndKill(outbox, url, 'delivering', 150);
      await deliver(outbox, url);
      expect(await callsOf('delivering')).toBe(300);
    });
  });

  it('delivers what stands before a torn end', async () => {
    const outbox = join(folder.path, 'torn');
    await runAndKill(outbox, NOBODY, 'torn', 5);
    const last = filesIn(outbox).sort().at(-1)!;
    appendFileSync(join(outbox, last), Buffer.from('TXM1 and then the power was gone'));
    const losses: Loss[] = [];
    await house.listening(async ({ otlp }) => {
      expect(await deliver(outbox, `http://127.0.0.1:${otlp}`, losses)).toBe(5);
    });
    expect(losses.map(({ reason, spans }) => [reason, spans])).toEqual([['damaged', null]]);
    expect(await callsOf('torn')).toBe(5);
  });
});

describe('delivery', () => {
  type Said = { readonly status: number; readonly headers?: Record<string, string> } | 'cut';

  /** A receiver that says what it is told to, and then 200. */
  async function receiver(script: Said[], test: (url: string, sizes: number[]) => Promise<void>): Promise<void> {
    const sizes: number[] = [];
    const server = createServer(async (request, response) => {
      let size = 0;
      for await (const chunk of request) size += (chunk as Buffer).length;
      sizes.push(size);
      const said = script.shift() ?? { status: 200 };
      if (said === 'cut') return void request.socket.destroy();
      response.writeHead(said.status, said.headers).end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      await test(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, sizes);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  /** A taximeter that has seen so many calls. */
  async function measured(calls: number, name: string, otlpUrl: string, fileBytes: number) {
    const [losses, problems]: [Loss[], string[]] = [[], []];
    const taximeter = new Taximeter({
      service: 'app',
      otlpUrl,
      measure: { outbound: false },
      outbox: { folder: join(folder.path, name), fileBytes, backoff: { baseMs: 1, mostMs: 2 }, sendEveryMs: 60_000 },
      onLoss: (loss) => losses.push(loss),
      onProblem: (problem) => problems.push(problem),
    });
    const middleware = expressMiddleware(taximeter);
    const app = createServer((request, response) => middleware(request, response, () => response.end('ok')));
    await new Promise<void>((done) => app.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
    for (let i = 0; i < calls; i++) await (await fetch(url)).text();
    app.closeAllConnections();
    app.close();
    return { taximeter, losses, problems };
  }

  it.each<[string, Said[], { delivered: number; lost: number; requests: number; problems: number }]>([
    ['at once', [], { delivered: 3, lost: 0, requests: 1, problems: 0 }],
    [
      'again when it is told later',
      [{ status: 503 }, { status: 429 }],
      { delivered: 3, lost: 0, requests: 3, problems: 2 },
    ],
    ['again when the answer is lost', ['cut', 'cut'], { delivered: 3, lost: 0, requests: 3, problems: 2 }],
    ['again when its token is wrong', [{ status: 401 }], { delivered: 3, lost: 0, requests: 2, problems: 1 }],
    [
      'never what is refused for good; that is told',
      [{ status: 400 }],
      { delivered: 0, lost: 3, requests: 1, problems: 0 },
    ],
  ])('%s', async (name, script, { delivered, lost, requests, problems }) => {
    await receiver(script, async (url, sizes) => {
      const run = await measured(3, name.replaceAll(/\W/g, ''), url, 1 << 20);
      expect(await run.taximeter.close()).toBe(true);
      expect(run.taximeter.counts).toMatchObject({ calls: 3, delivered, lost, outboxBytes: 0 });
      expect(new Set(sizes).size).toBe(1);
      expect([sizes.length, run.problems.length]).toEqual([requests, problems]);
      expect(run.losses).toEqual(lost === 0 ? [] : [{ reason: 'refused', spans: 3, detail: 'Taximeter answered 400' }]);
    });
  });

  it('waits as long as it is told', async () => {
    await receiver([{ status: 503, headers: { 'retry-after': '3600' } }], async (url, sizes) => {
      const run = await measured(1, 'later', url, 1 << 20);
      // It comes back at once: nothing may be sent within that time.
      expect(await run.taximeter.close(10_000)).toBe(false);
      expect(sizes).toHaveLength(1);
      expect(run.taximeter.counts.outboxBytes).toBeGreaterThan(0);
      expect(await deliver(join(folder.path, 'later'), url)).toBe(1);
    });
  });
});
