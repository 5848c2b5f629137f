import { checkRaw, driverTerms, type LetGo, rawWork, readLetGo } from '../collect/index.ts';
import { secondsOf } from '../cost/index.ts';
import type { Driver, TimeRange } from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';

export const unitDimensions = ['tenant', 'endpoint', 'service', 'region', 'version'] as const;
export type UnitDimension = (typeof unitDimensions)[number];
type Keys = Record<UnitDimension, string>;

export interface UnitWorkRow extends Keys {
  /** 1 for work of calls that failed. */
  failed: number;
  /** 1 for repeated attempts and what they called. */
  repeated: number;
  /** By driver: quantity x weight. */
  [total: `total_${string}`]: string;
  /** By driver: the weight of rows that measured it. */
  [measured: `measured_${string}`]: string;
}

const ofRange = (letGo: LetGo) =>
  `${rawWork(letGo)} AND start_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND start_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`;

/**
 * Sums the work of calls in a range by dimensions, told apart by whether the call failed and whether an attempt was a repeated one.
 * What a repeated attempt called is told by one level: the spans that have it as their parent.
 *
 * Fails  RANGE_DROPPED where some of the work was let go: sums of it say neither what failed nor what was repeated.
 */
export async function unitWork(
  columns: ColumnStore,
  range: TimeRange,
  by: readonly UnitDimension[],
  drivers: readonly Driver[],
): Promise<UnitWorkRow[]> {
  const inRange = await rawRange(columns, range);
  const keys = unitDimensions.map((name) => `${by.includes(name) ? name : "''"} AS k_${name}`);
  const totals = drivers.flatMap((driver) => [
    `toString(sum(toInt128(${driverTerms[driver]}) * share * sign)) AS total_${driver}`,
    `toString(sumIf(toInt128(share) * sign, ${isMeasured(driver)})) AS measured_${driver}`,
  ]);
  return columns.query<UnitWorkRow>(
    `SELECT ${unitDimensions.map((name) => `k_${name} AS ${name}`).join(', ')}, * EXCEPT (${unitDimensions.map((name) => `k_${name}`).join(', ')}) FROM (
      SELECT ${keys.join(', ')},
        (call_trace, call_span) IN (SELECT call_trace, call_span FROM work WHERE ${inRange} AND is_call = 1 AND is_error = 1) AS failed,
        is_retry = 1 OR (namespace, trace_id, parent_id) IN (SELECT namespace, trace_id, span_id FROM work WHERE ${inRange} AND is_retry = 1) AS repeated,
        ${totals.join(', ')}
      FROM work WHERE tenant != '' AND ${inRange}
      GROUP BY k_tenant, k_endpoint, k_service, k_region, k_version, failed, repeated
    ) ORDER BY tenant, endpoint, service, region, version, failed, repeated`,
    { from: range.fromMs, to: range.toMs },
  );
}

async function rawRange(columns: ColumnStore, range: TimeRange): Promise<string> {
  const letGo = await readLetGo(columns);
  await checkRaw(columns, letGo, range);
  return ofRange(letGo);
}

function isMeasured(driver: Driver): string {
  return /^(calls|spans|busy_us|db_|ext_)/.test(driver) ? '1' : `${driver} IS NOT NULL`;
}

/** Counts the calls that a service, region or version worked for: each once, by the weight of its work. In millionths. */
export async function callsReached(
  columns: ColumnStore,
  range: TimeRange,
  by: readonly UnitDimension[],
): Promise<(Keys & { calls: string; failed_calls: string })[]> {
  const inRange = await rawRange(columns, range);
  const keys = unitDimensions.map((name) => `${by.includes(name) ? name : "''"} AS k_${name}`);
  const names = unitDimensions.map((name) => `k_${name}`).join(', ');
  return columns.query(
    `SELECT ${unitDimensions.map((name) => `k_${name} AS ${name}`).join(', ')}, toString(sum(weight)) AS calls, toString(sumIf(weight, is_failed)) AS failed_calls FROM (
      SELECT ${keys.join(', ')}, call_trace, call_span, max(toInt128(share)) AS weight,
        (call_trace, call_span) IN (SELECT call_trace, call_span FROM work WHERE ${inRange} AND is_call = 1 AND is_error = 1) AS is_failed
      FROM work WHERE tenant != '' AND ${inRange}
      GROUP BY ${names}, call_trace, call_span HAVING sum(sign) > 0
    ) GROUP BY ${names}`,
    { from: range.fromMs, to: range.toMs },
  );
}

export interface PostedRow {
  tenant: string;
  endpoint: string;
  pool: string;
  kind: 'direct' | 'indirect';
  driver: string;
  /** What a step-down gave it to. */
  service: string;
  source: string;
  amount: string;
}

/** Sums what tenants owe, as finely as it has to be told apart. */
export function postedUnits(columns: ColumnStore, range: TimeRange, currency: string): Promise<PostedRow[]> {
  return columns.query<PostedRow>(
    `SELECT tenant, endpoint, pool, kind, driver, service, source, toString(total) AS amount FROM (
      SELECT tenant, endpoint, pool, kind, driver, service, source, sum(amount) AS total FROM postings
      WHERE ledger = 'tenant' AND currency = {currency:String}
        AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')
      GROUP BY tenant, endpoint, pool, kind, driver, service, source
     ) WHERE total != 0 ORDER BY tenant, endpoint, pool, kind, driver, service, source`,
    { ...secondsOf(range), currency },
  );
}
