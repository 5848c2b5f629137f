import { finerCharges } from '../../src/bill/index.ts';
import { type LetGoResult, Retention, readLetGo, workTotals } from '../../src/collect/index.ts';
import { rawFees } from '../../src/cost/index.ts';
import { costReport, reconcile } from '../../src/ledger/index.ts';
import { monthsOf, parseRange } from '../../src/model/index.ts';
import { usageReport } from '../../src/usage/index.ts';
import type { AuditInput } from './auditor/auditor.ts';
import type { House } from './house.ts';

export const HOUR_MS = 3_600_000;

/** A clock that a test sets. */
export class Clock {
  nowMs: number;

  constructor(at: string) {
    this.nowMs = Date.parse(at);
  }

  readonly now = () => this.nowMs;

  set(at: string): void {
    this.nowMs = Date.parse(at);
  }
}

/**
 * Receives everything, the traces in two months: rows of one trace, and corrections of what was received before, lie in both.
 *
 * Takes  clock: in the first of the months; it is in the second one afterwards.
 */
export async function receivedInTwoMonths(house: House, clock: Clock, input: AuditInput): Promise<void> {
  const half = Math.floor(input.traces.length / 2);
  await house.apply(input.model);
  await house.ingestMetrics(input.metrics);
  await house.importBills(input.bills);
  await house.ingestTraces(input.traces.slice(half));
  clock.set('2031-02-01T04:00:00Z');
  await house.ingestTraces(input.traces.slice(0, half));
}

/** Keeps spans for 62 days and everything else for ever. */
export function retentionOf(house: House, clock: Clock, columns = house.store.columns): Retention {
  return new Retention({
    columns,
    keptDays: { spans: 62, rollups: null, samples: null, events: null },
    nowMs: clock.now,
    settleSince: (day) => house.collector.settleSince(day),
    needsRawWork: async (range) => (await finerCharges(house.store, range)) ?? rawFees(house.store, range),
  });
}

/** Lets go of spans, asks, deletes them for good, and asks again. */
export async function letGoAndDelete(house: House, clock: Clock, between: () => Promise<void>): Promise<LetGoResult[]> {
  const results = await retentionOf(house, clock).run();
  await between();
  clock.nowMs += HOUR_MS;
  await retentionOf(house, clock).run();
  return results;
}

/** Of sampled work the standard error is unknown when only sums are left; it has a test of its own. */
async function costOf(...question: Parameters<typeof costReport>): Promise<object> {
  const report = await costReport(...question);
  return { ...report, rows: report.rows.map(({ standardError: _, ...row }) => row) };
}

/** Everything that can be asked of a range and has to do with work, allocated anew from nothing. */
export async function answersOf(house: House, { from, to }: Pick<AuditInput, 'from' | 'to'>): Promise<object> {
  const { store } = house;
  const range = parseRange(from, to);
  const cutMs = range.fromMs + Math.floor((range.toMs - range.fromMs) / HOUR_MS / 2) * HOUR_MS;
  await store.columns.command('TRUNCATE TABLE postings');
  const { slices, rows } = await house.allocate({ from, to });
  const usage = (by: readonly ('tenant' | 'endpoint')[], window: 'none' | 'hour') =>
    usageReport(store, { range, by, window, timeZone: 'Asia/Kathmandu' });
  return {
    ...{ slices, rows },
    report: await costOf(store, range, ['tenant', 'endpoint']),
    pools: await costOf(store, range, ['tenant', 'pool', 'service']),
    days: await costOf(store, range, ['tenant', 'day'], undefined, 'Asia/Kathmandu'),
    early: await costOf(store, { fromMs: range.fromMs, toMs: cutMs }, ['endpoint']),
    late: await costOf(store, { fromMs: cutMs, toMs: range.toMs }, ['endpoint']),
    usage: [await usage(['tenant', 'endpoint'], 'none'), await usage(['tenant'], 'hour')],
    reconciled: await Promise.all(monthsOf(range).map((month) => reconcile(store, month))),
  };
}

export const INTERNAL = 1;
export const SERVER = 2;
const day = parseRange('2031-01-31', '2031-02-01');
const START = BigInt(Date.parse('2031-01-31T12:00:00Z')) * 1_000_000n;

/** A span: times in microseconds after noon. */
export function span(id: number, parent: number, kind: number, from: number, to: number, trace = 1): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const time = (us: number) => String(START + BigInt(us) * 1000n);
  const attributes = [
    { key: 'tenant.id', value: { stringValue: 'acme' } },
    { key: 'http.request.method', value: { stringValue: 'GET' } },
    { key: 'http.route', value: { stringValue: '/a' } },
  ];
  const sent = {
    ...{ traceId: hex(trace, 32), spanId: hex(id, 16), kind, name: 'work', attributes },
    ...(parent === 0 ? {} : { parentSpanId: hex(parent, 16) }),
    ...{ startTimeUnixNano: time(from), endTimeUnixNano: time(to) },
  };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'api' } }] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [sent] }] }] });
}

/** What the work of the day comes to, for all tenants, of nobody's too. */
export async function totalsOf(house: House): Promise<{ calls: number; spans: number; busyUs: number; usage: number }> {
  const { columns } = house.store;
  const table = workTotals(await readLetGo(columns), ['calls', 'spans', 'busy_us'], false);
  const [row] = await columns.query<Record<'calls' | 'spans' | 'busy', string>>(
    `SELECT sum(calls_total) AS calls, sum(spans_total) AS spans, sum(busy_us_total) AS busy FROM ${table}`,
    { from: day.fromMs, to: day.toMs },
  );
  const { calls } = await usageReport(house.store, { range: day, by: [], window: 'none', timeZone: 'UTC' });
  const ones = (text: string) => Number(text) / 1e6;
  return { calls: ones(row!.calls), spans: ones(row!.spans), busyUs: ones(row!.busy), usage: calls };
}
