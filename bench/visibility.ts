import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeTraceRequest } from '../src/advise/index.ts';
import { post, sendSteadily } from './sending.ts';
import { type MeasuredServer, startServer } from './server.ts';

export interface VisibilityFigures {
  readonly calls: number;
  readonly spansPerSecond: number;
  /** Seconds from the answer to the request that brought a call until usage shows it. */
  readonly median: number;
  readonly p99: number;
  readonly largest: number;
  /** By how much the load itself fell behind its clock. */
  readonly lateSeconds: number;
}

const PROBE_EVERY_MS = 100;
const ASK_EVERY_MS = 25;
const GIVE_UP_MS = 60_000;
/** The probes have a day of their own, so that asking for them is one question. */
const DAY = Date.UTC(2027, 0, 1);

/** Under a steady load single calls are sent, each of a tenant of its own, and usage is asked for them again and again. */
export async function benchVisibility(
  load: { readonly spansPerSecond: number; readonly seconds: number },
  folder: string,
): Promise<VisibilityFigures> {
  const server = await startServer(`${folder}/visibility`, [14700, 14318], {});
  try {
    const sentAt = new Map<string, number>();
    const waits: number[] = [];
    const sending = sendSteadily(server, load);
    const probing = probe(server, load.seconds * 1000, sentAt);
    let isDone = false;
    const all = Promise.all([sending, probing]).finally(() => {
      isDone = true;
    });
    // Whoever waits for it below hears of it; until then it is nobody's unhandled failure.
    all.catch(() => undefined);
    const giveUpAt = performance.now() + load.seconds * 1000 + GIVE_UP_MS;
    while ((!isDone || sentAt.size > 0) && performance.now() < giveUpAt) {
      for (const tenant of await visible(server)) {
        const at = sentAt.get(tenant);
        if (at === undefined) continue;
        waits.push((performance.now() - at) / 1000);
        sentAt.delete(tenant);
      }
      await pause(ASK_EVERY_MS);
    }
    const [{ lateSeconds }] = await all;
    if (sentAt.size > 0) throw new Error(`${sentAt.size} calls never became visible`);
    waits.sort((a, b) => a - b);
    const at = (part: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * part))]!;
    return {
      ...{ calls: waits.length, spansPerSecond: load.spansPerSecond, lateSeconds },
      ...{ median: at(0.5), p99: at(0.99), largest: at(1) },
    };
  } finally {
    await server.stop();
  }
}

async function probe(server: MeasuredServer, durationMs: number, sentAt: Map<string, number>): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const start = performance.now();
  for (let number = 1; performance.now() - start < durationMs; number++) {
    const tenant = `probe-${number}`;
    await post(agent, server, probeRequest(number, tenant));
    sentAt.set(tenant, performance.now());
    await pause(Math.max(0, start + number * PROBE_EVERY_MS - performance.now()));
  }
  agent.destroy();
}

function probeRequest(number: number, tenant: string): Buffer {
  const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
  const span = {
    traceId: `f${number.toString(16).padStart(31, '0')}`,
    spanId: `f${number.toString(16).padStart(15, '0')}`,
    name: 'GET /probe',
    kind: 2,
    startTimeUnixNano: `${DAY}000000`,
    endTimeUnixNano: `${DAY + 5}000000`,
    attributes: [text('tenant.id', tenant), text('http.route', '/probe'), text('http.request.method', 'GET')],
    status: {},
  };
  const resource = { attributes: [text('service.name', 'probe')] };
  return encodeTraceRequest({
    resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'bench' }, spans: [span] }] }],
  });
}

async function visible(server: MeasuredServer): Promise<string[]> {
  const answer = await fetch(`${server.api}/api/v1/usage?from=2027-01-01&to=2027-01-02&by=tenant`);
  const { rows } = (await answer.json()) as { rows: { tenant: string }[] };
  return rows.map(({ tenant }) => tenant);
}
