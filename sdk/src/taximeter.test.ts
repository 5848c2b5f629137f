import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expressMiddleware } from './middleware/express.ts';
import type { TaximeterOptions } from './options.ts';
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
