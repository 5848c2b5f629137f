import { divideHalfEven, formatInstant, formatMoney, type TimeRange, UNKNOWN_TENANT } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import type { Presence } from '../reports/freshness.ts';
import type { Choice } from '../sums/dimensions.ts';
import { callsSource, sumCalls } from '../sums/sum-calls.ts';
import { dateOf } from '../time/calendar.ts';

/** Figures that have benchmarks of their own. */
export const benchmarkMetrics = [
  'calls',
  'errors',
  'errorRate',
  'activeTenants',
  'callsPerTenant',
  'costPerCall',
] as const;
export type BenchmarkMetric = (typeof benchmarkMetrics)[number];

/** Of these less is better; of the others nobody can say it without knowing what somebody wants. */
export const lowerIsBetter: ReadonlySet<BenchmarkMetric> = new Set(['errors', 'errorRate', 'costPerCall']);

/** What calls of days cost, by their dates in the zone; a day of which it is not known is not there. Given by who knows money. */
export type CostsByDay = (
  range: TimeRange,
  timeZone: string,
  only: Choice,
) => Promise<ReadonlyMap<string, { readonly amountAtto: bigint; readonly callsMicro: bigint }>>;

/** A figure of a window. Costs are atto-units for each call, as a number: for statistics only. */
export interface MetricPoint {
  readonly window: TimeRange;
  readonly state: ReturnType<Presence['stateOf']>;
  /** Null where nobody knows. */
  readonly value: number | null;
  /** How many calls it is made of. */
  readonly calls: number;
}

export interface SeriesQuestion {
  readonly metric: BenchmarkMetric;
  /** Side by side, ascending. */
  readonly windows: readonly TimeRange[];
  readonly only: Choice;
  readonly timeZone: string;
  readonly costs: CostsByDay;
}

interface WindowSums {
  readonly calls: bigint;
  readonly errors: bigint;
  readonly known: bigint;
  readonly tenants: number;
}

const nothing: WindowSums = { calls: 0n, errors: 0n, known: 0n, tenants: 0 };

/** Reads a figure window by window, with what is known of how calls were sampled. */
export async function metricSeries(columns: ColumnStore, question: SeriesQuestion, presence: Presence) {
  const { metric, windows } = question;
  const isOfTenants = metric === 'activeTenants' || metric === 'callsPerTenant';
  const sums = isOfTenants ? await tenantSums(columns, question) : await plainSums(columns, question);
  const costs = metric === 'costPerCall' ? await costSums(question, sums) : null;
  let [calls, known] = [0n, 0n];
  const points = windows.map((window, place): MetricPoint => {
    const state = presence.stateOf(window, window);
    const sum = sums.get(place) ?? nothing;
    [calls, known] = [calls + sum.calls, known + sum.known];
    const isKnown = state !== 'gap' && state !== 'future';
    const value = !isKnown ? null : costs ? (costs.get(place) ?? null) : figureOf(metric, sum);
    return { window, state, value, calls: Number(sum.calls) / 1e6 };
  });
  return { points, calls, known };
}

function figureOf(metric: BenchmarkMetric, { calls, errors, tenants }: WindowSums): number | null {
  if (metric === 'calls') return Number(calls) / 1e6;
  if (metric === 'errors') return Number(errors) / 1e6;
  if (metric === 'errorRate') return calls > 0n ? Number(errors) / Number(calls) : null;
  if (metric === 'activeTenants') return tenants;
  return tenants > 0 ? Number(calls) / 1e6 / tenants : null;
}

async function plainSums(columns: ColumnStore, { windows, only }: SeriesQuestion): Promise<Map<number, WindowSums>> {
  const sums = await sumCalls(columns, { ranges: windows, by: [], only, isByRange: true });
  return new Map(sums.map(({ range, calls, errors, known }) => [range, { calls, errors, known, tenants: 0 }] as const));
}

/** Calls without a tenant are of nobody who could be active. */
async function tenantSums(columns: ColumnStore, { windows, only }: SeriesQuestion): Promise<Map<number, WindowSums>> {
  const source = await callsSource(columns, { ranges: windows, by: ['tenant'], only, isByRange: true });
  if (source === null) return new Map();
  const rows = await columns.query<Record<'at' | 'tenants' | 'n' | 'n_known', string>>(
    `SELECT at, count() AS tenants, sum(n) AS n, sum(n_known) AS n_known FROM (
       SELECT at, k_tenant, sum(calls) AS n, sum(known) AS n_known FROM (${source.sql})
       WHERE k_tenant != {nobody:String} GROUP BY at, k_tenant HAVING n > 0
     ) GROUP BY at`,
    { ...source.params, nobody: UNKNOWN_TENANT },
  );
  const places = new Map(windows.map(({ fromMs }, place) => [String(fromMs), place]));
  return new Map(
    rows.map(({ at, tenants, n, n_known }) => [
      places.get(at)!,
      { calls: BigInt(n), errors: 0n, known: BigInt(n_known), tenants: Number(tenants) },
    ]),
  );
}

/**
 * Costs are known by day: a window has those of its days, if they are known of all its calls. What a part of them cost may be far from
 * what the others did, and a window whose bill is still to come would look cheap or dear for that alone.
 */
async function costSums(
  { windows, only, timeZone, costs }: SeriesQuestion,
  all: ReadonlyMap<number, WindowSums>,
): Promise<Map<number, number>> {
  const first = windows[0];
  if (first === undefined) return new Map();
  const days = await costs({ fromMs: first.fromMs, toMs: windows.at(-1)!.toMs }, timeZone, only);
  const sums = new Map<number, { amount: bigint; calls: bigint }>();
  const firstDates = windows.map(({ fromMs }) => dateOf(fromMs, timeZone));
  for (const [date, { amountAtto, callsMicro }] of days) {
    const place = firstDates.findLastIndex((from) => from <= date);
    const sum = sums.get(place) ?? { amount: 0n, calls: 0n };
    sums.set(place, { amount: sum.amount + amountAtto, calls: sum.calls + callsMicro });
  }
  return new Map(
    [...sums].flatMap(([place, { amount, calls }]) =>
      calls > 0n && calls >= (all.get(place)?.calls ?? 0n)
        ? [[place, Number(divideHalfEven(amount * 1_000_000n, calls))] as const]
        : [],
    ),
  );
}

/** By how much a figure of so many calls differs by chance alone: calls come independently of each other, at best. */
export function noiseOf(metric: BenchmarkMetric, value: number, calls: number): number {
  if (metric === 'calls' || metric === 'errors' || metric === 'activeTenants') return Math.sqrt(Math.max(1, value));
  if (metric === 'callsPerTenant') return value / Math.sqrt(Math.max(1, calls));
  // One more failure, or one less, is always possible.
  if (metric === 'errorRate')
    return Math.sqrt(Math.max(value * (1 - value), 1 / Math.max(1, calls)) / Math.max(1, calls));
  return 0;
}

/** As answers show a figure: money for each call as text with 12 decimals, everything else as a number. */
export function shownFigure(metric: BenchmarkMetric, value: number | null): number | string | null {
  if (value === null) return null;
  return metric === 'costPerCall' ? formatMoney(BigInt(Math.round(value)), 12) : value;
}

export function shownWindow({ fromMs, toMs }: TimeRange): { readonly start: string; readonly end: string } {
  return { start: formatInstant(fromMs), end: formatInstant(toMs) };
}
