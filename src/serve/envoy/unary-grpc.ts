import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { gunzipSync, inflateSync } from 'node:zlib';
import { Failure, fail } from '../../model/index.ts';
import { bind, MOST_CONNECTIONS, type Patience } from '../bind.ts';
import { Bodies } from '../bodies.ts';
import { Late } from '../late.ts';

/** Codes of gRPC, as far as they are answered. */
export const GRPC = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** In front of every message: whether it is compressed, and its length. */
const PREFIX_BYTES = 5;
const STOP_MS = 5_000;
const IDLE_MS = 300_000;

export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
}

export interface UnaryService {
  /** Says why a call is refused that has shown its head. */
  readonly refusal: (path: string, headers: IncomingHttpHeaders) => Failure | null;
  /** Null where there is no such method. */
  readonly methodOf: (path: string) => ((message: Buffer) => Promise<Uint8Array>) | null;
  /** Answered with a message now, and then with nothing until the caller goes away: null where it is not that method. */
  readonly watched: (path: string) => Uint8Array | null;
  readonly statusOf: (cause: unknown) => GrpcStatus;
}

export interface UnaryLimits {
  readonly messageBytes: number;
  /** Of all messages that are under way. */
  readonly totalBytes: number;
  readonly streamsOfConnection: number;
  readonly watching: number;
  /** Until a message is there. */
  readonly arriveMs: number;
}

/**
 * Answers unary calls of gRPC. They are small and there are many: the library spends more on each than a decision costs.
 *
 * Holds  a call is refused before its message is read; what messages take is bounded, for one and over all.
 * Gives  a function that stops it.
 * Fails  PORT_IN_USE.
 * From   gRPC over HTTP/2, github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md. docs/decisions/0029-envoy-over-http2.md
 */
export async function listenUnary(
  service: UnaryService,
  limits: UnaryLimits,
  host: string,
  port: number,
  patience: Patience,
): Promise<() => Promise<void>> {
  const calls = new UnaryCalls(service, limits);
  const server = createServer({
    settings: { maxConcurrentStreams: limits.streamsOfConnection, maxHeaderListSize: 32 << 10 },
    unknownProtocolTimeout: patience.headMs,
  });
  const sessions = new Set<ServerHttp2Session>();
  server.maxConnections = MOST_CONNECTIONS;
  // Head, message and trailers of an answer must not wait until the one before was received.
  server.on('connection', (socket: Socket) => socket.setNoDelay(true));
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    // Who breaks the protocol loses its connection, and that is all there is to say.
    session.on('error', () => undefined);
    awaitLife(session, patience);
  });
  server.on('stream', (stream, headers) => calls.begin(stream, headers));
  await bind(server, host, port);
  return () =>
    new Promise((done) => {
      server.close(() => done());
      calls.endWatched();
      for (const session of sessions) session.close();
      setTimeout(() => {
        for (const session of sessions) session.destroy();
      }, STOP_MS).unref();
    });
}

/** A connection that is silent is asked whether somebody is there; one that nobody used meanwhile ends. */
function awaitLife(session: ServerHttp2Session, { headMs }: Patience): void {
  let opened = 0;
  let open = 0;
  session.on('stream', (stream) => {
    opened++;
    open++;
    stream.once('close', () => open--);
  });
  let before = -1;
  session.setTimeout(IDLE_MS, function ask() {
    if (open === 0 && opened === before) return session.close();
    before = opened;
    const late = setTimeout(() => session.destroy(), headMs).unref();
    session.ping((cause) => {
      clearTimeout(late);
      if (cause === null && !session.destroyed) session.setTimeout(IDLE_MS, ask);
    });
  });
}

class UnaryCalls {
  readonly #service: UnaryService;
  readonly #limits: UnaryLimits;
  readonly #bodies: Bodies;
  readonly #late: Late<ServerHttp2Stream>;
  readonly #watched = new Set<ServerHttp2Stream>();

