import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importBill } from '../../src/bill/index.ts';
import { boundarySpec, Collector } from '../../src/collect/index.ts';
import { costModelSpec } from '../../src/cost/index.ts';
import { closePeriod, costReport, postAllocation, reconcile } from '../../src/ledger/index.ts';
import { parseMonth, parseRange } from '../../src/model/index.ts';
import { applyVersions, openStore, parseDocuments, type Store, type StoreConfig } from '../../src/store/index.ts';
import {
  activationReport,
  adoptionReport,
  baselineReport,
  callLog,
  listEvents,
  type Meter,
  meterSpec,
  patternsReport,
  queryMeter,
  retentionReport,
  rollingReport,
  sequencesReport,
  usageReport,
  volumeReport,
  whyReport,
} from '../../src/usage/index.ts';

/** Everything that goes in. */
export interface JobInput {
  readonly traces: readonly string[];
  readonly metrics: readonly string[];
  readonly bills: readonly string[];
  readonly documents: string;
  readonly from: string;
  readonly to: string;
  readonly month: string;
}

const NOW = new Date('2026-11-01T00:00:00Z');

/**
 * The whole job of the house, each step of it twice: ingest, apply, import, allocate, ask, close.
 *
 * Gives  every answer, to be compared between engines digit for digit.
 * Fails  where the second time does not leave things as the first time left them.
 */
export async function wholeJob(config: StoreConfig, input: JobInput): Promise<Record<string, unknown>> {
  mkdirSync(config.folder, { recursive: true });
  const store = await openStore(config);
  const collector = await Collector.open({
    store,
    folder: config.folder,
    nowMs: () => NOW.getTime(),
    loadEveryMs: 3_600_000,
    journalCapacityBytes: 1 << 30,
    warn: (message) => {
      throw new Error(message);
    },
  });
  try {
    const steps = stepsOf(store, collector, config.folder, input);
    for (const step of steps) await step();
    const once = await answers(store, input);
    for (const step of steps) await step();
    const twice = await answers(store, input);
    return {
      ...once,
      repeated: JSON.stringify(once) === JSON.stringify(twice) ? 'the same' : twice,
      closed: await close(store, input),
    };
  } finally {
    await collector.close();
    await store.close();
  }
}

function stepsOf(store: Store, collector: Collector, folder: string, input: JobInput): (() => Promise<void>)[] {
  return [
    async () => {
      for (const line of input.traces) await collector.traces(Buffer.from(line), 'json');
      for (const line of input.metrics) await collector.metrics(Buffer.from(line), 'json');
      await collector.events(Buffer.from(events), 'batch');
      await collector.settle();
    },
    async () => {
      const schemas = { CostModel: costModelSpec, Boundary: boundarySpec };
      const versions = parseDocuments(input.documents).map(({ kind, name, effectiveFromMs, reason, check }) => {
        const checked = check<unknown>(schemas[kind as keyof typeof schemas]);
        if ('problems' in checked) throw new Error(JSON.stringify(checked.problems));
        return { kind, name, effectiveFromMs, reason, spec: checked.value };
      });
      await applyVersions(store.documents, versions, 'test', NOW);
      await collector.applyBoundary();
    },
    async () => {
      for (const [place, text] of input.bills.entries()) {
        const path = join(folder, `bill-${place}.csv`);
        writeFileSync(path, text);
        await importBill(store, [{ name: `bill-${place}.csv`, path }], { format: 'focus', replace: true, now: NOW });
      }
    },
    async () => {
      await postAllocation(store, parseRange(input.from, input.to), NOW);
    },
  ];
}

