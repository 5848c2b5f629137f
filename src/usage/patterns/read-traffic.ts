import type { TimeRange } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import { type Choice, choiceSql } from '../sums/dimensions.ts';
import { callsWithin } from '../sums/sum-calls.ts';
import type { Bursts, Reads, Traffic, Visits } from './find-patterns.ts';

/** What comes again so soon could have been kept by whoever asked. */
export const REPEAT_WITHIN_MS = 300_000;
/** Calls so soon one after the other belong together. */
export const TOGETHER_WITHIN_MS = 2_000;
const LEAST_BURST = 5;
/** What a bulk request takes, for the count of those that would be left. */
export const BULK_SIZE = 100;
const MOST_STEPS = 20;
const MOST_GROUPS = 5_000;
/** Differences of a group that its rhythm is taken from. */
const MOST_INTERVALS = 20_000;

/**
 * Reads how calls follow each other: reads by consumer and endpoint, bursts of writes, and short visits.
 *
 * Takes  range: small enough for its calls to be looked at one by one; each of the three looks through them once.
 */
export async function readTraffic(columns: ColumnStore, range: TimeRange, only: Choice): Promise<Traffic> {
  const [reads, bursts, visits] = await Promise.all([
    readReads(columns, range, only),
    readBursts(columns, range, only),
    readVisits(columns, range, only),
  ]);
  return { reads, bursts, visits };
}

/**
 * Calls in force, each once, with what of their answers is kept. A call that was taken back is there twice, once with each sign, so what
 * is alike is told apart by how often it is there: ids of everybody's calls would be half of what is read.
 */
function callsSql(range: TimeRange, { sql }: ReturnType<typeof choiceSql>, further: string): string {
  const kept = 'tenant, endpoint, consumer, status, is_error, start_at, share, bytes_out, records';
  return `SELECT toString(tenant) AS tenant, toString(endpoint) AS endpoint, consumer, status, is_error, share, bytes_out, records,
      toUnixTimestamp64Milli(start_at) AS ms
    FROM (SELECT ${kept}, sum(sign) AS times FROM work WHERE is_call = 1 AND ${callsWithin(range)}${sql}${further} GROUP BY ${kept} HAVING times > 0)
    ARRAY JOIN range(toUInt64(times)) AS nth`;
}

/**
 * What an answer was is not kept, only how large it was. The same size as the answer before it, or a 304, is taken for unchanged; the same
 * size as any answer of the last minutes for the same thing read again.
 */
async function readReads(columns: ColumnStore, range: TimeRange, only: Choice): Promise<Reads[]> {
  const choice = choiceSql(only);
  const rows = await columns.query<Record<string, string>>(
    `SELECT * EXCEPT intervals FROM (SELECT tenant, consumer, endpoint, count() AS n, sum(share) AS micro,
       countIf(status = 304) AS not_modified, uniqExactIf(bytes_out, is_sized) AS sizes,
       countIf(is_unchanged) AS unchanged, sumIf(share, is_unchanged) AS unchanged_micro,
       countIf(is_repeat) AS repeats, sumIf(share, is_repeat) AS repeats_micro,
       groupArrayIf(${MOST_INTERVALS})(ms - before, before > 0) AS intervals,
       if(empty(intervals), 0, arrayReduce('quantileExact', intervals)) AS median,
       if(empty(intervals), 0, arrayCount(d -> abs(d - median) <= 0.2 * median, intervals) / length(intervals)) AS steady
     FROM (
       SELECT tenant, consumer, endpoint, status, share, bytes_out, ms, is_error = 0 AND status < 300 AND ifNull(bytes_out, 0) > 0 AS is_sized,
         lagInFrame(ms, 1, 0) OVER by_call AS before,
         status = 304 OR (is_sized AND before > 0 AND ifNull(lagInFrame(bytes_out) OVER by_call, 0) = bytes_out) AS is_unchanged,
         status = 304 OR (is_sized AND ms - lagInFrame(ms, 1, 0) OVER by_size <= ${REPEAT_WITHIN_MS}) AS is_repeat
       FROM (${callsSql(range, choice, " AND consumer != '' AND match(endpoint, '^(GET|HEAD) ')")})
       WINDOW by_call AS (PARTITION BY tenant, consumer, endpoint ORDER BY ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW),
         by_size AS (PARTITION BY tenant, consumer, endpoint, bytes_out ORDER BY ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
     ) GROUP BY tenant, consumer, endpoint HAVING repeats > 0 OR unchanged > 0 ORDER BY micro DESC LIMIT ${MOST_GROUPS})`,
    choice.params,
  );
  return rows.map((row) => ({
    ...{ tenant: row.tenant!, consumer: row.consumer!, endpoint: row.endpoint! },
    ...{ calls: Number(row.n), micro: BigInt(row.micro!) },
    ...{ notModified: Number(row.not_modified), sizes: Number(row.sizes) },
    ...{ unchanged: Number(row.unchanged), unchangedMicro: BigInt(row.unchanged_micro!) },
    ...{ repeats: Number(row.repeats), repeatsMicro: BigInt(row.repeats_micro!) },
    ...{ medianIntervalMs: Number(row.median), steadyShare: Number(row.steady) },
  }));
}

