import { MILLIS_PER_HOUR, type TimeRange } from '../model/index.ts';
import type { Store, StoredPeriod } from '../store/index.ts';
import { callKey } from './call-queries.ts';
import { closedPeriods } from './queries.ts';
import type { Dimension } from './sum-queries.ts';

/** Calls that came, less those that went, after the first bill of their time was closed. */
export interface LateCalls {
  readonly total: number;
  /** By tenant and endpoint as far as asked for, under `callKey`; null by days. */
  readonly byGroup: ReadonlyMap<string, number> | null;
}

/**
 * Counts late calls of a range.
 *
 * Takes  closed: the closed periods.
 * Gives  null where the range cuts a closed hour in two: what was known at close is kept by hours.
 */
export async function lateCalls(
  store: Store,
  range: TimeRange,
  by: readonly Dimension[],
  closed: readonly StoredPeriod[],
): Promise<LateCalls | null> {
  const stretches = closedStretches(closed, range);
  if (stretches.length === 0) return { total: 0, byGroup: by.includes('day') ? null : new Map() };
  const isWhole = (ms: number) => ms % MILLIS_PER_HOUR === 0;
  if (!stretches.every(({ fromMs, toMs }) => isWhole(fromMs) && isWhole(toMs))) return null;
  const key = (name: 'tenant' | 'endpoint') => `${by.includes(name) ? name : "''"} AS k_${name}`;
  const within = (column: string) => `(${stretches.map((stretch) => inStretch(column, stretch)).join(' OR ')})`;
  const closings = [...new Set(closed.map((period) => Date.parse(period.closed_at)))];
  const known = closings.map((ms) => `fromUnixTimestamp64Milli(${ms}, 'UTC')`).join(', ');
  const rows = await store.columns.query<{ k_tenant: string; k_endpoint: string; late: string }>(
    `SELECT k_tenant, k_endpoint, sum(n) AS late FROM (
      SELECT ${key('tenant')}, ${key('endpoint')}, sum(calls) AS n FROM usage_minute
      WHERE marker = 0 AND ${within('toStartOfHour(minute)')} GROUP BY k_tenant, k_endpoint
      UNION ALL
      SELECT ${key('tenant')}, ${key('endpoint')}, -sum(calls) AS n FROM calls_at_close
      WHERE closing IN (${known}) AND ${within('hour')} GROUP BY k_tenant, k_endpoint
    ) GROUP BY k_tenant, k_endpoint HAVING late != 0`,
  );
  const total = Number(rows.reduce((sum, { late }) => sum + BigInt(late), 0n)) / 1e6;
  if (by.includes('day')) return { total, byGroup: null };
  const groups = rows.map(({ k_tenant: tenant, k_endpoint: endpoint, late }) => {
    return [callKey({ tenant, endpoint, day: '' }), Number(late) / 1e6] as const;
  });
  return { total, byGroup: new Map(groups) };
}

/** Counts late calls of a range, by tenant and endpoint as far as asked for. */
export async function lateCallsOf(
  store: Store,
  range: TimeRange,
  by: readonly ('tenant' | 'endpoint')[],
): Promise<{ readonly total: number; readonly of: (tenant?: string, endpoint?: string) => number } | null> {
  const late = await lateCalls(store, range, by, await closedPeriods(store.documents));
  if (late === null) return null;
  const of = (tenant = '', endpoint = '') => late.byGroup?.get(callKey({ tenant, endpoint, day: '' })) ?? 0;
  return { total: late.total, of };
}

/**
 * Keeps how many calls were known of hours that are being closed. Of hours that were closed before it keeps nothing: the first
 * closing of a bill of their time says what is late. Written before the closing itself, which makes it count.
 */
export async function keepCallsAtClose(
  store: Store,
  closing: readonly Pick<StoredPeriod, 'billing_start' | 'billing_end'>[],
  closed: readonly StoredPeriod[],
  now: Date,
): Promise<void> {
  const before = closed.map(stretchOf);
  const fresh = merged(closing.map(stretchOf)).flatMap((stretch) => before.reduce(without, [stretch]));
  for (const stretch of merged(fresh)) {
    await store.columns.command(
      `INSERT INTO calls_at_close (closing, hour, tenant, endpoint, calls)
       SELECT fromUnixTimestamp64Milli({now:Int64}, 'UTC'), toStartOfHour(minute) AS of_hour, tenant, endpoint, sum(calls) FROM usage_minute
       WHERE marker = 0 AND ${inStretch('toStartOfHour(minute)', stretch)} GROUP BY of_hour, tenant, endpoint`,
      { now: now.getTime() },
    );
  }
}

/** The parts of a range that are closed, without overlap. */
function closedStretches(closed: readonly StoredPeriod[], range: TimeRange): TimeRange[] {
  const parts = closed.map(stretchOf).map(({ fromMs, toMs }) => ({
    fromMs: Math.max(fromMs, range.fromMs),
    toMs: Math.min(toMs, range.toMs),
  }));
  return merged(parts.filter(({ fromMs, toMs }) => fromMs < toMs));
}

function stretchOf(period: Pick<StoredPeriod, 'billing_start' | 'billing_end'>): TimeRange {
  return { fromMs: Number(period.billing_start), toMs: Number(period.billing_end) };
}

function merged(stretches: readonly TimeRange[]): TimeRange[] {
  const whole: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of [...stretches].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = whole.at(-1);
    if (last && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else whole.push({ fromMs, toMs });
  }
  return whole;
}

function without(stretches: readonly TimeRange[], cut: TimeRange): TimeRange[] {
  return stretches
    .flatMap(({ fromMs, toMs }) => [
      { fromMs, toMs: Math.min(toMs, cut.fromMs) },
      { fromMs: Math.max(fromMs, cut.toMs), toMs },
    ])
    .filter(({ fromMs, toMs }) => fromMs < toMs);
}

function inStretch(column: string, { fromMs, toMs }: TimeRange): string {
  return `${column} >= toDateTime(${fromMs / 1000}, 'UTC') AND ${column} < toDateTime(${toMs / 1000}, 'UTC')`;
}
