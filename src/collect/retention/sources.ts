import type { Driver } from '../../model/index.ts';
import { bitsOf, driverSum, isSampled, measuredBits } from './driver-terms.ts';
import type { LetGo } from './let-go.ts';

/** Parameters `from` and `to` of every query here: milliseconds, and whole hours where sums are read. */
const IN_RANGE = `start_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND start_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`;
/** The same on the hour, by which rows are in order. */
const IN_HOURS = `toStartOfHour(start_at) >= toStartOfHour(fromUnixTimestamp64Milli({from:Int64}, 'UTC'))
  AND toStartOfHour(start_at) <= toStartOfHour(fromUnixTimestamp64Milli({to:Int64}, 'UTC'))`;
const [FROM_HOUR, TO_HOUR] = ['intDiv({from:Int64}, 3600000)', 'intDiv({to:Int64} + 3599999, 3600000)'];
const NO_ID = (bytes: number) => `toFixedString('', ${bytes})`;

/** Raw rows of `work` that are in force. */
export function rawWork({ sinceDay }: LetGo): string {
  return sinceDay === 0 ? '1' : `received >= toDate(${sinceDay})`;
}

/** Rows of the sums that are in force. */
export function summedWork({ runs }: LetGo): string {
  return `run IN (${runs.join(', ')})`;
}

/**
 * The work of a range, added up by tenant, endpoint and service: of raw rows, and of the sums of those that were let go.
 *
 * Takes  rawSums: what else raw rows add up to (Int128); of work that was let go it counts nothing.
 * Gives  a table expression of tenant, endpoint, of_service, net_rows, a `<driver>_total` of each driver and a `raw_<place>_total` of
 *        each sum.
 */
export function workTotals(
  letGo: LetGo,
  drivers: readonly Driver[],
  byService: boolean,
  rawSums: readonly string[] = [],
): string {
  const service = byService ? 'service' : "''";
  const keys = `tenant, endpoint, ${service} AS of_service`;
  const raw = `SELECT ${keys}, sum(toInt64(sign)) AS net_rows${drivers.map((driver) => `, ${driverSum(driver)} AS ${driver}_total`).join('')}${rawSums.map((sum, place) => `, ${sum} AS raw_${place}_total`).join('')}
    FROM work WHERE ${rawWork(letGo)} AND ${IN_RANGE} AND ${IN_HOURS} GROUP BY tenant, endpoint, of_service`;
  if (letGo.runs.length === 0) return `(${raw})`;
  const summed = `SELECT ${keys}, sum(rows) AS net_rows${drivers.map((driver) => `, sum(${driver}) AS ${driver}_total`).join('')}${rawSums.map((_, place) => `, toInt128(0) AS raw_${place}_total`).join('')}
    FROM work_hour WHERE ${summedWork(letGo)} AND hour >= ${FROM_HOUR} AND hour < ${TO_HOUR} GROUP BY tenant, endpoint, of_service`;
  const totals = [...drivers.map((driver) => `${driver}_total`), ...rawSums.map((_, place) => `raw_${place}_total`)];
  const again = totals.map((total) => `, sum(part.${total}) AS ${total}`).join('');
  return `(SELECT part.tenant AS tenant, part.endpoint AS endpoint, part.of_service AS of_service, sum(part.net_rows) AS net_rows${again}
    FROM (${raw} UNION ALL ${summed}) AS part GROUP BY tenant, endpoint, of_service)`;
}

/**
 * Sampled work of a range: of each kind one row, that of raw rows first.
 *
 * Gives  a table expression of is_raw.
 */
export function sampledWork(letGo: LetGo): string {
  const raw = `SELECT 1 AS is_raw FROM work WHERE ${rawWork(letGo)} AND ${isSampled} AND ${IN_HOURS} AND ${IN_RANGE} LIMIT 1`;
  if (letGo.runs.length === 0) return `(${raw})`;
  return `(SELECT * FROM (${raw}) UNION ALL SELECT * FROM (SELECT 0 AS is_raw FROM work_hour
    WHERE ${summedWork(letGo)} AND hour >= ${FROM_HOUR} AND hour < ${TO_HOUR} AND sampled > 0 LIMIT 1))`;
}