  constructor(service: UnaryService, limits: UnaryLimits) {
    this.#service = service;
    this.#limits = limits;
    this.#bodies = new Bodies(limits.messageBytes + PREFIX_BYTES, limits.totalBytes);
    this.#late = new Late(limits.arriveMs, (stream) =>
      refuse(stream, { code: GRPC.deadlineExceeded, details: 'the request took too long to come' }),
    );
  }

  begin(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // Who goes away in the middle is no fault of anybody here.
    stream.on('error', () => undefined);
    const { ':path': path = '', ':method': method, 'content-type': type = '' } = headers;
    if (method !== 'POST' || !type.startsWith('application/grpc')) {
      stream.respond({ ':status': method === 'POST' ? 415 : 405 }, { endStream: true });
      return;
    }
    const refusal = this.#service.refusal(path, headers);
    if (refusal !== null) return refuse(stream, this.#service.statusOf(refusal));
    const answer = this.#service.methodOf(path);
    if (answer !== null) void this.#answer(stream, headers, answer);
    else this.#watch(stream, this.#service.watched(path));
  }

  endWatched(): void {
    for (const stream of this.#watched) stream.end();
  }

  async #answer(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    answer: (message: Buffer) => Promise<Uint8Array>,
  ): Promise<void> {
    this.#late.add(stream);
    try {
      const { bytes, giveBack } = await this.#bodies.receive(stream, Number(headers['content-length'] ?? 0));
      this.#late.delete(stream);
      try {
        const message = await answer(messageOf(bytes, headers['grpc-encoding'], this.#limits.messageBytes));
        if (!stream.destroyed && !stream.headersSent) stream.end(begun(stream, message));
      } finally {
        giveBack();
      }
    } catch (cause) {
      this.#late.delete(stream);
      refuse(stream, this.#service.statusOf(cause));
    }
  }

  #watch(stream: ServerHttp2Stream, message: Uint8Array | null): void {
    if (message === null) return refuse(stream, { code: GRPC.unimplemented, details: 'there is no such method' });
    if (this.#watched.size >= this.#limits.watching)
      return refuse(stream, { code: GRPC.resourceExhausted, details: 'too many watch already' });
    this.#watched.add(stream);
    stream.once('aborted', () => stream.destroy());
    stream.once('close', () => this.#watched.delete(stream));
    // Which service is asked for does not matter.
    stream.resume();
    stream.write(begun(stream, message));
  }
}

/** Begins an answer that ends well. Gives  its only message, as it is sent. */
function begun(stream: ServerHttp2Stream, message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  return framed;
}

/** Ends a call without a message. What of its own is still under way is not read. */
function refuse(stream: ServerHttp2Stream, { code, details }: GrpcStatus): void {
  if (stream.destroyed || stream.headersSent) return;
  const status = { 'grpc-status': String(code), 'grpc-message': encodeURIComponent(details) };
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true });
  stream.close();
}

/** Takes the message out of its frame. Fails  BODY_MALFORMED where it is not one message; BODY_TYPE_UNSUPPORTED for another compression. */
function messageOf(framed: Buffer, encoding: unknown, mostBytes: number): Buffer {
  const isWhole = framed.length >= PREFIX_BYTES && framed.readUInt32BE(1) === framed.length - PREFIX_BYTES;
  if (!isWhole || framed[0]! > 1) throw fail('BODY_MALFORMED', { reason: 'it is not one message of gRPC' });
  const message = framed.subarray(PREFIX_BYTES);
  if (framed[0] === 0) return message;
  const unpack = encoding === 'gzip' ? gunzipSync : encoding === 'deflate' ? inflateSync : null;
  if (unpack === null) throw fail('BODY_TYPE_UNSUPPORTED', { encoding: String(encoding).slice(0, 40) });
  try {
    return unpack(message, { maxOutputLength: mostBytes });
  } catch (cause) {
    const isLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw cause instanceof Failure ? cause : fail(isLarge ? 'BODY_TOO_LARGE' : 'BODY_MALFORMED', {}, [], cause);
  }
}
