import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ListeningHouse, openListeningHouse } from '../../test/support/listening-house.ts';

const LIMIT = 1 << 20;
let rooms: ListeningHouse;
beforeAll(async () => {
  rooms = await openListeningHouse(LIMIT);
});
afterAll(() => rooms.close());
const waiting = () => rooms.house.bodies.waitingBytes;

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
    await rooms.listening(async (ports) => {
      const sockets = await Promise.all([1, 2].map(() => half(ports[port], path, LIMIT / 2)));
      await until(() => waiting() === LIMIT);
      for (const socket of sockets) socket.destroy();
      await until(() => waiting() === 0);
    });
    expect(rooms.logged).toEqual([]);
  });

  it('is refused with 503 while others take all there is', async () => {
    await rooms.listening(async (ports) => {
      const sockets = await Promise.all([1, 2, 3].map(() => half(ports.otlp, '/v1/traces', LIMIT - 1)));
      await until(() => waiting() === 3 * (LIMIT - 1));
      expect(await pour(ports[port], path, LIMIT / 2)).toBe(503);
      for (const socket of sockets) socket.destroy();
      await until(() => waiting() === 0);
    });
    rooms.logged.length = 0;
  });

  it('is refused with 413 when it grows too long, and the sender hears it', async () => {
    await rooms.listening(async (ports) => expect(await pour(ports[port], path, 4 * LIMIT)).toBe(413));
    expect(waiting()).toBe(0);
  });

  it('is dropped when it takes too long', async () => {
    await rooms.listening(
      async (ports) => {
        const socket = await half(ports[port], path, 1000);
        await once(socket.resume(), 'close');
        await until(() => waiting() === 0);
      },
      { patience: { headMs: 20_000, bodyMs: 20, idleMs: 20_000 } },
    );
  });
});

describe('a connection', () => {
  it.each(['', 'POST /v1/traces HTTP/1.1\r\nhost: local'])('that sends %j and no more is closed', async (head) => {
    await rooms.listening(
      async (ports) => {
        const socket = connect(ports.otlp, '127.0.0.1').on('error', () => undefined);
        socket.write(head);
        await once(socket.resume(), 'close');
      },
      { patience: { headMs: 20, bodyMs: 20_000, idleMs: 20_000 } },
    );
  });

  it('on which nothing comes in the middle of an upload is closed, and the upload is gone', async () => {
    await rooms.listening(
      async (ports) => {
        const socket = await half(ports.api, '/api/v1/uploads/abcdefgh/0?name=a', 10);
        await once(socket.resume(), 'close');
        await until(() => !existsSync(join(rooms.house.folder, 'uploads', 'abcdefgh')));
      },
      { patience: { headMs: 20_000, bodyMs: 20_000, idleMs: 20 } },
    );
  });

  it('on which an answer is worked at stays, however long that takes', async () => {
    let finish: () => void = () => undefined;
    const work = new Promise<void>((done) => {
      finish = done;
    });
    await rooms.listening(
      async (ports) => {
        const answer = fetch(`http://127.0.0.1:${ports.api}/api/v1/slow`, { method: 'POST', body: '{}' });
        const idle = connect(ports.api, '127.0.0.1').on('error', () => undefined);
        await once(idle.resume(), 'close');
        finish();
        expect((await answer).status).toBe(404);
      },
      {
        patience: { headMs: 20_000, bodyMs: 20_000, idleMs: 50 },
        api: (real) => async (request) => work.then(() => real(request)),
      },
    );
  });
});
