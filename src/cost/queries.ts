import { inForce as conditionOf } from '../bill/index.ts';
import { type LetGo, podsOfWork, rawWork, workHours, workTotals } from '../collect/index.ts';
import type { Driver, TimeRange } from '../model/index.ts';
import type { ColumnStore, StoredImport } from '../store/index.ts';
import type { ModelInForce } from './cost-model.ts';
import { poolOfCharge, type SqlPiece } from './match-sql.ts';

const basisColumns = { effective: 'effective', billed: 'billed', contracted: 'contracted', list: 'list' } as const;

export interface ChargeSumRow {
  source: string;
  account: string;
  currency: string;
  billing_start: number;
  billing_end: number;
  charge_start: number;
  charge_end: number;
  pool: number;
  amount: string;
}

/** Sums the charges in force that start in a range, by the pool that takes them. */
export function sumCharges(
  columns: ColumnStore,
  imports: readonly StoredImport[],
  model: ModelInForce,
  range: TimeRange,
): Promise<ChargeSumRow[]> {
  const pool = poolOfCharge(model.spec);
  return columns.query<ChargeSumRow>(
    `SELECT source, account, currency, toUnixTimestamp(billing_start) AS billing_start, toUnixTimestamp(billing_end) AS billing_end,
      toUnixTimestamp(charge_start) AS charge_start, toUnixTimestamp(charge_end) AS charge_end, pool, sum(cost) AS amount
    FROM (
      SELECT source, account, currency, billing_start, billing_end, charge_start, charge_end,
        ${basisColumns[model.spec.basis]} AS cost, ${pool.sql} AS pool
      FROM charges
      WHERE (${conditionOf(imports)}) AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')
    )
    GROUP BY source, account, currency, billing_start, billing_end, charge_start, charge_end, pool
    ORDER BY source, account, currency, billing_start, charge_start, charge_end, pool`,
    { ...pool.params, ...secondsOf(range) },
  );
}

/** A range as bounds of a column of whole seconds, kept within what such a column can hold. */
export function secondsOf({ fromMs, toMs }: TimeRange): { from: number; to: number } {
  const bound = (ms: number) => Math.min(Math.max(0, Math.ceil(ms / 1000)), 4_294_967_295);
  return { from: bound(fromMs), to: bound(toMs) };
}

/** A quantity that work rows add up to, weighed. */
export interface Quantity {
  /** By which it is asked for. */
  readonly name: string;
  /** A driver, or what one row adds that only raw work says, before it is weighed. */
  readonly of: Driver | SqlPiece;
}

/** What a driver adds up. */
export function driverQuantity(driver: Driver): Quantity {
  return { name: driver, of: driver };
}

/**
 * Gives tenant, endpoint, service and the weighed totals (Int128 each, in the order of `quantities`) of the work that starts in a range.
 * Of work that was let go only drivers are known: whoever asks for anything else has made sure that there is none (`checkRaw`).
 */
export function driverTotals(
  columns: ColumnStore,
  letGo: LetGo,
  range: TimeRange,
  quantities: readonly Quantity[],
  byService: boolean,
): Promise<Buffer> {
  const drivers = quantities.flatMap(({ of }) => (typeof of === 'string' ? [of] : []));
  const terms = quantities.flatMap(({ of }) => (typeof of === 'string' ? [] : [of]));
  const params = Object.assign({}, ...terms.map((term) => term.params));
  const sums = terms.map(({ sql }) => `sum(toInt128(${sql}) * share * sign)`);
  const totals = quantities.map(({ of }) =>
    typeof of === 'string' ? `${of}_total` : `raw_${terms.indexOf(of)}_total`,
  );
  return columns.queryBytes(
    `SELECT ${['tenant', 'endpoint', 'of_service', ...totals].join(', ')} FROM ${workTotals(letGo, drivers, byService, sums)}
     WHERE ${['net_rows > 0', ...totals.map((total) => `${total} != 0`)].join(' OR ')}
     ORDER BY tenant = '', tenant, endpoint, of_service`,
    { ...params, from: range.fromMs, to: range.toMs },
  );
}

