import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expressMiddleware } from './middleware/express.ts';
import type { TaximeterOptions } from './options.ts';
import type { Loss } from './outbox/outbox.ts';
import { Taximeter } from './taximeter.ts';

let folder: string;
let servers: Server[];
/** What ended the program, had nobody listened. */
let deaths: string[];
const died = (cause: unknown) => deaths.push(String(cause));
/** So that an error of a listener is seen here, and not by the test runner. */
let others: Record<string, NodeJS.UncaughtExceptionListener[]>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taximeter-program-'));
  [servers, deaths] = [[], []];
  others = {};
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    others[event] = process.listeners(event as 'uncaughtException');
    process.removeAllListeners(event);
    process.on(event, died);
  }
});
afterEach(() => {
  for (const [event, listeners] of Object.entries(others)) {
    process.removeListener(event, died);
    for (const listener of listeners) process.on(event as 'uncaughtException', listener);
  }
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A Taximeter that keeps what it is sent, and answers as it is told. */
async function collector(status = 200): Promise<{ url: string; bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(Buffer.concat(chunks).toString('latin1'));
    response.writeHead(status).end();
  });
  return { url: await listening(server), bodies };
}

interface Program {
  readonly taximeter: Taximeter;
  readonly problems: string[];
  readonly get: () => Promise<number>;
}

/** A program that is measured. Takes  handle: what it does for a call before it answers. */
async function program(
  otlpUrl: string,
  set: object,
  handle: (taximeter: Taximeter, response: never) => unknown = () => {},
): Promise<Program> {
  const problems: string[] = [];
  const options = {
    service: 'app',
    otlpUrl,
    measure: { outbound: false },
    outbox: { folder, sendEveryMs: 60_000 },
    onProblem: (problem: string) => problems.push(problem),
    ...set,
  };
  const taximeter = new Taximeter(options as TaximeterOptions);
  const middleware = expressMiddleware(taximeter);
  const url = await listening(
    createServer((request, response) =>
      middleware(request, response, async () => {
        await handle(taximeter, response as never);
        response.end('ok');
      }),
    ),
  );
  const get = async () => {
    const { status } = await fetch(url, { headers: { connection: 'close' } });
    await turn();
    return status;
  };
  return { taximeter, problems, get };
}

/** Lets everything run that waits to, listeners and promises included. */
const turn = () => new Promise<void>((done) => setTimeout(done, 0));

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turn();
}

describe('what a program says of its calls does not end it', () => {
  test.each<[string, object, unknown]>([
    ['a tenant that is a number', { tenant: () => 42 }, undefined],
    ['a consumer that is a number', { consumer: () => 42 }, undefined],
    ['a tenant that a handler makes a number', {}, 42],
  ])('%s is told as a text', async (_, set, said) => {
    const { url, bodies } = await collector();
    const { taximeter, get } = await program(url, set, (of, response) => {
      if (said !== undefined) of.callOf(response)!.tenant = said as string;
    });
    expect(await get()).toBe(200);
    await until(() => deaths.length > 0 || taximeter.counts.calls === 1);
    expect(await taximeter.close()).toBe(true);
    expect([deaths, taximeter.counts.delivered]).toEqual([[], 1]);
    // A text of two bytes, as protobuf writes it.
    expect(bodies.join()).toContain('\n\u000242');
  });

  test.each<[string, unknown]>([
    ['one that cannot be a text', () => Object.create(null)],
    [
      'one whose function throws nothing at all',
      () => {
        throw null;
      },
    ],
  ])('a tenant: %s', async (_, tenant) => {
    const { url } = await collector();
    const { taximeter, problems, get } = await program(url, { tenant });
    expect(await get()).toBe(200);
    await until(() => deaths.length > 0 || taximeter.counts.calls === 1);
    expect(await taximeter.close()).toBe(true);
    expect([deaths, taximeter.counts.delivered]).toEqual([[], 1]);
    expect(problems.join()).toContain('tenant of a call cannot be told');
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('the log is full');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('the log is full'))],
  ])('an onLoss and an onProblem that %s', async (_, listener) => {
    const { url } = await collector(400);
    const tenant = () => {
      throw new Error('nobody');
    };
    const { taximeter, get } = await program(url, { tenant, onLoss: listener, onProblem: listener });
    expect(await get()).toBe(200);
    await until(() => deaths.length > 0 || taximeter.counts.calls === 1);
    expect(await taximeter.close()).toBe(true);
    await turn();
    expect([deaths, taximeter.counts.lost]).toEqual([[], 1]);
  });

  test('a tellsTraceTo that throws tells nobody', async () => {
    const { url, bodies } = await collector();
    const tellsTraceTo = () => {
      throw new Error('which host?');
    };
    const { taximeter, problems } = await program(url, { measure: { tellsTraceTo } });
    expect((await fetch(`${url}/others`, { method: 'POST', body: 'x' })).status).toBe(200);
    await turn();
    expect(await taximeter.close()).toBe(true);
    expect([deaths, bodies.length]).toEqual([[], 2]);
    expect(problems.join()).toContain('tellsTraceTo');
  });
});

