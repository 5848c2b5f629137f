// npm run bench [-- PART...] [small]: measures what docs/internals/performance.md reports, against references in the same run.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { benchAccuracy } from './accuracy.ts';
import { benchAllocation } from './allocation.ts';
import { benchBill } from './bill.ts';
import { benchEndurance } from './endurance.ts';
import { insertReference } from './insert-reference.ts';
import { runLimits } from './limits-table.ts';
import { benchLines, logForms } from './log-lines.ts';
import { benchMetrics } from './metrics.ts';
import { benchOutage } from './outage.ts';
import { benchRecovery } from './recovery.ts';
import { benchReports } from './reports.ts';
import { benchSdk } from './sdk.ts';
import { benchSpans } from './spans.ts';
import { benchUsage } from './usage.ts';
import { benchVisibility } from './visibility.ts';

type Row = readonly [what: string, measured: string | number, mustReach: string, reference: string];

/** What a part found: rows for people, and results that must be the same on every machine. */
interface Findings {
  readonly rows: readonly Row[];
  readonly results?: Readonly<Record<string, unknown>>;
}

const asked = process.argv.slice(2);
const isSmall = asked.includes('small');
const SPANS_PER_SECOND = 20_000;
const size = isSmall
  ? {
      spans: 20_000,
      lines: 20_000,
      groups: 2_000,
      points: 20_000,
      visibleSeconds: 5,
      enduranceSeconds: 10,
      downSeconds: 10,
      trueCalls: 1_000,
      recovered: 40_000,
      charges: 50_000,
      reported: 1_000_000,
      sdkTurns: 4,
      usage: { calls: 400_000, callsPerBatch: 100_000, tenants: 2_000, endpoints: 50, times: 3 },
    }
  : {
      spans: 1_000_000,
      lines: 2_000_000,
      groups: 1_000_000,
      points: 500_000,
      visibleSeconds: 60,
      enduranceSeconds: 600,
      downSeconds: 600,
      trueCalls: 6_000,
      recovered: 5_000_000,
      charges: 5_000_000,
      reported: 100_000_000,
      sdkTurns: 40,
      usage: { calls: 100_000_000, callsPerBatch: 1_000_000, tenants: 2_000, endpoints: 50, times: 20 },
    };
const folder = mkdtempSync(join(tmpdir(), 'taximeter-bench-'));
const megabytes = (sizeBytes: number) => Math.round(sizeBytes / 2 ** 20);
const two = (value: number) => value.toFixed(2);
const ratio = (value: number, reference: number) => `${two(value / reference)} x reference`;

async function spans(): Promise<Findings> {
  const figures = await benchSpans(size.spans, folder);
  const insert = await insertReference(join(folder, 'whole'));
  const { acceptCpuPerMillion, decodeCpuPerMillion, decodeReferenceCpuPerMillion: library } = figures;
  const rows: Row[] = [
    [
      'spans accepted durably, CPU-s per million',
      two(acceptCpuPerMillion),
      '<= 3',
      `decoding alone, @bufbuild/protobuf: ${two(library)} (${ratio(acceptCpuPerMillion, library)})`,
    ],
    [
      'spans decoded into rows, CPU-s per million',
      two(decodeCpuPerMillion),
      '< reference',
      `@bufbuild/protobuf into messages, both warmed up on the same requests: ${two(library)} (${ratio(decodeCpuPerMillion, library)})`,
    ],
    ['spans accepted durably, per second', Math.round(figures.acceptPerSecond), '', 'sender on the same machine'],
    [
      'spans accept to queryable, CPU-s per million',
      two(figures.queryableCpuPerMillion),
      '<= 10',
      `bare insert of the same rows: ${two(insert.cpuPerMillion)} (${ratio(figures.queryableCpuPerMillion, insert.cpuPerMillion)})`,
    ],
    ['spans accept to queryable, per second', Math.round(figures.queryablePerSecond), '', ''],
    ['resident memory idle, MB', Math.round(figures.idleBytes / 2 ** 20), '<= 600', ''],
    ['resident memory at ingest, highest, MB', Math.round(figures.peakBytes / 2 ** 20), '<= 2048', ''],
  ];
  return { rows, results: { spans: figures.spans, calls: figures.calls, rows: insert.rows } };
}

async function logs(): Promise<Findings> {
  const rows = (Object.keys(logForms) as (keyof typeof logForms)[]).map((format): Row => {
    const { linesPerSecond, goaccessLinesPerSecond: theirs } = benchLines(format, size.lines, folder);
    const reference =
      theirs === null
        ? 'goaccess is not installed'
        : `goaccess: ${Math.round(theirs)} (${ratio(linesPerSecond, theirs)})`;
    return [`${format} lines to queryable usage, per second`, Math.round(linesPerSecond), '>= 250000', reference];
  });
  return { rows };
}

