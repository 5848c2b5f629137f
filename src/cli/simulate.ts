import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import {
  encodeTraceRequest,
  type Simulation,
  simulateBill,
  simulateMetrics,
  simulateTraces,
  simulation,
  simulationDocuments,
} from '../advise/index.ts';
import { formatInstant, monthsOf } from '../model/index.ts';
import type { DocumentsAnswer } from '../serve/contract/documents.ts';
import type { AllocateAnswer } from '../serve/contract/ledger.ts';
import type { Cli } from './context.ts';
import { sendBill } from './send-bill.ts';

const MILLIS_PER_DAY = 86_400_000;
const DEMO_SAMPLE_SECONDS = 300;

/** What the flags of `simulate` say. */
export interface SimulateFlags {
  readonly seed: string;
  readonly start?: string;
  readonly days: string;
  readonly tenants: string;
  readonly endpoints: string;
  readonly callsPerHour: string;
  readonly out?: string;
  readonly send?: boolean;
}

/** Makes traffic and its bill, as files or sent through the receivers and imports. */
export async function simulate(cli: Cli, flags: SimulateFlags): Promise<void> {
  const days = Number(flags.days);
  const sim = simulation({
    seed: flags.seed,
    start: flags.start ?? lastDaysOfOneMonth(days, Date.now()),
    days,
    tenants: Number(flags.tenants),
    endpoints: Number(flags.endpoints),
    callsPerHour: Number(flags.callsPerHour),
    sampleSeconds: DEMO_SAMPLE_SECONDS,
  });
  if (flags.out !== undefined) await writeFiles(sim, flags.out, cli);
  if (flags.send) await send(sim, cli);
}

/** The days that are over, ending yesterday, or with the last month where they would lie in two. */
function lastDaysOfOneMonth(days: number, nowMs: number): string {
  const today = Math.floor(nowMs / MILLIS_PER_DAY) * MILLIS_PER_DAY;
  const dayOfMonth = new Date(today).getUTCDate();
  const end = dayOfMonth > days ? today : today - (dayOfMonth - 1) * MILLIS_PER_DAY;
  return formatInstant(end - days * MILLIS_PER_DAY);
}

async function writeFiles(sim: Simulation, folder: string, cli: Cli): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.yaml'), simulationDocuments(sim));
  await pipeline(Readable.from(simulateBill(sim)), createWriteStream(join(folder, 'bill.csv')));
  await pipeline(
    Readable.from(lines(simulateTraces(sim))),
    createGzip(),
    createWriteStream(join(folder, 'traces.jsonl.gz')),
  );
  await pipeline(
    Readable.from(lines(simulateMetrics(sim))),
    createGzip(),
    createWriteStream(join(folder, 'metrics.jsonl.gz')),
  );
  cli.print(`Wrote model.yaml, bill.csv, traces.jsonl.gz and metrics.jsonl.gz to ${folder}.`);
}

function* lines(requests: Iterable<unknown>): Generator<string> {
  for (const request of requests) yield `${JSON.stringify(request)}\n`;
}

/** Goes the way of real data: documents, OTLP receivers, bill import, allocation. */
async function send(sim: Simulation, cli: Cli): Promise<void> {
  await cli.ask<DocumentsAnswer>('POST', '/api/v1/documents?by=simulate', simulationDocuments(sim), 'application/yaml');
  let spans = 0;
  let under: Promise<void>[] = [];
  for (const request of simulateTraces(sim)) {
    spans += request.resourceSpans.reduce(
      (sum, { scopeSpans }) => sum + scopeSpans.reduce((n, scope) => n + scope.spans.length, 0),
      0,
    );
    under.push(cli.send('/v1/traces', encodeTraceRequest(request), 'application/x-protobuf'));
    if (under.length >= 16) {
      await Promise.all(under);
      under = [];
    }
  }
  await Promise.all(under);
  let points: Promise<void>[] = [];
  for (const request of simulateMetrics(sim)) {
    points.push(cli.send('/v1/metrics', Buffer.from(JSON.stringify(request)), 'application/json'));
    if (points.length >= 16) {
      await Promise.all(points);
      points = [];
    }
  }
  await Promise.all(points);
  cli.warn(`Sent ${spans} spans over OTLP.`);
  await cli.ask('POST', '/api/v1/settle');
  const part = { name: 'bill.csv', open: () => [...simulateBill(sim)].join('') };
  const bill = await sendBill(cli, [part], { format: 'focus', replace: true });
  const months = monthsOf(sim);
  const range = { from: formatInstant(months[0]!.fromMs), to: formatInstant(months.at(-1)!.toMs) };
  const posted = await cli.ask<AllocateAnswer>('POST', '/api/v1/allocate', JSON.stringify(range));
  cli.warn(`Imported a bill of ${bill.rows} rows and shared out ${posted.slices} slices of it.`);
}
