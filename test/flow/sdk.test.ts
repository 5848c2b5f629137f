import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Taximeter, type TaximeterOptions } from '../../sdk/src/index.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { type Handler, type MeasuredApp, measuredApps } from '../support/measured-apps.ts';
import { tempFolder } from '../support/temp-folder.ts';

let house: ListeningHouse;
const folder = tempFolder('sdk');
beforeAll(async () => {
  house = await openListeningHouse(1 << 24);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

const ok: Handler = async () => ({ status: 200, body: 'ok' });
const frameworks = Object.keys(measuredApps);
let runs = 0;

interface Run {
  readonly taximeter: Taximeter;
  readonly app: MeasuredApp;
  readonly api: string;
  readonly problems: string[];
  /** Delivers, and reads the work rows of this run. */
  rows(): Promise<Row[]>;
}

interface Row {
  readonly tenant: string;
  readonly endpoint: string;
  readonly kind: number;
  readonly status: number;
  readonly peer: string;
  readonly trace: string;
  readonly bytes_in: string | null;
  readonly bytes_out: string | null;
  readonly cpu_us: string | null;
  readonly retries: string | null;
  readonly is_call: number;
  readonly ext_calls: number;
  readonly is_retry: number;
}

/** Runs a test with an app of a framework that a real Taximeter listens to. */
async function run(
  framework: string,
  handler: Handler,
  set: Partial<TaximeterOptions>,
  test: (run: Run) => Promise<void>,
): Promise<void> {
  const service = `service-${++runs}`;
  await house.listening(async (ports) => {
    const api = `http://127.0.0.1:${ports.api}`;
    const problems: string[] = [];
    const taximeter = new Taximeter({
      service,
      url: api,
      otlpUrl: `http://127.0.0.1:${ports.otlp}`,
      tenant: 'x-tenant',
      outbox: { folder: `${folder.path}/${service}` },
      // The tests' own requests run in the same process.
      measure: { outbound: false },
      onProblem: (message) => problems.push(message),
      ...set,
    });
    const app = await measuredApps[framework]!(taximeter, handler);
    try {
      await test({ taximeter, app, api, problems, rows: () => rowsOf(taximeter, service) });
    } finally {
      await app.close();
      await taximeter.close();
    }
  });
}

async function rowsOf(taximeter: Taximeter, service: string): Promise<Row[]> {
  expect(await taximeter.flush()).toBe(true);
  await house.house.collector.settle();
  const rows = await house.house.store.columns.query<Row>(
    `SELECT tenant, endpoint, kind, status, peer, lower(hex(trace_id)) AS trace, bytes_in, bytes_out, cpu_us, retries, is_call, ext_calls, is_retry
      FROM work WHERE service = {service:String}
      GROUP BY tenant, endpoint, kind, status, peer, trace_id, span_id, start_at, bytes_in, bytes_out, cpu_us, retries, is_call, ext_calls, is_retry
      HAVING sum(sign) > 0 ORDER BY start_at`,
    { service },
  );
  return rows.filter(({ kind, tenant }) => kind !== 3 || tenant !== '');
}

async function apply(api: string, name: string, limits: string): Promise<void> {
  const document = `apiVersion: taximeter/v1\nkind: LimitPolicy\nmetadata: { name: ${name} }\nspec:\n  per: [tenant]\n  match: { tenants: ['${name}*'] }\n  limits: [${limits}]\n`;
  const answer = await fetch(`${api}/api/v1/documents`, { method: 'POST', body: document });
  expect([answer.status, await answer.text()]).toEqual([200, expect.anything()]);
}

const as = (tenant: string) => ({ headers: { 'x-tenant': tenant } });

describe.each(frameworks)('%s', (framework) => {
  it('tells of each call once: who, which route, which status', async () => {
    await run(framework, ok, {}, async ({ app, rows, taximeter }) => {
      for (const id of ['1', '2', '3']) await (await fetch(`${app.url}/users/${id}`, as('acme'))).text();
      await (await fetch(`${app.url}/echo`, { method: 'POST', body: 'hello', ...as('globex') })).text();
      expect((await fetch(`${app.url}/users/9?token=secret`)).status).toBe(200);
      const told = (await rows()).map(({ tenant, endpoint, status, is_call }) => [tenant, endpoint, status, is_call]);
      expect(told).toEqual([
        ...Array(3).fill(['acme', 'GET /users/:id', 200, 1]),
        ['globex', 'POST /echo', 200, 1],
        ['(unknown)', 'GET /users/:id', 200, 1],
      ]);
      expect(taximeter.counts).toMatchObject({ calls: 5, delivered: 5, rejected: 0, lost: 0, outboxBytes: 0 });
    });
  });

  it('tells of a handler that throws by what its caller got', async () => {
    const throwing: Handler = async () => {
      throw Object.assign(new Error('out of stock'), { expose: false });
    };
    await run(framework, throwing, {}, async ({ app, rows, taximeter }) => {
      // Hono and Koa write the error down.
      const silent = vi.spyOn(console, 'error').mockImplementation(() => {});
      expect((await fetch(`${app.url}/users/1`, as('acme'))).status).toBe(500);
      silent.mockRestore();
      expect((await rows()).map(({ tenant, endpoint, status }) => [tenant, endpoint, status])).toEqual([
        ['acme', 'GET /users/:id', 500],
      ]);
      expect(taximeter.counts).toMatchObject({ calls: 1, delivered: 1 });
    });
  });

  it('counts the bytes of each call on a connection that is kept, to the last one', async () => {
    await run(framework, ok, {}, async ({ app, rows }) => {
      const requests = [
        'GET /users/1 HTTP/1.1\r\nHost: a\r\nx-tenant: acme\r\n\r\n',
        `POST /echo HTTP/1.1\r\nHost: a\r\ncontent-type: text/plain\r\ncontent-length: 5000\r\n\r\n${'x'.repeat(5_000)}`,
        'GET /users/22 HTTP/1.1\r\nHost: a\r\n\r\n',
        'GET /none HTTP/1.1\r\nHost: a\r\n\r\n',
      ];
      const sizes = await exchange(app.port, requests);
      const told = (await rows()).map(({ bytes_in, bytes_out }) => [Number(bytes_in), Number(bytes_out)]);
      expect(told).toEqual(requests.map((request, place) => [request.length, sizes[place]]));
    });
  });

  it('lets nobody pass beyond a limit, and says why', async () => {
    let handled = 0;
    const counting: Handler = async () => {
      handled += 1;
      return { status: 200, body: 'ok' };
    };
    await run(
      framework,
      counting,
      { limits: { onFailure: 'closed', timeoutMs: 5_000 } },
      async ({ app, api, rows, taximeter }) => {
        const tenant = `limited-${framework}`;
        await apply(api, tenant, '{ id: day, amount: 2, window: { calendar: day } }');
        const answers: Response[] = [];
        for (let i = 0; i < 3; i++) answers.push(await fetch(`${app.url}/users/${i}`, as(tenant)));
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
        expect(answers.map(({ headers }) => headers.get('ratelimit')?.replace(/t=\d+/, 't=T'))).toEqual(
          ['1', '0', '0'].map((left) => `"${tenant}.day";r=${left};t=T`),
        );
        const denied = answers[2]!;
        expect(denied.headers.get('content-type')).toContain('application/problem+json');
        expect(Number(denied.headers.get('retry-after'))).toBeGreaterThan(0);
        const problem = (await denied.json()) as object;
        expect(problem).toMatchObject({ status: 429, 'violated-policies': [`${tenant}.day`] });
        expect(problem).not.toHaveProperty('decision');
        expect(handled).toBe(2);
        expect((await rows()).map(({ tenant: who, endpoint, status }) => [who, endpoint, status])).toEqual(
          [200, 200, 429].map((status) => [tenant, 'GET /users/:id', status]),
        );
        expect(taximeter.limitCounts).toMatchObject({ allowed: 2, denied: 1, failedClosed: 0 });
      },
    );
  });

  it('passes no name on that could be more than a name', async () => {
    const tenant = (request: { url?: string | undefined }) =>
      decodeURIComponent((request.url ?? '').split('t=')[1] ?? '');
    await run(framework, ok, { tenant, limits: { onFailure: 'open' } }, async ({ app, taximeter }) => {
      for (const name of ['a%0d%0aSet-Cookie:%20b=c', 'a%00b', 'b'.repeat(513)]) {
        const answer = await fetch(`${app.url}/users/1?t=${name}`);
        expect([answer.status, answer.headers.get('set-cookie')]).toEqual([400, null]);
      }
      expect(taximeter.limitCounts).toMatchObject({ allowed: 0, denied: 3, failedOpen: 0 });
    });
  });

  it('holds what a call may cost, and takes what it did', async () => {
    const spending: Handler = async ({ path, response }) => {
      if (path === '/users/2') taximeterOf!.callOf(response)!.units = 2;
      return { status: path === '/users/5' ? 500 : 200, body: 'ok' };
    };
    let taximeterOf: Taximeter | null = null;
    const limits = { mode: 'reserve', onFailure: 'closed', timeoutMs: 5_000, ask: () => ({ cost: 5 }) } as const;
    await run(framework, spending, { limits }, async ({ app, api, taximeter, rows }) => {
      taximeterOf = taximeter;
      const tenant = `held-${framework}`;
      await apply(api, tenant, '{ id: day, amount: 12, window: { calendar: day } }');
      const used = async () => {
        const answer = await fetch(`${api}/api/v1/limits?tenant=${tenant}`);
        return ((await answer.json()) as { limits: { before: number }[] }).limits[0]!.before;
      };
      for (const [id, status, after] of [
        [2, 200, 2],
        [5, 500, 2],
        [1, 200, 7],
        [3, 200, 12],
        [4, 429, 12],
      ] as const) {
        expect((await fetch(`${app.url}/users/${id}`, as(tenant))).status).toBe(status);
        // What the call really used is told behind its answer.
        await rows();
        await taximeter.settled();
        expect(await used()).toBe(after);
      }
      expect(taximeter.limitCounts?.unsettled).toBe(0);
    });
  });

  it.each(['open', 'closed'] as const)('fails %s while Taximeter is away', async (onFailure) => {
    const set = { url: 'http://127.0.0.1:9', limits: { onFailure } };
    await run(framework, ok, set, async ({ app, taximeter, problems, rows }) => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${app.url}/users/1`, as('acme'))));
      const status = onFailure === 'open' ? 200 : 503;
      expect(answers.map((each) => each.status)).toEqual(Array(20).fill(status));
      expect(answers[0]!.headers.get('retry-after')).toBe(onFailure === 'open' ? null : '1');
      expect(taximeter.limitCounts).toMatchObject({ [onFailure === 'open' ? 'failedOpen' : 'failedClosed']: 20 });
      expect(problems.length).toBeGreaterThan(0);
      expect((await rows()).map((row) => row.status)).toEqual(Array(20).fill(status));
    });
  });

  it('tells of calls to others, whose they are, and which are repeats', async () => {
    let asked = 0;
    const vendor = createServer((_, response) => {
      response.statusCode = ++asked === 1 ? 503 : 200;
      response.end('vendor');
    });
    await new Promise<void>((done) => vendor.listen(0, '127.0.0.1', done));
    const url = `http://localhost:${(vendor.address() as AddressInfo).port}/v1/things`;
    const calling: Handler = async ({ path }) => {
      await pause(1);
      for (let i = 0; i < (path === '/users/1' ? 2 : 0); i++) await (await fetch(url)).text();
      return { status: 200, body: 'ok' };
    };
    await run(framework, calling, { measure: { tracking: 'every' } }, async ({ app, rows }) => {
      await Promise.all([fetch(`${app.url}/users/1`, as('acme')), fetch(`${app.url}/users/2`, as('globex'))]);
      const all = await rows();
      const clients = all.filter(({ kind, tenant }) => kind === 3 && tenant === 'acme');
      expect(clients.map(({ status, peer, ext_calls, is_retry }) => [status, peer, ext_calls, is_retry])).toEqual([
        [503, 'localhost', 1, 0],
        [200, 'localhost', 1, 1],
      ]);
      const served = all.filter(({ is_call }) => is_call === 1);
      expect(served.map(({ tenant, retries }) => [tenant, retries]).sort()).toEqual([
        ['acme', '1'],
        ['globex', '0'],
      ]);
      expect(clients.every(({ trace }) => trace === served.find(({ tenant }) => tenant === 'acme')!.trace)).toBe(true);
    });
    vendor.closeAllConnections();
    await new Promise((done) => vendor.close(done));
  });
});

describe('a call', () => {
  it('is below the span of its caller, unless that is not followed', async () => {
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
    for (const [followsTrace, isSame] of [
      [true, true],
      [false, false],
    ] as const)
      await run('fastify', ok, { measure: { followsTrace } }, async ({ app, rows }) => {
        await fetch(`${app.url}/users/1`, { headers: { traceparent } });
        const [row] = await rows();
        expect([row!.trace === 'ab'.repeat(16), row!.is_call]).toEqual([isSame, 1]);
      });
  });

  it('whose caller goes away is told without a status, and gives back what was held for it', async () => {
    let arrived = () => {};
    const hasArrived = new Promise<void>((done) => (arrived = done));
    let goOn = () => {};
    const waiting: Handler = async () => {
      arrived();
      await new Promise<void>((done) => (goOn = done));
      return { status: 200, body: 'too late' };
    };
    const limits = { mode: 'reserve', onFailure: 'closed', timeoutMs: 5_000 } as const;
    await run('fastify', waiting, { limits }, async ({ app, api, rows, taximeter }) => {
      await apply(api, 'gone', '{ id: day, amount: 5, window: { calendar: day } }');
      const socket = connect(app.port, '127.0.0.1');
      socket.write('GET /users/1 HTTP/1.1\r\nHost: a\r\nx-tenant: gone\r\n\r\n');
      await hasArrived;
      socket.destroy();
      while (taximeter.counts.calls === 0) await pause(5);
      goOn();
      expect((await rows()).map(({ tenant, status }) => [tenant, status])).toEqual([['gone', 0]]);
      await taximeter.settled();
      const answer = await fetch(`${api}/api/v1/limits?tenant=gone`);
      expect(((await answer.json()) as { limits: { before: number }[] }).limits[0]!.before).toBe(0);
    });
  });

  it('has its own CPU time, and not that of others while it waits', async () => {
    const working: Handler = async ({ path }) => {
      for (let i = 0; i < 5; i++) {
        await pause(5);
        const began = performance.now();
        while (path === '/users/1' && performance.now() - began < 20);
      }
      return { status: 200, body: 'ok' };
    };
    await run('koa', working, { measure: { tracking: 'every' } }, async ({ app, rows }) => {
      await Promise.all(['1', '2', '3'].map((id) => fetch(`${app.url}/users/${id}`, as(`user-${id}`))));
      const cpu = new Map((await rows()).map(({ tenant, cpu_us }) => [tenant, Number(cpu_us)]));
      expect(cpu.get('user-1')).toBeGreaterThan(3 * (cpu.get('user-2')! + cpu.get('user-3')!));
    });
  });

  it('is followed through node:http, too', async () => {
    const vendor = createServer((_, response) => response.end('vendor'));
    await new Promise<void>((done) => vendor.listen(0, '127.0.0.1', done));
    const { port } = vendor.address() as AddressInfo;
    const { get } = await import('node:http');
    const calling: Handler = async () => {
      // Nobody listens for this answer: Node has to drop it, as it does without us.
      await new Promise((done) => get({ port, host: 'localhost', family: 4, agent: false }).once('close', done));
      await new Promise<void>((done) =>
        get({ port, host: 'localhost', family: 4 }, (answer) => answer.resume().once('end', done)),
      );
      return { status: 200, body: 'ok' };
    };
    await run('express', calling, { measure: { tracking: 'every' } }, async ({ app, rows, taximeter }) => {
      await (await fetch(`${app.url}/users/1`, as('acme'))).text();
      // The test's own request, and the one of the handler, whose connection closes behind the answer.
      while (taximeter.counts.outbound < 3) await pause(1);
      const clients = (await rows()).filter(({ kind, tenant }) => kind === 3 && tenant === 'acme');
      expect(clients.map(({ status, peer }) => [status, peer])).toEqual([
        [200, 'localhost'],
        [200, 'localhost'],
      ]);
    });
    await new Promise((done) => vendor.close(done));
  });
});

/** Sends requests one after the other over one connection. Gives  the bytes of each answer. */
async function exchange(port: number, requests: readonly string[]): Promise<number[]> {
  const socket = connect(port, '127.0.0.1');
  const sizes: number[] = [];
  let held = Buffer.alloc(0);
  for (const request of requests) {
    socket.write(request);
    for (;;) {
      const end = wholeAnswer(held);
      if (end > 0) {
        sizes.push(end);
        held = held.subarray(end);
        break;
      }
      held = Buffer.concat([held, await new Promise<Buffer>((done) => socket.once('data', done))]);
    }
  }
  socket.destroy();
  return sizes;
}

/** Where an answer ends; 0 while it has not. */
function wholeAnswer(bytes: Buffer): number {
  const head = bytes.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const text = bytes.toString('latin1', 0, head).toLowerCase();
  const length = /content-length: (\d+)/.exec(text)?.[1];
  if (length === undefined) throw new Error(`an answer without a length: ${text}`);
  const end = head + 4 + Number(length);
  return bytes.length >= end ? end : 0;
}
