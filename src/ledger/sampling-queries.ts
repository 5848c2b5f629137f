import { driverTerms, readLetGo, sampledWork } from '../collect/index.ts';
import { secondsOf } from '../cost/index.ts';
import type { Driver, TimeRange } from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';

/** Whether work of a range is there as it came, and stands for more than itself; `let go` where of such work only sums are left. */
export async function sampledIn(columns: ColumnStore, { fromMs, toMs }: TimeRange): Promise<'none' | 'raw' | 'let go'> {
  const rows = await columns.query<{ is_raw: number }>(`SELECT is_raw FROM ${sampledWork(await readLetGo(columns))}`, {
    from: fromMs,
    to: toMs,
  });
  if (rows.length === 0) return 'none';
  return rows.every(({ is_raw }) => Number(is_raw) === 1) ? 'raw' : 'let go';
}

/** What was shared out of one charge period by one driver among one service's work, or all work where the service is empty. */
export interface SharedPart {
  readonly charge_from: number;
  readonly charge_to: number;
  readonly driver: string;
  readonly service: string;
  /** Decimal text, unattributed work's share with it. */
  readonly amount: string;
  /** The driver's total that it was shared by: smallest and largest of all pools. */
  readonly least: string;
  readonly most: string;
}

export function sharedParts(columns: ColumnStore, range: TimeRange, currency: string): Promise<SharedPart[]> {
  return columns.query<SharedPart>(
    `SELECT charge_from, charge_to, driver, service, sum(part) AS amount, min(total) AS least, max(total) AS most FROM (
      SELECT toUnixTimestamp(charge_start) AS charge_from, toUnixTimestamp(charge_end) AS charge_to, toString(driver) AS driver, service,
        sum(amount) AS part, sum(weight * toInt8(entry)) AS total
      FROM postings
      WHERE ledger IN ('tenant', 'unattributed') AND currency = {currency:String}
        AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')
      GROUP BY charge_from, charge_to, driver, service, slice HAVING part != 0
    ) GROUP BY charge_from, charge_to, driver, service`,
    { ...secondsOf(range), currency },
  );
}

/** The dimensions that a standard error can be given by. */
export type SharedBy = 'tenant' | 'endpoint';

/** The rows whose share was shared out so. */
export function sharers(
  columns: ColumnStore,
  range: TimeRange,
  { driver, service }: Pick<SharedPart, 'driver' | 'service'>,
  by: readonly SharedBy[],
): Promise<{ tenant: string; endpoint: string }[]> {
  return columns.query(
    `SELECT DISTINCT ${keyOf('tenant', by)} AS tenant, ${keyOf('endpoint', by)} AS endpoint FROM postings
     WHERE ledger = 'tenant' AND toString(driver) = {driver:String} AND service = {service:String}
       AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')`,
    { ...secondsOf(range), driver, service },
  );
}

/** Sums over traces, of one charge period and group; `is_nobodys` for unattributed work. */
export interface SampledSum {
  readonly period: number;
  readonly tenant: string;
  readonly endpoint: string;
  readonly is_nobodys: number;
  /** The group's driver total. */
  readonly total: string;
  /** With `a` of a trace the root of its variance in the group, and `b` in all groups: the sums of a^2 and of ab. */
  readonly aa: number;
  readonly ab: number;
}

/**
 * Sums, trace by trace, how far driver totals may be from what they estimate.
 *
 * Takes  periods: equally long ones, in seconds: `length`, beginning `offset` after a multiple of it.
 */
export function sampledSums(
  columns: ColumnStore,
  periods: { readonly range: TimeRange; readonly length: number; readonly offset: number },
  { driver, service }: { readonly driver: Driver; readonly service: string },
  by: readonly SharedBy[],
): Promise<SampledSum[]> {
  const term = driverTerms[driver];
  // The spans of a trace are kept or lost together, so their errors add up before they are squared.
  const error = `toFloat64(${term}) * share * sign * if(is_weight_known = 1 AND weight > 1000000, sqrt(1 - 1000000 / weight), 0)`;
  const keys = 'period, k_tenant, k_endpoint, is_nobodys';
  return columns.query<SampledSum>(
    `SELECT period, k_tenant AS tenant, k_endpoint AS endpoint, is_nobodys, sum(x) AS total, sum(a * a) AS aa, sum(a * b) AS ab FROM (
      SELECT ${keys}, x, a, sum(a) OVER (PARTITION BY period, trace_id) AS b FROM (
        SELECT intDiv(toUnixTimestamp(start_at) - {offset:UInt32}, {length:UInt32}) AS period, trace_id,
          ${keyOf('tenant', by)} AS k_tenant, ${keyOf('endpoint', by)} AS k_endpoint, tenant = '' AS is_nobodys,
          sum(toInt128(${term}) * share * sign) AS x, sum(${error}) AS a
        FROM work
        WHERE start_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND start_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
          ${service === '' ? '' : 'AND service = {service:String}'}
        GROUP BY trace_id, ${keys}
      )
    ) GROUP BY ${keys}`,
    { from: periods.range.fromMs, to: periods.range.toMs, length: periods.length, offset: periods.offset, service },
  );
}

function keyOf(name: SharedBy, by: readonly SharedBy[]): string {
  return by.includes(name) ? name : "''";
}