/** Values in every form, over a night in which clocks are put back; some are no numbers, some are sent twice. */
const events = `[${Array.from({ length: 400 }, (_, place) => {
  const value = [place, `"${place}.1"`, `${place}.000000000000000001`, '"none"', 'null', `${place}e-3`][place % 6];
  const time = new Date(Date.UTC(2026, 9, 24, 20) + place * 7 * 60_000).toISOString();
  const attributes = {
    specversion: '1.0',
    id: `${place % 390}`,
    source: 's',
    type: 'step',
    subject: `s'${place % 3}`,
    time,
  };
  return `${JSON.stringify(attributes).slice(0, -1)},"data":{"v":${value},"g":["a",{"b":${place % 4}}]}}`;
}).join(',')}]`;

/** Reports on usage, by every kind of rows that they are summed from. */
async function usageReports(store: Store, input: JobInput): Promise<unknown[]> {
  const range = parseRange(input.from, input.to);
  const middle = range.fromMs + (range.toMs - range.fromMs) / 2 + 12_345;
  const asked = { timeZone: 'Asia/Kolkata', only: {}, range, base: null };
  const halves = { range: { fromMs: middle, toMs: range.toMs }, base: { fromMs: range.fromMs, toMs: middle } };
  const benchmark = { ...halves, weeks: 2, costs: async () => new Map() };
  return [
    await volumeReport(store, { ...asked, window: 'day', by: ['tenant'] }, NOW),
    await volumeReport(store, { ...asked, ...halves, window: null, by: ['endpoint', 'version'] }, NOW),
    await rollingReport(store, { ...asked, atMs: middle, spanMs: 86_400_000, stepMs: 3_600_001, points: 9 }, NOW),
    await adoptionReport(store, { ...asked, window: 'week', of: 'consumer' }, NOW),
    await retentionReport(store, { ...asked, window: 'day', of: 'tenant' }, NOW),
    await activationReport(store, { range, successes: 2, valueEvent: 'step', signUpEvent: '' }, NOW),
    await sequencesReport(store, { ...asked, users: 3, length: 2 }, NOW),
    await baselineReport(store, { ...asked, ...benchmark, metric: 'callsPerTenant', window: 'hour' }, NOW),
    exactText(await patternsReport(store, { range, only: {} }, NOW)),
    await whyReport(store, { ...asked, ...halves, by: ['tenant', 'status'], shown: 3 }, NOW),
    await callLog(store, { ...asked, traceId: '', statusCode: null, limit: 50, cursor: '' }, NOW),
    await callLog(
      store,
      { ...asked, only: { status: ['none'] }, traceId: '', statusCode: 0, limit: 5, cursor: '' },
      NOW,
    ),
  ];
}

/** Whole numbers of any size as texts. */
function exactText(report: object): string {
  return JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

async function meterAnswers(store: Store): Promise<unknown[]> {
  const whole = { fromMs: null, toMs: null, subjects: null, filter: {} };
  const questions = [
    { ...whole, window: 'HOUR', timeZone: 'Australia/Lord_Howe', groupBy: ['subject'] },
    { ...whole, window: 'DAY', timeZone: 'Europe/Berlin', groupBy: ['g'], filter: { g: ['1', '2'] } },
    { ...whole, window: 'MONTH', timeZone: 'Asia/Kathmandu', groupBy: [], subjects: ["s'1"] },
    { ...whole, window: null, timeZone: 'UTC', groupBy: ['g', 'subject'] },
  ] as const;
  const found: unknown[] = [];
  for (const aggregation of ['SUM', 'COUNT', 'UNIQUE_COUNT', 'AVG', 'MIN', 'MAX', 'LATEST']) {
    const fields = { eventType: 'step', aggregation, valueProperty: '$.v', groupBy: { g: '$.g[1].b' } };
    const meter: Meter = { id: '', slug: 'm', spec: meterSpec.parse(fields), createdAt: '', updatedAt: '' };
    for (const question of questions) found.push(await queryMeter(store.columns, meter, question));
    for (const hasError of [true, false])
      found.push(await listEvents(store.columns, [meter], { hasError, limit: 100 }));
  }
  return found;
}

async function answers(store: Store, input: JobInput): Promise<Record<string, unknown>> {
  const range = parseRange(input.from, input.to);
  const { columns } = store;
  const by = ['tenant', 'endpoint'] as const;
  return {
    cost: await costReport(store, range, [...by]),
    costByPool: await costReport(store, range, ['pool']),
    costByService: await costReport(store, range, ['service']),
    costByDay: await costReport(store, range, ['tenant', 'day'], undefined, 'America/New_York'),
    usage: await usageReport(store, { range, by: [...by], window: 'none', timeZone: 'UTC' }),
    usageByHour: await usageReport(store, {
      range,
      by: [...by, 'consumer'],
      window: 'hour',
      timeZone: 'Asia/Kathmandu',
    }),
    usageByDay: await usageReport(store, { range, by: [], window: 'day', timeZone: 'America/New_York' }),
    reconciled: await reconcile(store, parseMonth(input.month)),
    rows: await columns.query(
      `SELECT hex(trace_id) AS trace, hex(span_id) AS span, kind, hex(call_span) AS call, is_call, share, tenant, endpoint, resolver, busy_us,
        db_us, ext_us, weight, start_at, end_at, cpu_us, bytes_out, arrayMap(link -> hex(link), links) AS linked, sum(sign) AS net
       FROM work GROUP BY ALL HAVING net != 0 ORDER BY ALL`,
    ),
    meters: await meterAnswers(store),
    usageReports: await usageReports(store, input),
    samples: await columns.query(
      'SELECT metric, hex(series) AS series, service, pod, kind, at, value, age FROM samples FINAL ORDER BY ALL',
    ),
    postings: await columns.query(
      `SELECT hex(slice) AS slice, version, source, account, charge_start, pool, driver, ledger, service, tenant, endpoint, entry, weight, amount
       FROM postings ORDER BY ALL`,
    ),
  };
}

/** What closing the month says: its figures, or why it refuses. */
async function close(store: Store, input: JobInput): Promise<unknown> {
  try {
    return await closePeriod(store, parseMonth(input.month), 'test', NOW);
  } catch (cause) {
    const { code, facts, problems } = cause as { code: string; facts: unknown; problems: unknown };
    if (code === undefined) throw cause;
    return { code, facts, problems };
  }
}
