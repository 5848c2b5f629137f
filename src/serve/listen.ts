import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { type Failure, fail } from '../model/index.ts';
import type { Api } from './api.ts';
import type { House } from './house.ts';
import { answerOtlp, type OtlpAnswer, otlpSignal, refuseOtlp } from './otlp.ts';
import { problemResponse } from './problem.ts';

export interface ListenConfig {
  readonly host: string;
  readonly apiPort: number;
  readonly otlpPort: number;
  /** Senders and callers must show it; may be empty on loopback only. */
  readonly token: string;
  /** Commands on this machine show this one; it is new at every start. */
  readonly localToken: string;
}

const IDLE_MS = 900_000;

/** Bodies that may wait in memory at once, over all requests. */
const MOST_WAITING_BYTES = 512 << 20;

/**
 * Opens the listeners: the API with the dashboards, and OTLP/HTTP.
 *
 * Gives  a function that stops them: no new requests, those under way are finished.
 * Fails  PORT_IN_USE.
 */
export async function listen(house: House, api: Api, config: ListenConfig): Promise<() => Promise<void>> {
  const gate = new Gate(config);
  const waiting = { bytes: 0 };
  const apiListener = getRequestListener((request) => api(request), { overrideGlobalObjects: false });
  const onApi = (request: IncomingMessage, response: ServerResponse) => {
    const signal = otlpSignal((request.url ?? '').split('?', 1)[0]!);
    const refusal = gate.refusal(request);
    if (signal !== null && request.method === 'POST')
      void receiveOtlp(house, waiting, signal, refusal, request, response);
    else if (refusal) void send(problemResponse(refusal, house.log), response);
    else void apiListener(request, response);
  };
  const onOtlp = (request: IncomingMessage, response: ServerResponse) => {
    const signal = otlpSignal((request.url ?? '').split('?', 1)[0]!);
    const isPost = request.method === 'POST';
    const wrong = signal === null ? fail('NOT_FOUND') : isPost ? null : fail('METHOD_NOT_ALLOWED');
    if (wrong) void send(problemResponse(wrong, house.log), response);
    else void receiveOtlp(house, waiting, signal!, gate.refusal(request), request, response);
  };
  const servers: Server[] = [];
  try {
    servers.push(await open(onApi, config.host, config.apiPort));
    if (config.otlpPort !== config.apiPort) servers.push(await open(onOtlp, config.host, config.otlpPort));
  } catch (cause) {
    await Promise.all(servers.map(stop));
    throw cause;
  }
  return async () => {
    await Promise.all(servers.map(stop));
  };
}

/** Who may ask: on loopback everybody here, but no web page of somebody else; elsewhere who shows the token. */
class Gate {
  readonly #token: Buffer;
  readonly #localToken: Buffer;

  constructor(config: ListenConfig) {
    this.#token = Buffer.from(config.token === '' ? '' : `Bearer ${config.token}`);
    this.#localToken = Buffer.from(`Bearer ${config.localToken}`);
  }

  refusal(request: IncomingMessage): Failure | null {
    const shown = Buffer.from(request.headers.authorization ?? '');
    if (isSame(shown, this.#localToken)) return null;
    const path = (request.url ?? '').split('?', 1)[0];
    if (path === '/healthz' || path === '/readyz') return null;
    if (this.#token.length > 0) return isSame(shown, this.#token) ? null : fail('UNAUTHENTICATED');
    // A page of another site can send requests to loopback, and can make its own name resolve to it.
    if (!isLocalName(request.headers.host)) return fail('FORBIDDEN', { reason: 'the Host header is not a local name' });
    const { origin } = request.headers;
    const isForeign = origin !== undefined && origin !== `http://${request.headers.host}`;
    return isForeign ? fail('FORBIDDEN', { reason: 'requests of other sites are not taken' }) : null;
  }
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

export function isLocalName(host: string | undefined): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host ?? '');
}

async function receiveOtlp(
  house: House,
  waiting: { bytes: number },
  signal: NonNullable<ReturnType<typeof otlpSignal>>,
  refusal: Failure | null,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const type = request.headers['content-type'] ?? '';
  const encoding = request.headers['content-encoding'] ?? '';
  if (refusal) return write(refuseOtlp(type, refusal), response, true);
  const body = await readBody(request, house.limits.bodyBytes, waiting);
  if (body === 'gone') return;
  if (body === 'too large') {
    return write(refuseOtlp(type, fail('BODY_TOO_LARGE', { limitBytes: house.limits.bodyBytes })), response, true);
  }
  if (body === 'busy') return write(refuseOtlp(type, fail('SERVER_BUSY')), response, true);
  try {
    write(await answerOtlp(house, signal, type, encoding, body), response, false);
  } finally {
    waiting.bytes -= body.length;
  }
}

/** Reads a body into memory; what it takes counts against all requests until the caller gives it back. */
async function readBody(
  request: IncomingMessage,
  limitBytes: number,
  waiting: { bytes: number },
): Promise<Buffer | 'too large' | 'busy' | 'gone'> {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return 'too large';
  const chunks: Buffer[] = [];
  let size = 0;
  let outcome: 'too large' | 'busy' | 'gone' | null = null;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      waiting.bytes += chunk.length;
      chunks.push(chunk);
      if (size > limitBytes) outcome = 'too large';
      else if (waiting.bytes > MOST_WAITING_BYTES) outcome = 'busy';
      if (outcome) break;
    }
  } catch {
    outcome = 'gone';
  }
  if (outcome === null) return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
  waiting.bytes -= size;
  return outcome;
}

function write(answer: OtlpAnswer, response: ServerResponse, close: boolean): void {
  if (response.destroyed) return;
  response.writeHead(answer.status, close ? { ...answer.headers, connection: 'close' } : answer.headers);
  response.end(answer.body);
}

async function send(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(Buffer.from(await answer.arrayBuffer()));
}

function open(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
  host: string,
  port: number,
): Promise<Server> {
  const server = createServer({ requestTimeout: 0, headersTimeout: 20_000, keepAliveTimeout: 65_000 }, listener);
  server.maxConnections = 2_000;
  // A large bill may take its time, but something must keep coming.
  server.setTimeout(IDLE_MS);
  return new Promise((done, failed) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      failed(cause.code === 'EADDRINUSE' ? fail('PORT_IN_USE', { host, port }, [], cause) : cause);
    });
    server.listen(port, host, () => done(server));
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeIdleConnections();
    // Whoever does not finish within this time would be cut off by the process manager anyway.
    setTimeout(() => server.closeAllConnections(), 5_000).unref();
  });
}
