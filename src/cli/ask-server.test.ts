import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { Failure } from '../model/index.ts';
import { serverApi } from './ask-server.ts';
import { failureLines } from './context.ts';

const { api, close } = serverApi();
let server: Server | null = null;
afterEach(() => {
  close();
  server?.closeAllConnections();
  server?.close();
});

async function listening(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const linesOf = (request: Request) =>
  api(request).then(
    () => [],
    (cause: unknown) => (cause instanceof Failure ? failureLines(cause) : [`not a failure: ${String(cause)}`]),
  );

describe('asking a running server', () => {
  it('sends method, path, headers and a body that comes piece by piece, and gives status and text', async () => {
    const url = await listening(async (request, response) => {
      response.writeHead(409, { 'content-type': 'application/problem+json' });
      response.end(`${request.method} ${request.url} ${request.headers['content-type']} ${await text(request)}`);
    });
    const body = new Blob(['one ', 'two']).stream();
    const headers = { 'content-type': 'text/plain' };
    const answer = await api(
      new Request(`${url}/a?b=c`, { method: 'PUT', headers, body, duplex: 'half' } as RequestInit),
    );
    expect([answer.status, answer.headers.get('content-type')]).toEqual([409, 'application/problem+json']);
    expect(await answer.text()).toBe('PUT /a?b=c text/plain one two');
  });

  it('uses one connection for requests after each other', async () => {
    const ports = new Set<number | undefined>();
    const url = await listening((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('ok');
    });
    for (let i = 0; i < 5; i++) await api(new Request(url));
    expect(ports.size).toBe(1);
  });

  it('says in one line that nobody listens', async () => {
    const url = await listening(() => undefined);
    server!.close();
    await once(server!, 'close');
    expect(await linesOf(new Request(url))).toEqual([
      `taximeter: the running server does not answer; url ${url}; reason nobody listens there. Look at its log, or stop it and try again.`,
    ]);
  });

  it.each<[string, RequestListener]>([
    ['before its answer', (request) => request.socket.resetAndDestroy()],
    ['without a word', (request) => request.socket.destroy()],
    [
      'in the middle of its answer',
      (request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"', () => request.socket.resetAndDestroy());
      },
    ],
  ])('says in one line that the server was gone %s', async (_name, listener) => {
    const url = await listening(listener);
    const lines = await linesOf(new Request(url, { method: 'POST', body: '{}' }));
    expect(lines).toEqual([
      expect.stringMatching(/reason the connection broke before the answer \(.*\), and the work may go on\./),
    ]);
  });

  it('passes on what the body itself failed with', async () => {
    const url = await listening((request, response) => request.resume().on('end', () => response.end('ok')));
    const cause = new Failure('FILE_UNREADABLE', { file: 'x' }, []);
    const body = new ReadableStream({ pull: (controller) => controller.error(cause) });
    const request = new Request(url, { method: 'PUT', body, duplex: 'half' } as RequestInit);
    await expect(api(request)).rejects.toBe(cause);
  });
});
