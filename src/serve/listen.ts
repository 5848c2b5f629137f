import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { type Failure, fail } from '../model/index.ts';
import { sendAnswer } from './answer.ts';
import { type Api, isUpload } from './api.ts';
import { bind, MOST_CONNECTIONS, PATIENCE, type Patience } from './bind.ts';
import { openEnvoyGrpc } from './envoy/envoy-grpc.ts';
import { type Asking, Gate } from './gate.ts';
import type { House } from './house.ts';
import { Late } from './late.ts';
import { openLane } from './limits/limit-lane.ts';
import { AUTHZ_PATH, limitVerb } from './limits/limit-requests.ts';
import { receiveAuthz, receiveLimit } from './limits/receive-limit.ts';
import { answerOtlp, type OtlpAnswer, type OtlpSignal, otlpSignal, refuseOtlp } from './otlp.ts';
import { openOtlpGrpc } from './otlp-grpc.ts';
import { problemAnswer } from './problem.ts';

export interface ListenConfig {
  readonly host: string;
  readonly apiPort: number;
  readonly otlpPort: number;
  /** 0 is off. */
  readonly otlpGrpcPort: number;
  /** Of the rate limit service and ext_authz; 0 is off. */
  readonly envoyPort: number;
  /** Senders and callers must show it; may be empty on loopback only. */
  readonly token: string;
  /** Commands on this machine show this one; it is new at every start. */
  readonly localToken: string;
}

/**
 * Opens the listeners: the API with the dashboards, OTLP/HTTP and OTLP/gRPC.
 *
 * Gives  a function that stops them: no new requests, those under way are finished.
 * Fails  PORT_IN_USE.
 */
export async function listen(
  house: House,
  api: Api,
  config: ListenConfig,
  patience = PATIENCE,
): Promise<() => Promise<void>> {
  const gate = new Gate(config.token, config.localToken, house.sessions);
  const apiListener = getRequestListener(
    (request, { incoming }) => api(request, { address: (incoming as IncomingMessage).socket.remoteAddress }),
    { overrideGlobalObjects: false },
  );
  const bodies = new Late<IncomingMessage>(patience.bodyMs, endIncomplete);
  const onApi = (request: IncomingMessage, response: ServerResponse) => {
    const path = pathOf(request);
    const signal = otlpSignal(path);
    const verb = limitVerb(path);
    const refusal = gate.refusal(asking(request, path));
    if (!isUpload(path)) awaitBody(bodies, request);
    if (signal !== null && request.method === 'POST') void receiveOtlp(house, signal, refusal, request, response);
    else if (refusal) sendAnswer(problemAnswer(refusal, house.log), response);
    else if (path === AUTHZ_PATH) void receiveAuthz(house, request, response);
    else if (verb !== null && request.method === 'POST') void receiveLimit(house, verb, request, response);
    else void apiListener(request, response);
  };
  const onOtlp = (request: IncomingMessage, response: ServerResponse) => {
    const path = pathOf(request);
    const signal = otlpSignal(path);
    awaitBody(bodies, request);
    const isPost = request.method === 'POST';
    const wrong = signal === null ? fail('NOT_FOUND') : isPost ? null : fail('METHOD_NOT_ALLOWED');
    if (wrong) sendAnswer(problemAnswer(wrong, house.log), response);
    else void receiveOtlp(house, signal!, gate.refusal(asking(request, path)), request, response);
  };
  const { host, apiPort, otlpPort, otlpGrpcPort, envoyPort } = config;
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
  try {
    stops.push(await open(onApi, host, apiPort, patience, (server) => openLane(server, house, gate, patience)));
    if (otlpPort !== apiPort) stops.push(await open(onOtlp, host, otlpPort, patience));
    if (envoyPort !== 0) stops.push(await openEnvoyGrpc(house, gate, host, envoyPort, patience));
    if (otlpGrpcPort !== 0) stops.push(await openOtlpGrpc(house, gate, host, otlpGrpcPort, patience));
  } catch (cause) {
    await stopAll();
    throw cause;
  }
  return stopAll;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0]!;
}

function asking(request: IncomingMessage, path: string): Asking {
  return { method: request.method ?? '', path, headers: request.headers };
}

/** Whoever sends a body byte by byte would hold its memory for days. */
function awaitBody(bodies: Late<IncomingMessage>, request: IncomingMessage): void {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if (coding === undefined && (length === undefined || length === '0')) return;
  bodies.add(request);
  request.once('close', () => bodies.delete(request));
}

function endIncomplete(request: IncomingMessage): void {
  if (!request.complete) request.destroy();
}

async function receiveOtlp(
  house: House,
  signal: OtlpSignal,
  refusal: Failure | null,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const contentType = request.headers['content-type'] ?? '';
  const answer = refusal
    ? refuseOtlp(contentType, refusal)
    : await answerOtlp(house, {
        signal,
        contentType,
        contentEncoding: request.headers['content-encoding'] ?? '',
        contentLength: Number(request.headers['content-length'] ?? 0),
        // A sender that is refused in the middle of its body must still hear why.
        body: request.iterator({ destroyOnReturn: false }),
      });
  write(answer, request, response);
}

function write(answer: OtlpAnswer, request: IncomingMessage, response: ServerResponse): void {
  if (response.destroyed) return;
  response.writeHead(answer.status, request.complete ? answer.headers : { ...answer.headers, connection: 'close' });
  response.end(answer.body);
  // What is still under way is read and dropped: a connection that is closed on unread bytes takes the answer with it.
  request.resume();
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Nothing moves on the connection while a month is shared out, and nothing is wrong with it. */
function isWorkedOn(exchange: Exchange | undefined): boolean {
  return exchange?.request.complete === true && !exchange.response.headersSent;
}

async function open(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
  host: string,
  port: number,
  patience: Patience,
  openBeside: (server: Server) => () => void = () => () => undefined,
): Promise<() => Promise<void>> {
  const underWay = new WeakMap<Socket, Exchange>();
  // The time for a whole request is not bounded here: a large bill may take an hour, but something must keep coming.
  const times = { requestTimeout: 0, headersTimeout: patience.headMs, keepAliveTimeout: 65_000 };
  const server = createServer({ ...times, connectionsCheckingInterval: Math.min(5_000, patience.headMs) }, listener);
  server.maxConnections = MOST_CONNECTIONS;
  server.on('request', (request, response) => underWay.set(request.socket, { request, response }));
  server.setTimeout(patience.idleMs, (socket) => {
    if (!isWorkedOn(underWay.get(socket))) socket.destroy();
  });
  const stopBeside = openBeside(server);
  await bind(server, host, port);
  return () => {
    stopBeside();
    return stop(server);
  };
}

function stop(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeIdleConnections();
    // Whoever does not finish within this time would be cut off by the process manager anyway.
    setTimeout(() => server.closeAllConnections(), 5_000).unref();
  });
}
