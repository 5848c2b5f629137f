import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { startClickHouse } from '../test/support/clickhouse-server.ts';
import { tempFolder } from '../test/support/temp-folder.ts';
import { endlessRequests, type SpanRequest, sendAll } from './sending.ts';
import { type MeasuredServer, startServer } from './server.ts';

export interface OutageFigures {
  readonly spans: number;
  readonly downSeconds: number;
  /** Requests that were answered 503 because the journal was full, and how many of these said when to come again. */
  readonly refused: number;
  readonly refusedWithRetryAfter: number;
  readonly journalBytes: number;
  readonly peakBytes: number;
  /** From the engine's return until everything can be asked for. */
  readonly catchUpSeconds: number;
  /** Whether usage is, row for row, that of a server whose engine was always there. */
  readonly isExact: boolean;
}

const PORTS = [14700, 14318] as const;
const JOURNAL_BYTES = 128 << 20;
const LONGEST_WAIT_SECONDS = 5;

/** Kills the engine under a steady load, starts it again after a while, and compares the counts with those of a server without a fault. */
export async function benchOutage(
  { spansPerSecond, downSeconds }: { readonly spansPerSecond: number; readonly downSeconds: number },
  folder: string,
): Promise<OutageFigures> {
  const data = tempFolder('outage-engine');
  let engine = await startClickHouse({ folder: data.path });
  const { httpUrl, httpPort, tcpPort } = engine;
  const env = { TAXIMETER_CLICKHOUSE_URL: httpUrl, TAXIMETER_JOURNAL_BYTES: String(JOURNAL_BYTES) };
  const server = await startServer(`${folder}/faulty`, PORTS, env);
  try {
    const sender = new PatientSender(server);
    const sending = sender.send(spansPerSecond, downSeconds + 10);
    await pause(5_000);
    await engine.kill();
    await pause(downSeconds * 1000);
    const journalBytes = await gauge(server.api, 'taximeter_journal_bytes');
    engine = await startClickHouse({ folder: data.path, httpPort, tcpPort });
    const back = performance.now();
    const requests = await sending;
    await fetch(`${server.api}/api/v1/settle`, { method: 'POST' });
    const catchUpSeconds = (performance.now() - back) / 1000;
    const counted = await usageOf(server);
    const peakBytes = server.memory().peak;
    await server.stop();
    return {
      ...{ downSeconds, journalBytes, peakBytes, catchUpSeconds },
      spans: requests.reduce((sum, { spans }) => sum + spans, 0),
      ...{ refused: sender.refused, refusedWithRetryAfter: sender.refusedWithRetryAfter },
      isExact: counted === (await withoutFault(requests, folder)),
    };
  } finally {
    await server.stop();
    await engine.stop();
    data.remove();
  }
}

/** Sends each request until it is accepted, as exporters do. */
class PatientSender {
  readonly #server: MeasuredServer;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  refused = 0;
  refusedWithRetryAfter = 0;

  constructor(server: MeasuredServer) {
    this.#server = server;
  }

  async send(spansPerSecond: number, seconds: number): Promise<SpanRequest[]> {
    const [requests, underWay] = [[] as SpanRequest[], new Set<Promise<void>>()];
    const start = performance.now();
    let spans = 0;
    for (const { bytes, spans: carried } of endlessRequests('outage')) {
      const dueMs = (spans / spansPerSecond) * 1000;
      if (dueMs >= seconds * 1000) break;
      const waitMs = start + dueMs - performance.now();
      if (waitMs > 1) await pause(waitMs);
      while (underWay.size >= 8) await Promise.race(underWay);
      const request = { bytes: Buffer.from(bytes), spans: carried };
      requests.push(request);
      const sent = this.#untilAccepted(request.bytes).finally(() => underWay.delete(sent));
      underWay.add(sent);
      spans += carried;
    }
    await Promise.all(underWay);
    this.#agent.destroy();
    return requests;
  }

  async #untilAccepted(body: Buffer): Promise<void> {
    for (;;) {
      const { status, retryAfter } = await this.#post(body);
      if (status === 200) return;
      if (status !== 503) throw new Error(`status ${status}`);
      this.refused += 1;
      if (retryAfter > 0) this.refusedWithRetryAfter += 1;
      await pause(Math.min(LONGEST_WAIT_SECONDS, Math.max(1, retryAfter)) * 1000);
    }
  }

  #post(body: Buffer): Promise<{ status: number; retryAfter: number }> {
    return new Promise((done, failed) => {
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
      const options = { method: 'POST', agent: this.#agent, headers };
      const request = httpRequest(`${this.#server.otlp}/v1/traces`, options, (response) => {
        response.resume();
        const retryAfter = Number(response.headers['retry-after'] ?? 0);
        response.once('end', () => done({ status: response.statusCode ?? 0, retryAfter }));
      });
      request.once('error', failed);
      request.end(body);
    });
  }
}

async function withoutFault(requests: readonly SpanRequest[], folder: string): Promise<string> {
  const server = await startServer(`${folder}/faultless`, PORTS, {});
  try {
    await sendAll(server, requests);
    await fetch(`${server.api}/api/v1/settle`, { method: 'POST' });
    return await usageOf(server);
  } finally {
    await server.stop();
  }
}

async function usageOf({ api }: MeasuredServer): Promise<string> {
  const query = 'from=2026-10-01&to=2026-12-01&by=tenant,endpoint&window=day';
  const answer = await fetch(`${api}/api/v1/usage?${query}`);
  if (!answer.ok) throw new Error(await answer.text());
  const { calls, rows } = (await answer.json()) as { calls: number; rows: unknown };
  if (calls === 0) throw new Error('nothing was counted');
  return JSON.stringify([calls, rows]);
}

async function gauge(api: string, name: string): Promise<number> {
  const text = await (await fetch(`${api}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}