/** The hours of a range that may hold work, in seconds. */
export function workHours(letGo: LetGo): string {
  const raw = `SELECT DISTINCT toInt64(toUnixTimestamp(toStartOfHour(start_at))) AS begins FROM work WHERE ${rawWork(letGo)} AND ${IN_RANGE}`;
  if (letGo.runs.length === 0) return `(${raw})`;
  return `(${raw} UNION DISTINCT SELECT toInt64(hour) * 3600 AS begins FROM work_hour
    WHERE ${summedWork(letGo)} AND hour >= ${FROM_HOUR} AND hour < ${TO_HOUR})`;
}

/** Every pod with every service that its work was of. */
export function podsOfWork(letGo: LetGo): string {
  const raw = `SELECT pod, toString(service) AS service FROM work WHERE ${rawWork(letGo)} AND pod != '' AND service != ''`;
  if (letGo.runs.length === 0) return `(${raw})`;
  return `(${raw} UNION ALL SELECT pod, toString(service) FROM pod_service WHERE ${summedWork(letGo)})`;
}

/**
 * The calls of a range with the drivers that were measured in their work inside it, each a bit; all drivers where none are given.
 *
 * Gives  a table expression of tenant, endpoint, root_share (of one call, or of many alike), began, bits.
 */
export function callMeasures(letGo: LetGo, drivers?: readonly Driver[]): string {
  const raw = `SELECT call_trace, call_span, tenant, endpoint, sumIf(toFloat64(share) * sign, is_call = 1) AS root_share,
      minIf(start_at, is_call = 1) AS began, groupBitOr(${measuredBits(drivers)}) AS bits
    FROM work WHERE tenant != '' AND ${rawWork(letGo)} AND ${IN_HOURS} AND ${IN_RANGE} GROUP BY call_trace, call_span, tenant, endpoint`;
  const answer = (calls: string) =>
    `SELECT tenant, endpoint, root_share, began, bits FROM (${calls}) WHERE root_share > 0`;
  if (letGo.runs.length === 0) return `(${answer(raw)})`;
  const summed = (
    ids: string,
  ) => `SELECT call_trace, call_span, tenant, endpoint, toFloat64(arraySum(part -> part.4, inside)) AS root_share,
      toDateTime64(arrayMin(arrayMap(part -> part.2, arrayFilter(part -> part.4 != 0, inside))), 9, 'UTC') AS began,
      arrayReduce('groupBitOr', arrayMap(part -> part.3, inside)) AS bits
    FROM (SELECT call_trace, call_span, tenant, endpoint,
        arrayFilter(part -> part.1 >= ${FROM_HOUR} AND part.1 < ${TO_HOUR}, parts) AS inside FROM call_measures
      WHERE ${summedWork(letGo)} AND call_trace ${ids} ${NO_ID(16)} AND first_hour < ${TO_HOUR} AND last_hour >= ${FROM_HOUR})
    WHERE notEmpty(inside)`;
  const together = `SELECT tenant, endpoint, sum(part.root_share) AS root_share, minIf(part.began, part.root_share != 0) AS began, groupBitOr(part.bits) AS bits
    FROM (${raw} UNION ALL ${summed('!=')}) AS part GROUP BY call_trace, call_span, tenant, endpoint`;
  return `(${answer(together)} UNION ALL ${answer(summed('='))})`;
}

/**
 * Whether all of these drivers were measured somewhere in the work of a call.
 *
 * Gives  a table expression of tenant, endpoint, root_share (of one call, or of many alike), began, is_covered.
 */
export function measuredCalls(letGo: LetGo, drivers: readonly Driver[]): string {
  const wanted = bitsOf(drivers);
  return `(SELECT tenant, endpoint, root_share, began, bitAnd(bits, ${wanted}) = ${wanted} AS is_covered FROM ${callMeasures(letGo, drivers)})`;
}
