import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { simulateLoad, simulation } from '../src/advise/index.ts';
import type { MeasuredServer } from './server.ts';

const SENDERS = 8;
const STEP_MS = 1_000;

export interface SpanRequest {
  readonly bytes: Buffer;
  readonly spans: number;
}

/** The same requests for every part, without end: a seeded API under plain load. */
export function endlessRequests(seed = 'bench'): Iterable<SpanRequest> {
  const sim = simulation({ seed, start: '2026-10-05T00:00:00Z', callsPerHour: 6_000, habits: false });
  return simulateLoad(sim, { fromMs: Date.UTC(2026, 9, 5), stepMs: STEP_MS });
}

/** The first requests, until they carry so many spans. */
export function loadRequests(spans: number, seed = 'bench'): SpanRequest[] {
  const requests: SpanRequest[] = [];
  let made = 0;
  for (const { bytes, spans: carried } of endlessRequests(seed)) {
    requests.push({ bytes: Buffer.from(bytes), spans: carried });
    made += carried;
    if (made >= spans) break;
  }
  return requests;
}

/** Sends as fast as the server answers. */
export async function sendAll(server: MeasuredServer, requests: readonly SpanRequest[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  let next = 0;
  const sender = async () => {
    for (let at = next++; at < requests.length; at = next++) await post(agent, server, requests[at]!.bytes);
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  agent.destroy();
}

/**
 * Sends so many spans a second for a while. A request's turn comes by the clock, however long others take.
 *
 * Gives  how many spans were sent, and the most seconds by which a request was late: large when the server does not keep up.
 */
export async function sendSteadily(
  server: MeasuredServer,
  { spansPerSecond, seconds }: { readonly spansPerSecond: number; readonly seconds: number },
): Promise<{ readonly spans: number; readonly lateSeconds: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  const start = performance.now();
  const underWay = new Set<Promise<void>>();
  let [spans, lateSeconds] = [0, 0];
  for (const { bytes, spans: carried } of endlessRequests()) {
    const dueMs = (spans / spansPerSecond) * 1000;
    if (dueMs >= seconds * 1000) break;
    const waitMs = start + dueMs - performance.now();
    if (waitMs > 1) await pause(waitMs);
    while (underWay.size >= SENDERS) await Promise.race(underWay);
    lateSeconds = Math.max(lateSeconds, (performance.now() - start - dueMs) / 1000);
    const sent = post(agent, server, bytes).finally(() => underWay.delete(sent));
    underWay.add(sent);
    spans += carried;
  }
  await Promise.all(underWay);
  agent.destroy();
  return { spans, lateSeconds };
}

export function post(agent: Agent, server: MeasuredServer, body: Buffer): Promise<void> {
  return new Promise((done, failed) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
    const request = httpRequest(`${server.otlp}/v1/traces`, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () =>
        response.statusCode === 200 ? done() : failed(new Error(`status ${response.statusCode}`)),
      );
    });
    request.once('error', failed);
    request.end(body);
  });
}