/** Sums fees by the hour in which their spans start. Takes  term: of one span, in 10^-12; weights are 10^-6, so sums are atto-units. */
export function feeSums(
  columns: ColumnStore,
  letGo: LetGo,
  range: TimeRange,
  term: SqlPiece,
): Promise<{ hour: number; amount: string }[]> {
  return columns.query(
    `SELECT toUnixTimestamp(toStartOfHour(start_at)) AS hour, toString(sum(toInt128(${term.sql}) * share * sign)) AS amount FROM work
     WHERE start_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND start_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
       AND ${rawWork(letGo)} AND (fee_pico IS NOT NULL OR ext_calls = 1)
     GROUP BY hour HAVING amount != '0' ORDER BY hour`,
    { ...term.params, from: range.fromMs, to: range.toMs },
  );
}

/** Gives the hours of a range that may hold work, in milliseconds: charges of other hours need no look at it. */
export async function hoursWithWork(columns: ColumnStore, letGo: LetGo, range: TimeRange): Promise<number[]> {
  const rows = await columns.query<{ begins: string }>(
    `SELECT DISTINCT begins FROM ${workHours(letGo)} ORDER BY begins`,
    {
      from: range.fromMs,
      to: range.toMs,
    },
  );
  return rows.map((row) => Number(row.begins) * 1000);
}

export interface IntegralRow {
  tenant: string;
  service: string;
  pod: string;
  integral: string;
}

/**
 * Integrates a metric over a range, per tenant, service and pod. DESIGN 6.4: of the same series and time the first journalled counts;
 * a gauge holds until the next sample, at most 5 minutes; a counter's increase counts at the later sample, and starts again after a reset: a fall,
 * or a start after the sample before. A start at the sample's own time says that the true one is not known.
 */
export function metricIntegrals(columns: ColumnStore, metric: string, range: TimeRange): Promise<IntegralRow[]> {
  return columns.query<IntegralRow>(
    `WITH toInt64({from:Int64}) * 1000000 AS from_ns, toInt64({to:Int64}) * 1000000 AS to_ns
    SELECT tenant, service, pod, sum(part) AS integral FROM (
      SELECT of_tenant AS tenant, of_service AS service, of_pod AS pod, multiIf(
        of_kind = 'gauge',
          toInt256(point) * intDiv(greatest(toInt64(0), least(next_ns, ns + 300000000000, to_ns) - greatest(ns, from_ns)), 1000000),
        ns < from_ns, toInt256(0),
        of_kind = 'delta', toInt256(point),
        place = 1, toInt256(0),
        point >= previous AND NOT (started_ns > previous_ns AND started_ns < ns), toInt256(point - previous),
        toInt256(point)) AS part
      FROM (
        SELECT of_tenant, of_service, of_pod, of_kind, ns, point, started_ns, lagInFrame(ns, 1) OVER series_in_time AS previous_ns,
          leadInFrame(ns, 1, 9223372036854775807) OVER series_in_time AS next_ns,
          lagInFrame(point, 1) OVER series_in_time AS previous, row_number() OVER series_in_time AS place
        FROM (
          SELECT series, toUnixTimestamp64Nano(at) AS ns, argMax(value, age) AS point,
            argMax(tenant, age) AS of_tenant, argMax(service, age) AS of_service, argMax(pod, age) AS of_pod, argMax(kind, age) AS of_kind,
            argMax(toUnixTimestamp64Nano(started), age) AS started_ns
          FROM samples
          WHERE metric = {metric:String}
            AND at >= fromUnixTimestamp64Milli({from:Int64} - 86400000, 'UTC') AND at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
          GROUP BY series, at
        )
        WINDOW series_in_time AS (PARTITION BY series ORDER BY ns ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
      )
    ) GROUP BY tenant, service, pod ORDER BY tenant, service, pod`,
    { metric, from: range.fromMs, to: range.toMs },
  );
}

/** Gives which service a pod belongs to, as its spans say; of several the first in UTF-8 byte order. */
export async function podServices(columns: ColumnStore, letGo: LetGo): Promise<Map<string, string>> {
  const rows = await columns.query<{ pod: string; service: string }>(
    `SELECT pod, min(pods.service) AS service FROM ${podsOfWork(letGo)} AS pods GROUP BY pod`,
  );
  return new Map(rows.map((row) => [row.pod, row.service]));
}