async function metrics(): Promise<Findings> {
  const { micros, referenceMicros } = benchMetrics(size.points);
  const reference = `@bufbuild/protobuf into messages: ${two(referenceMicros)} (${ratio(micros, referenceMicros)})`;
  return { rows: [['metric points decoded into samples, CPU-us per point', two(micros), '<= reference', reference]] };
}

async function visibility(): Promise<Findings> {
  const load = { spansPerSecond: SPANS_PER_SECOND, seconds: size.visibleSeconds };
  const { calls, median, p99, largest, lateSeconds } = await benchVisibility(load, folder);
  const reference = `${calls} calls; median ${two(median)}, largest ${two(largest)}; load late by at most ${two(lateSeconds)} s`;
  return { rows: [[`call visible under ${SPANS_PER_SECOND} spans/s, p99 seconds`, two(p99), '<= 3', reference]] };
}

async function endurance(): Promise<Findings> {
  const load = { spansPerSecond: SPANS_PER_SECOND, seconds: size.enduranceSeconds };
  const { growth, series, everySeconds, seconds, lateSeconds } = await benchEndurance(load, folder);
  console.log(`resident memory every ${two(everySeconds)} s, MB: ${series.join(' ')}`);
  const what = `resident memory over ${seconds} s at ${SPANS_PER_SECOND} spans/s, last quarter to second`;
  const reference = `highest ${Math.max(...series)} MB; load late by at most ${two(lateSeconds)} s`;
  return { rows: [[what, two(growth), '<= 1.10', reference]] };
}

async function outage(): Promise<Findings> {
  const figures = await benchOutage({ spansPerSecond: 2_000, downSeconds: size.downSeconds }, join(folder, 'outage'));
  const { spans, downSeconds, refused, refusedWithRetryAfter, catchUpSeconds, isExact } = figures;
  const reference = `journal ${megabytes(figures.journalBytes)} MB; ${refused} answers 503, ${refusedWithRetryAfter} with Retry-After; caught up ${two(catchUpSeconds)} s after; highest memory ${megabytes(figures.peakBytes)} MB`;
  const what = `${spans} spans with the engine away for ${downSeconds} s, counted as without`;
  return { rows: [[what, isExact ? 'yes' : 'NO', 'yes', reference]], results: { outageExact: isExact } };
}

async function allocation(): Promise<Findings> {
  const { shares, seconds, cpuSeconds, tenants, residual } = await benchAllocation(
    size.groups,
    join(folder, 'allocation'),
  );
  const what = `allocate ${shares} shares, seconds`;
  const rows: Row[] = [[what, two(seconds), '<= 60 for 20 million', `CPU seconds ${two(cpuSeconds)}`]];
  return { rows, results: { shares, tenants, residual } };
}

async function accuracy(): Promise<Findings> {
  const figures = await benchAccuracy(size.trueCalls, folder);
  const percent = (share: number) => `${two(share * 100)} %`;
  return {
    rows: figures.map(({ what, endpointError, tenantError, inBand }): Row => {
      const others = `mean error per tenant ${percent(tenantError)}${inBand ? `; ${inBand} in the 95 % band` : ''}`;
      return [`costs against true ones, ${what}: mean error per endpoint`, percent(endpointError), '', others];
    }),
  };
}

async function recovery(): Promise<Findings> {
  const { spans, seconds, cpuSeconds, journalBytes, peakBytes, calls } = await benchRecovery(
    size.recovered,
    join(folder, 'recovery'),
  );
  const what = `${spans} journalled spans to queryable after a kill, seconds`;
  const reference = `CPU seconds ${two(cpuSeconds)}; journal ${megabytes(journalBytes)} MB; highest memory ${megabytes(peakBytes)} MB`;
  return {
    rows: [[what, two(seconds), '<= 60 for 5 million', reference]],
    results: { recovered: spans, recoveredCalls: calls },
  };
}

async function bill(): Promise<Findings> {
  const { rows, seconds, cpuSeconds, peakBytes, fileBytes, billed } = await benchBill(size.charges, folder);
  const what = `import of ${rows} FOCUS rows in ${megabytes(fileBytes)} MB of Parquet, seconds`;
  const reference = `CPU seconds ${two(cpuSeconds)}; highest memory ${megabytes(peakBytes)} MB`;
  return { rows: [[what, two(seconds), '<= 120 for 5 million', reference]], results: { charges: rows, billed } };
}