describe('an outbox that cannot be written', () => {
  test('ends no call and no program; what is lost is counted, and told now and then', async () => {
    const { url } = await collector();
    const losses: Loss[] = [];
    const { taximeter, get } = await program(url, { onLoss: (loss: Loss) => losses.push(loss) });
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'in the way');
    for (let i = 0; i < 30; i++) expect(await get()).toBe(200);
    await until(() => taximeter.counts.lost === 30);
    expect(losses.map(({ reason }) => reason)).toEqual(['disk']);
    rmSync(folder);
    expect(await get()).toBe(200);
    await until(() => taximeter.counts.calls === 31);
    expect(await taximeter.close()).toBe(true);
    expect([deaths, taximeter.counts.delivered, taximeter.counts.lost]).toEqual([[], 1, 30]);
    expect(losses.reduce((sum, { spans }) => sum + spans!, 0)).toBe(30);
  });

  test('from the start ends no program either', async () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'in the way');
    const { taximeter, problems, get } = await program('http://127.0.0.1:9', {});
    expect(problems.join()).toContain('the outbox cannot be used');
    expect(await get()).toBe(200);
    await until(() => taximeter.counts.lost === 1);
    expect(await taximeter.close()).toBe(true);
    expect(deaths).toEqual([]);
  });
});

