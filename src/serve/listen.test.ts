import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../test/support/child-server.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { Collector } from '../collect/index.ts';
import { openStore, type Store } from '../store/index.ts';
import { type Api, createApi } from './api.ts';
import { Bodies } from './bodies.ts';
import type { House } from './house.ts';
import { listen } from './listen.ts';

const LIMIT = 1 << 20;
const folder = tempFolder('listen');
const logged: string[] = [];
let store: Store;
let house: House;
let api: Api;
let slowWork = Promise.resolve();

beforeAll(async () => {
  store = await openStore({ folder: folder.path });
  const loads = { loadEveryMs: 3_600_000, journalCapacityBytes: 2 ** 31 };
  const collector = await Collector.open({
    store,
    folder: folder.path,
    nowMs: Date.now,
    ...loads,
    warn: () => undefined,
  });
  const log = (message: string) => void logged.push(message);
  house = {
    version: '0',
    folder: folder.path,
    store,
    collector,
    now: () => new Date(),
    limits: { bodyBytes: LIMIT, uploadBytes: LIMIT },
    bodies: new Bodies(LIMIT, 3 * LIMIT),
    listeners: { api: '', otlp: '' },
    log: { info: log, warn: log, error: log },
  };
  const real = createApi(house, { pages: '' });
  api = async (request) => {
    if (new URL(request.url).pathname === '/api/v1/slow') await slowWork;
    return real(request);
  };
});
afterAll(async () => {
  await house.collector.close();
  await store.close();
  folder.remove();
});

interface Ports {
  readonly api: number;
  readonly otlp: number;
}

/** Runs a test against the listeners. */
async function listening(
  test: (ports: Ports) => Promise<void>,
  patience?: Parameters<typeof listen>[3],
): Promise<void> {
  const ports = { api: await freePort(), otlp: await freePort() };
  const config = { host: '127.0.0.1', apiPort: ports.api, otlpPort: ports.otlp, token: '', localToken: 'local' };
  const stop = await listen(house, api, config, patience);
  try {
    await test(ports);
  } finally {
    await stop();
  }
}

/** Sends the head of a request and a part of its body. */
async function half(port: number, path: string, sentBytes: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  const type = path.startsWith('/v1/') ? 'application/json' : 'application/yaml';
  socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\ncontent-length: ${LIMIT}\r\n\r\n`);
  socket.write(Buffer.alloc(sentBytes, ' '));
  return socket;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((turn) => setImmediate(turn));
}

/** Sends a body of unannounced length, as long as it is wanted, and gives the status. */
function pour(port: number, path: string, bytes: number): Promise<number> {
  return new Promise((done, failed) => {
    const headers = { 'content-type': 'application/json' };
    const sent = httpRequest({ host: '127.0.0.1', port, path, method: 'POST', headers });
    sent.once('error', failed);
    sent.once('response', (answer) => void text(answer).then(() => done(answer.statusCode ?? 0), failed));
    for (let left = bytes; left > 0; left -= 65_536) sent.write(Buffer.alloc(65_536, ' '));
    sent.end();
  });
}

const paths = [
  ['OTLP on its own port', 'otlp', '/v1/traces'],
  ['OTLP on the port of the API', 'api', '/v1/metrics'],
  ['a route of the API', 'api', '/api/v1/documents'],
] as const;

describe.each(paths)('a body to %s', (_name, port, path) => {
  it('is counted while it comes, and given back when its sender goes away', async () => {
    await listening(async (ports) => {
      const sockets = await Promise.all([1, 2].map(() => half(ports[port], path, LIMIT / 2)));
      await until(() => house.bodies.waitingBytes === LIMIT);
      for (const socket of sockets) socket.destroy();
      await until(() => house.bodies.waitingBytes === 0);
    });
    expect(logged).toEqual([]);
  });

  it('is refused with 503 while others take all there is', async () => {
    await listening(async (ports) => {
      const sockets = await Promise.all([1, 2, 3].map(() => half(ports.otlp, '/v1/traces', LIMIT - 1)));
      await until(() => house.bodies.waitingBytes === 3 * (LIMIT - 1));
      expect(await pour(ports[port], path, LIMIT / 2)).toBe(503);
      for (const socket of sockets) socket.destroy();
      await until(() => house.bodies.waitingBytes === 0);
    });
    logged.length = 0;
  });

  it('is refused with 413 when it grows too long, and the sender hears it', async () => {
    await listening(async (ports) => expect(await pour(ports[port], path, 4 * LIMIT)).toBe(413));
    expect(house.bodies.waitingBytes).toBe(0);
  });

  it('is dropped when it takes too long', async () => {
    await listening(
      async (ports) => {
        const socket = await half(ports[port], path, 1000);
        await once(socket.resume(), 'close');
        await until(() => house.bodies.waitingBytes === 0);
      },
      { headMs: 20_000, bodyMs: 20, idleMs: 20_000 },
    );
  });
});

describe('a connection', () => {
  it.each(['', 'POST /v1/traces HTTP/1.1\r\nhost: local'])('that sends %j and no more is closed', async (head) => {
    await listening(
      async (ports) => {
        const socket = connect(ports.otlp, '127.0.0.1').on('error', () => undefined);
        socket.write(head);
        await once(socket.resume(), 'close');
      },
      { headMs: 20, bodyMs: 20_000, idleMs: 20_000 },
    );
  });

  it('on which nothing comes in the middle of an upload is closed, and the upload is gone', async () => {
    await listening(
      async (ports) => {
        const socket = await half(ports.api, '/api/v1/uploads/abcdefgh/0?name=a', 10);
        await once(socket.resume(), 'close');
        await until(() => !existsSync(join(folder.path, 'uploads', 'abcdefgh')));
      },
      { headMs: 20_000, bodyMs: 20_000, idleMs: 20 },
    );
  });

  it('on which an answer is worked at stays, however long that takes', async () => {
    await listening(
      async (ports) => {
        let finish: () => void = () => undefined;
        slowWork = new Promise((done) => {
          finish = done;
        });
        const answer = fetch(`http://127.0.0.1:${ports.api}/api/v1/slow`, { method: 'POST', body: '{}' });
        const idle = connect(ports.api, '127.0.0.1').on('error', () => undefined);
        await once(idle.resume(), 'close');
        finish();
        expect((await answer).status).toBe(404);
      },
      { headMs: 20_000, bodyMs: 20_000, idleMs: 50 },
    );
  });
});