/** Reports on the cost of a month of calls, which takes minutes to make. */
async function reports(): Promise<Findings> {
  const figures = await benchReports(size.reported, join(folder, 'reports'));
  const { calls, shares, residual } = figures;
  const of = `of ${calls} calls, ${shares} shares`;
  return {
    rows: [
      [`cost by tenant and endpoint ${of}, seconds`, two(figures.costSeconds), '<= 2', ''],
      [`cost by tenant and day ${of}, seconds`, two(figures.costByDaySeconds), '<= 2', ''],
      [`reconcile ${of}, seconds`, two(figures.reconcileSeconds), '<= 2', ''],
      [`reconcile by service and day ${of}, seconds`, two(figures.fullReconcileSeconds), '<= 2', ''],
      [`allocate ${of}, seconds`, two(figures.allocateSeconds), '', `again: ${two(figures.againSeconds)}`],
    ],
    results: { reported: calls, reportedShares: shares, reportedResidual: residual },
  };
}

/** Prints tables of its own: which algorithm admits how many at worst, and how fast decisions are. */
async function limits(): Promise<Findings> {
  await runLimits(isSmall ? 20_000 : 1_000_000, join(folder, 'limits'));
  return { rows: [] };
}

/** A bare Fastify server, and the same with the middleware, in turns. */
async function sdk(): Promise<Findings> {
  const { bare, measured, bareCpuUs, measuredCpuUs, spans, delivered } = await benchSdk(size.sdkTurns, folder);
  const middle = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const ratios = measured.map((each, turn) => each / bare[turn]!);
  const added = (part: 'main' | 'all') =>
    middle(measuredCpuUs.map((each, turn) => each[part] - bareCpuUs[turn]![part]));
  const of = (part: 'main' | 'all') => middle(bareCpuUs.map((each) => each[part]));
  const turns = `bare ${Math.round(middle(bare))}/s, measured ${Math.round(middle(measured))}/s; turns from ${two(Math.min(...ratios))} to ${two(Math.max(...ratios))}`;
  return {
    rows: [
      ['throughput with @taximeter/node to bare Fastify, median of turns', two(middle(ratios)), '>= 0.95', turns],
      ['CPU-us a request added, thread that answers', two(added('main')), '', `bare ${two(of('main'))}`],
      ['CPU-us a request added, all threads', two(added('all')), '', `bare ${two(of('all'))}`],
      ['spans that did not arrive', spans - delivered, '0', `${spans} calls`],
    ],
  };
}

/** Reports on usage over a year of calls, which takes long to make. */
async function usage(): Promise<Findings> {
  const { times, ...set } = size.usage;
  const figures = await benchUsage(join(folder, 'usage'), set, times, (text) => console.error(text));
  return {
    rows: figures.map(({ report, p50Ms, p95Ms, budgetMs, referenceMs }): Row => {
      const plain = referenceMs === null ? '' : `; plain SQL over the calls ${Math.round(referenceMs)} ms`;
      return [
        `${report} of ${set.calls} calls, p95 ms`,
        Math.round(p95Ms),
        `<= ${budgetMs}`,
        `p50 ${Math.round(p50Ms)} ms${plain}`,
      ];
    }),
  };
}

/** In the order in which they run. */
const parts: Readonly<Record<string, () => Promise<Findings>>> = {
  spans,
  logs,
  metrics,
  visibility,
  endurance,
  outage,
  recovery,
  bill,
  allocation,
  reports,
  usage,
  limits,
  sdk,
  accuracy,
};

const named = asked.filter((name) => name !== 'small');
const unknown = named.filter((name) => !(name in parts));
if (unknown.length > 0)
  throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);

try {
  const table = new Table({
    head: ['what', 'measured', 'must reach', 'reference in the same run'],
    style: { head: [], border: [] },
  });
  const results: Record<string, unknown> = {};
  for (const [name, measure] of Object.entries(parts)) {
    if (named.length > 0 && !named.includes(name)) continue;
    const findings = await measure();
    table.push(...findings.rows.map((row) => [...row]));
    // Told at once: a later part may fail, or never end.
    for (const row of findings.rows) console.log(row.join(' | '));
    Object.assign(results, findings.results);
  }
  console.log(`${cpus().length} cores, ${cpus()[0]?.model}, Node ${process.versions.node}`);
  console.log(table.toString());
  console.log('results', JSON.stringify(results));
  console.log('hash of the results', createHash('sha256').update(JSON.stringify(results)).digest('hex').slice(0, 16));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