/** Writes that succeeded and carried one record, or did not say how many. */
async function readBursts(columns: ColumnStore, range: TimeRange, only: Choice): Promise<Bursts[]> {
  const choice = choiceSql(only);
  const isWrite = ` AND consumer != '' AND match(endpoint, '^(POST|PUT|PATCH|DELETE) ') AND call_kind != 'bulk' AND is_error = 0 AND status < 300 AND ifNull(records, 1) <= 1`;
  const rows = await columns.query<Record<string, string>>(
    `SELECT tenant, consumer, endpoint, count() AS bursts, sum(n) AS n_calls, sum(all_micro) AS micro, max(n) AS largest, sum(said) AS n_said,
       sum(intDiv(all_micro * (n - intDiv(n + ${BULK_SIZE - 1}, ${BULK_SIZE})), n)) AS saved_micro
     FROM (
       SELECT tenant, consumer, endpoint, burst, toInt128(count()) AS n, sum(toInt128(share)) AS all_micro, countIf(isNotNull(records)) AS said FROM (
         SELECT tenant, consumer, endpoint, share, records,
           sum(is_first) OVER (PARTITION BY tenant, consumer, endpoint ORDER BY ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS burst
         FROM (
           SELECT tenant, consumer, endpoint, share, records, ms, ms - lagInFrame(ms, 1, 0) OVER by_call > ${TOGETHER_WITHIN_MS} AS is_first
           FROM (${callsSql(range, choice, isWrite)})
           WINDOW by_call AS (PARTITION BY tenant, consumer, endpoint ORDER BY ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
         )
       ) GROUP BY tenant, consumer, endpoint, burst HAVING n >= ${LEAST_BURST}
     ) GROUP BY tenant, consumer, endpoint ORDER BY saved_micro DESC LIMIT ${MOST_GROUPS}`,
    choice.params,
  );
  return rows.map((row) => ({
    ...{ tenant: row.tenant!, consumer: row.consumer!, endpoint: row.endpoint! },
    ...{ bursts: Number(row.bursts), calls: Number(row.n_calls), micro: BigInt(row.micro!) },
    ...{ largest: Number(row.largest), said: Number(row.n_said), savedMicro: BigInt(row.saved_micro!) },
  }));
}

/** A visit: calls of one consumer, each soon after the one before. Repeats of one endpoint in a row are one step of it. */
async function readVisits(columns: ColumnStore, range: TimeRange, only: Choice): Promise<Visits[]> {
  const choice = choiceSql(only);
  const rows = await columns.query<Record<string, string> & { steps: string[]; saved: [string[], string[]] }>(
    `SELECT tenant, steps, times, n_calls, micro, consumers, saved, sum(times) OVER (PARTITION BY tenant) AS visits FROM (
       SELECT tenant, steps, count() AS times, sum(length(endpoints)) AS n_calls, sum(arraySum(shares)) AS micro, uniqExact(consumer) AS consumers,
         sumMap(arraySlice(endpoints, 2), arraySlice(shares, 2)) AS saved
       FROM (
         SELECT tenant, consumer, arraySort(groupArray((ms, endpoint, toUInt64(share)))) AS calls, arrayMap(call -> call.2, calls) AS endpoints,
           arrayMap(call -> call.3, calls) AS shares, arrayCompact(endpoints) AS steps
         FROM (
           SELECT tenant, consumer, endpoint, share, ms, sum(is_first) OVER (PARTITION BY tenant, consumer ORDER BY ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS visit
           FROM (
             SELECT tenant, consumer, endpoint, share, ms, ms - lagInFrame(ms, 1, 0) OVER by_consumer > ${TOGETHER_WITHIN_MS} AS is_first
             FROM (${callsSql(range, choice, " AND consumer != ''")})
             WINDOW by_consumer AS (PARTITION BY tenant, consumer ORDER BY ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
           )
         ) GROUP BY tenant, consumer, visit HAVING count() BETWEEN 2 AND ${MOST_STEPS} AND length(steps) >= 2
       ) GROUP BY tenant, steps
     ) ORDER BY micro DESC LIMIT ${MOST_GROUPS}`,
    choice.params,
  );
  return rows.map((row) => ({
    ...{ tenant: row.tenant!, steps: row.steps, times: Number(row.times), visits: Number(row.visits) },
    ...{ calls: Number(row.n_calls), micro: BigInt(row.micro!), consumers: Number(row.consumers) },
    saved: row.saved[0].map((endpoint, place) => ({ endpoint, micro: BigInt(row.saved[1][place]!) })),
  }));
}
