import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type OutgoingHttpHeaders } from 'node:http2';
import { deflateSync, gzipSync } from 'node:zlib';
import { Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../test/support/child-server.ts';
import { GrpcClient } from '../../../test/support/grpc-client.ts';
import { fail } from '../../model/index.ts';
import { PATIENCE } from '../bind.ts';
import { GRPC, listenUnary } from './unary-grpc.ts';

const MOST = 1_000;
const service = {
  refusal: (_: string, { authorization }: Record<string, unknown>) =>
    authorization === 'wrong' ? fail('UNAUTHENTICATED') : null,
  methodOf: (path: string) => (path === '/a/Reverse' ? async (message: Buffer) => Buffer.from(message).reverse() : null),
  watched: (path: string) => (path === '/a/Watch' ? Buffer.from('here') : null),
  statusOf: (cause: unknown) => ({ code: GRPC.invalidArgument, details: `${(cause as { code: string }).code}: ä` }),
};
const limits = { messageBytes: MOST, totalBytes: 3 * MOST, streamsOfConnection: 100, watching: 2, arriveMs: 300 };

let port: number;
let stop: () => Promise<void>;
let session: ClientHttp2Session;
beforeAll(async () => {
  port = await freePort();
  stop = await listenUnary(service, limits, '127.0.0.1', port, PATIENCE);
  session = connect(`http://127.0.0.1:${port}`);
});
afterAll(async () => {
  session.destroy();
  await stop();
});

function framed(message: Uint8Array, isCompressed = 0): Buffer {
  const head = Buffer.from([isCompressed, 0, 0, 0, 0]);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function begun(path: string, more: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const head = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...more };
  return session.request(head).on('error', () => undefined);
}

/** Head, bytes and trailers of the whole answer. */
async function answered(stream: ClientHttp2Stream) {
  const parts: Buffer[] = [];
  let trailers: Record<string, unknown> = {};
  stream.on('data', (part: Buffer) => parts.push(part)).on('trailers', (told) => {
    trailers = told;
  });
  const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
  if (!stream.closed) await once(stream, 'close');
  return { head, bytes: Buffer.concat(parts), status: Number(trailers['grpc-status'] ?? head['grpc-status']) };
}

describe('unary calls', () => {
  it.each([
    ['as it is', framed(Buffer.from('abc')), undefined],
    ['with gzip', framed(gzipSync('abc'), 1), 'gzip'],
    ['with deflate', framed(deflateSync('abc'), 1), 'deflate'],
  ])('are answered: %s', async (_, bytes, encoding) => {
    const stream = begun('/a/Reverse', encoding === undefined ? {} : { 'grpc-encoding': encoding });
    for (const byte of bytes) stream.write(Buffer.from([byte]));
    stream.end();
    const { head, bytes: told, status } = await answered(stream);
    expect([head[':status'], head['content-type'], status]).toEqual([200, 'application/grpc', 0]);
    expect(told).toEqual(framed(Buffer.from('cba')));
  });

  it.each([
    ['no frame', Buffer.alloc(0), undefined],
    ['half a frame', framed(Buffer.from('abc')).subarray(0, 6), undefined],
    ['two messages', Buffer.concat([framed(Buffer.from('a')), framed(Buffer.from('b'))]), undefined],
    ['a flag that is none', framed(Buffer.from('a'), 2), undefined],
    ['another compression', framed(Buffer.from('a'), 1), 'snappy'],
    ['what is not compressed', framed(Buffer.from('a'), 1), 'gzip'],
    ['what is too large unpacked', framed(gzipSync(Buffer.alloc(MOST + 1)), 1), 'gzip'],
    ['what is too large', framed(Buffer.alloc(MOST + 1)), undefined],
  ])('are refused: %s', async (_, bytes, encoding) => {
    const stream = begun('/a/Reverse', encoding === undefined ? {} : { 'grpc-encoding': encoding });
    stream.end(bytes);
    const { head, bytes: told, status } = await answered(stream);
    expect([head[':status'], status, told.length]).toEqual([200, GRPC.invalidArgument, 0]);
    expect(head['grpc-message']).toMatch(/^BODY_[A-Z_]+%3A%20%C3%A4$/);
  });

  it.each([
    ['another method', { ':method': 'PUT' }, 405, Number.NaN],
    ['another content', { 'content-type': 'application/json' }, 415, Number.NaN],
    ['another path', { ':path': '/a/Nothing' }, 200, GRPC.unimplemented],
    ['a caller that may not', { authorization: 'wrong' }, 200, GRPC.invalidArgument],
  ])('are refused by their head: %s', async (_, more, http, code) => {
    const { head, status } = await answered(begun('/a/Reverse', more));
    expect([head[':status'], status]).toEqual([http, code]);
  });

  it('are read whole before they are answered, by the library too', async () => {
    const client = GrpcClient.gzipping(port);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => client.call('/a/Reverse', Buffer.from(`<${i}>`), new Metadata())),
    );
    expect(answers.map(({ bytes }) => String(bytes))).toEqual(
      Array.from({ length: 50 }, (_, i) => [...`<${i}>`].reverse().join('')),
    );
    client.close();
  });

  it('bound what they take together, and give it back', async () => {
    const slow = [1, 2, 3].map(() => begun('/a/Reverse'));
    for (const stream of slow) stream.write(framed(Buffer.alloc(MOST)).subarray(0, MOST));
    const statuses = await Promise.all(slow.map(async (stream) => (await answered(stream)).status));
    expect(statuses).toEqual([GRPC.deadlineExceeded, GRPC.deadlineExceeded, GRPC.deadlineExceeded]);
    const large = [1, 2].map(() => begun('/a/Reverse'));
    for (const stream of large) stream.end(framed(Buffer.alloc(MOST)));
    expect((await Promise.all(large.map(answered))).map(({ status }) => status)).toEqual([0, 0]);
  });

  it('that watch are told at once and stay, some of them', async () => {
    const watching = [begun('/a/Watch'), begun('/a/Watch')];
    for (const stream of watching) {
      stream.end(framed(Buffer.alloc(0)));
      expect((await once(stream, 'data'))[0]).toEqual(framed(Buffer.from('here')));
    }
    expect((await answered(begun('/a/Watch'))).status).toBe(GRPC.resourceExhausted);
    for (const stream of watching) stream.close(constants.NGHTTP2_CANCEL);
    await Promise.all(watching.map((stream) => stream.closed || once(stream, 'close')));
  });
});
