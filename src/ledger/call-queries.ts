import { bitsOf, checkGrain, checkKept, measuredCalls, readLetGo } from '../collect/index.ts';
import { type PoolDriver, secondsOf } from '../cost/index.ts';
import {
  type Driver,
  fail,
  MILLIS_PER_HOUR,
  MILLIS_PER_MINUTE,
  measuredDrivers,
  type TimeRange,
} from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';
import { measuredHours } from './measured-hours.ts';
import type { Dimension } from './sum-queries.ts';

/** Beyond so many rows of work a report takes what the last allocation counted. */
const MOST_WORK_ROWS = 2_000_000;
const LOOK_EVERY_MS = 14 * 24 * MILLIS_PER_HOUR;

/** Calls of one group, in millionths. */
export interface CallTotal {
  readonly tenant: string;
  readonly endpoint: string;
  /** Empty where days were not asked for. */
  readonly day: string;
  readonly calls: bigint;
  readonly known: bigint;
}

/** Gives calls by tenant, endpoint and day of a zone, as far as these are asked for; keyed by all three. */
export async function callTotals(
  columns: ColumnStore,
  range: TimeRange,
  by: readonly Dimension[],
  zone: string,
): Promise<Map<string, CallTotal>> {
  if (range.fromMs % MILLIS_PER_MINUTE !== 0 || range.toMs % MILLIS_PER_MINUTE !== 0) {
    throw fail('PARAMETER_INVALID', { reason: 'from and to must be whole minutes' });
  }
  await checkKept(columns, 'rollups', range.fromMs);
  // The engine keeps sums of hours, many times fewer than minutes; it takes them when the question names nothing finer.
  const isHourly = isWholeHours(range) && (!by.includes('day') || hasWholeHours(zone, range));
  const instant = isHourly ? 'toStartOfHour(minute)' : 'minute';
  const rows = await columns.query<CallKey & { n: string; n_known: string }>(
    `SELECT ${key('tenant', by)}, ${key('endpoint', by)}, ${dayKey(instant, by)}, sum(calls) AS n, sum(known) AS n_known FROM usage_minute
     WHERE marker = 0 AND ${instant} >= toDateTime({from:UInt32}, 'UTC') AND ${instant} < toDateTime({to:UInt32}, 'UTC')
     GROUP BY k_tenant, k_endpoint, k_day HAVING n != 0`,
    { ...secondsOf(range), ...zoneOf(by, zone) },
  );
  return new Map(
    rows.map(({ k_tenant: tenant, k_endpoint: endpoint, k_day: day, n, n_known }) => [
      callKey({ tenant, endpoint, day }),
      { tenant, endpoint, day, calls: BigInt(n), known: BigInt(n_known) },
    ]),
  );
}

/**
 * Gives the share of calls for which every one of these drivers was measured somewhere in their work.
 * Null when none of the drivers depends on a measurement: then all calls are covered. Where there is much work, it is what the last
 * allocation found, by whole hours.
 */
export async function measuredShares(
  columns: ColumnStore,
  range: TimeRange,
  by: readonly Dimension[],
  drivers: readonly Driver[],
  zone: string,
): Promise<Map<string, number> | null> {
  if (drivers.length === 0) return null;
  await checkKept(columns, 'rollups', range.fromMs);
  const letGo = await readLetGo(columns);
  await checkGrain(columns, letGo, range);
  const keys = (instant: string) => `${key('tenant', by)}, ${key('endpoint', by)}, ${dayKey(instant, by)}`;
  const fromWork = `SELECT ${keys('began')}, sumIf(root_share, is_covered) / sum(root_share) AS covered
     FROM ${measuredCalls(letGo, drivers)} GROUP BY k_tenant, k_endpoint, k_day`;
  const counted = `SELECT ${keys('hour')}, toFloat64(sumIf(calls, bitAnd(drivers, {bits:UInt32}) = {bits:UInt32})) / toFloat64(sum(calls)) AS covered
     FROM ${measuredHours} GROUP BY k_tenant, k_endpoint, k_day HAVING sum(calls) > 0`;
  const isMuch = (await workRows(columns, range)) > MOST_WORK_ROWS;
  const params = {
    from: range.fromMs,
    to: range.toMs,
    ...zoneOf(by, zone),
    ...(isMuch && { bits: bitsOf(drivers) }),
  };
  const rows = await columns.query<CallKey & { covered: number | null }>(isMuch ? counted : fromWork, params);
  return new Map(
    rows.flatMap(({ k_tenant: tenant, k_endpoint: endpoint, k_day: day, covered }) =>
      covered === null ? [] : [[callKey({ tenant, endpoint, day }), covered]],
    ),
  );
}

/** About how many rows of work start in a range, by the table's index alone. */
async function workRows(columns: ColumnStore, range: TimeRange): Promise<number> {
  const hours = {
    from: Math.floor(range.fromMs / MILLIS_PER_HOUR) * 3600,
    to: Math.ceil(range.toMs / MILLIS_PER_HOUR) * 3600,
  };
  const parts = await columns.query<{ rows: string }>(
    `EXPLAIN ESTIMATE SELECT 1 FROM work WHERE toStartOfHour(start_at) >= toDateTime({from:UInt32}, 'UTC') AND toStartOfHour(start_at) < toDateTime({to:UInt32}, 'UTC')`,
    { from: Math.max(0, hours.from), to: Math.min(Math.max(0, hours.to), 4_294_967_295) },
  );
  return parts.reduce((sum, { rows }) => sum + Number(rows), 0);
}

/** Drivers whose absence shows in coverage, each once. */
export function depends(drivers: readonly (PoolDriver | '')[]): Driver[] {
  const used = new Set(drivers.flatMap((driver) => (driver === '' || driver === 'even' ? [] : [driver])));
  return [...used].filter((driver) => measuredDrivers.includes(driver) || driver === 'busy_us');
}

function isWholeHours({ fromMs, toMs }: TimeRange): boolean {
  return fromMs % MILLIS_PER_HOUR === 0 && toMs % MILLIS_PER_HOUR === 0;
}

/** Whether days of a zone begin with a whole hour of UTC; looked at twice a month, because zones change. */
function hasWholeHours(zone: string, { fromMs, toMs }: TimeRange): boolean {
  if (zone === 'UTC') return true;
  const minute = new Intl.DateTimeFormat('en', { timeZone: zone, minute: 'numeric' });
  for (let at = fromMs; at < toMs + LOOK_EVERY_MS; at += LOOK_EVERY_MS) {
    if (Number(minute.format(Math.floor(at / MILLIS_PER_HOUR) * MILLIS_PER_HOUR)) !== 0) return false;
  }
  return true;
}

interface CallKey {
  k_tenant: string;
  k_endpoint: string;
  k_day: string;
}

/** Names a group of calls. */
export function callKey({ tenant, endpoint, day }: Pick<CallTotal, 'tenant' | 'endpoint' | 'day'>): string {
  return JSON.stringify([tenant, endpoint, day]);
}

function dayKey(instant: string, by: readonly Dimension[]): string {
  return by.includes('day') ? `toString(toDate(${instant}, {zone:String})) AS k_day` : `'' AS k_day`;
}

function zoneOf(by: readonly Dimension[], zone: string): { zone?: string } {
  return by.includes('day') ? { zone } : {};
}

function key(name: 'tenant' | 'endpoint', by: readonly Dimension[]): string {
  return by.includes(name) ? `${name} AS k_${name}` : `'' AS k_${name}`;
}