describe('a call', () => {
  test('that ends after the Taximeter was closed is told by the next one', async () => {
    const { url } = await collector();
    let goOn: (() => void) | null = null;
    const { taximeter, get } = await program(url, {}, () => new Promise<void>((done) => (goOn = done)));
    const got = get();
    await until(() => goOn !== null);
    expect(await taximeter.close()).toBe(true);
    goOn!();
    expect(await got).toBe(200);
    await until(() => taximeter.counts.calls === 1);
    const next = await program(url, {});
    expect(await next.taximeter.close()).toBe(true);
    expect([deaths, next.taximeter.counts.delivered]).toEqual([[], 1]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('over HTTP/2 is told without bytes', async () => {
    const { url, bodies } = await collector();
    const { taximeter } = await program(url, { tenant: 'x-tenant' });
    const middleware = expressMiddleware(taximeter);
    const server = createHttp2Server((request, response) =>
      middleware(request as never, response as never, () => response.end('ok')),
    );
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    for (const end of ['read', 'reset'] as const) {
      const stream = client.request({ ':path': '/a?b=c', 'x-tenant': 'acme' });
      if (end === 'reset') stream.once('response', () => stream.close());
      await new Promise((done) => stream.resume().once('close', done));
    }
    await until(() => taximeter.counts.calls === 2);
    client.close();
    server.close();
    expect(await taximeter.close()).toBe(true);
    expect([deaths, taximeter.counts.delivered]).toEqual([[], 2]);
    expect(bodies.join()).toContain('acme');
    expect(bodies.join()).not.toContain('bytes_in');
  });

  test('whose answer is streamed is told when the stream ends, also where its caller ends it', async () => {
    const { url } = await collector();
    const { taximeter } = await program(url, {});
    const middleware = expressMiddleware(taximeter);
    const served = await listening(
      createServer((request, response) => middleware(request, response, () => response.write('data: 1\n\n'))),
    );
    const controller = new AbortController();
    const answer = await fetch(served, { signal: controller.signal });
    await answer.body!.getReader().read();
    await turn();
    expect(taximeter.counts.calls).toBe(0);
    controller.abort();
    await until(() => taximeter.counts.calls === 1);
    expect(await taximeter.close()).toBe(true);
    expect([deaths, taximeter.counts.delivered]).toEqual([[], 1]);
  });

  test('that becomes a WebSocket is one call until its connection closes', async () => {
    const { url } = await collector();
    const { taximeter } = await program(url, {});
    const middleware = expressMiddleware(taximeter);
    const server = createServer();
    // As plugins do that pass upgrades through the routes of a framework.
    server.on('upgrade', (request, socket) => {
      const response = new ServerResponse(request);
      response.assignSocket(socket as never);
      socket.resume().once('end', () => socket.end());
      middleware(request, response, () => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    });
    const { port } = new URL(await listening(server));
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET /live HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    await new Promise((done) => socket.once('data', done));
    expect(taximeter.counts.calls).toBe(0);
    socket.destroy();
    await until(() => taximeter.counts.calls === 1);
    expect(await taximeter.close()).toBe(true);
    expect([deaths, taximeter.counts.delivered]).toEqual([[], 1]);
  });

  test('that is not of a connection has no bytes', async () => {
    const { url, bodies } = await collector();
    const { taximeter } = await program(url, {});
    const request = { method: 'GET', url: '/', headers: {}, rawHeaders: [], httpVersionMajor: 1, socket: {} } as never;
    const response = new ServerResponse(request);
    expressMiddleware(taximeter)(request, response, () => {});
    response.emit('close');
    await until(() => taximeter.counts.calls === 1);
    expect(await taximeter.close()).toBe(true);
    expect(bodies.join()).toContain('http.request.method');
    expect(bodies.join()).not.toContain('bytes_in');
  });

  test('measured twice in a program counts once', async () => {
    const { url } = await collector();
    const first = await program(url, {});
    const second = await program(url, { outbox: { folder, sendEveryMs: 60_000 } });
    const [outer, inner] = [first.taximeter, second.taximeter].map((each) => expressMiddleware(each));
    const served = await listening(
      createServer((request, response) =>
        outer!(request, response, () => inner!(request, response, () => response.end('ok'))),
      ),
    );
    await (await fetch(served, { headers: { connection: 'close' } })).text();
    await until(() => first.taximeter.counts.calls + second.taximeter.counts.calls > 0);
    await turn();
    expect([first.taximeter.counts.calls, second.taximeter.counts.calls]).toEqual([1, 0]);
    expect(await Promise.all([first.taximeter.close(), second.taximeter.close()])).toEqual([true, true]);
  });
});

test('a program that names a trace by itself names one only', async () => {
  const { url } = await collector();
  const heard: string[] = [];
  const served = await listening(
    createServer((request, response) => {
      heard.push(
        ...request.rawHeaders.filter((_, place) => /^traceparent$/i.test(request.rawHeaders[place - 1] ?? '')),
      );
      response.end();
    }),
  );
  const { taximeter } = await program(url, { measure: { tellsTraceTo: (host: string) => served.endsWith(host) } });
  const own = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
  await (await fetch(served, { headers: { TraceParent: own } })).text();
  await (await fetch(served)).text();
  expect(await taximeter.close()).toBe(true);
  expect([heard[0], heard.length, deaths]).toEqual([own, 2, []]);
});
