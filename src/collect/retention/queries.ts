import { drivers } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import { driverSum, hourOfStart, isSampled, measuredBits, quarterOfStart } from './driver-terms.ts';
import type { KeptKind, LetGo } from './let-go.ts';
import { summedWork } from './sources.ts';

/** One thread, and the disk before much memory: nobody waits for this. */
const GENTLY =
  'SETTINGS max_threads = 1, max_insert_threads = 1, max_bytes_before_external_group_by = 268435456, max_bytes_before_external_sort = 268435456';
const NO_TRACE = `toFixedString('', 16)`;
const NO_SPAN = `toFixedString('', 8)`;

/** Raw work that was received on some days, by the hours in which it starts. */
export interface HourOfWork {
  readonly hour: number;
  readonly rows: number;
}

/** Days since 1970. */
export interface Days {
  readonly since: number;
  readonly until: number;
}

const RECEIVED = 'received >= toDate({since:UInt16}) AND received < toDate({until:UInt16})';

/** The largest batch number of the work received before a day. */
export async function lastBatch(columns: ColumnStore, untilDay: number): Promise<number> {
  const [row] = await columns.query<{ batch: string }>(
    'SELECT max(batch) AS batch FROM work WHERE received < toDate({untilDay:UInt16})',
    { untilDay },
  );
  return Number(row!.batch);
}

export async function readHours(columns: ColumnStore, { since, until }: Days): Promise<HourOfWork[]> {
  const rows = await columns.query<{ hour: number; rows: string }>(
    `SELECT ${hourOfStart} AS hour, count() AS rows FROM work WHERE ${RECEIVED} GROUP BY hour ORDER BY hour ${GENTLY}`,
    { since, until },
  );
  return rows.map(({ hour, rows: count }) => ({ hour, rows: Number(count) }));
}

/** Adds up the drivers of some hours of the work received on some days. */
export function sumHours(
  columns: ColumnStore,
  run: number,
  days: Days,
  hours: { first: number; last: number },
): Promise<void> {
  const sums = drivers.map((driver) => `, ${driverSum(driver)} AS ${driver}_total`).join('');
  const totals = drivers.map((driver) => `${driver}_total`).join(', ');
  return columns.command(
    `INSERT INTO work_hour (run, hour, tenant, endpoint, service, rows, sampled, ${drivers.join(', ')})
     SELECT {run:UInt64}, of_hour, tenant, endpoint, service, net_rows, sampled_rows, ${totals} FROM (
       SELECT ${hourOfStart} AS of_hour, tenant, endpoint, service, sum(toInt64(sign)) AS net_rows, countIf(${isSampled}) AS sampled_rows${sums} FROM work
       WHERE ${RECEIVED} AND ${hourOfStart} >= {first:Int32} AND ${hourOfStart} <= {last:Int32}
         AND start_at >= fromUnixTimestamp64Milli({first:Int64} * 3600000, 'UTC') AND start_at < fromUnixTimestamp64Milli(({last:Int64} + 1) * 3600000, 'UTC')
       GROUP BY of_hour, tenant, endpoint, service
     ) ${GENTLY}`,
    { run, since: days.since, until: days.until, ...hours },
    `work_hour-${run}-${hours.first}`,
  );
}

/**
 * Says what was measured in the calls of one part of the work: alike ones together, and one by one those of which other rows
 * stay in raw form or were let go before, as only their ids can bring the parts together again.
 */
export function sumCallMeasures(
  columns: ColumnStore,
  run: number,
  days: Days,
  part: { readonly bucket: number; readonly buckets: number; readonly before: LetGo },
): Promise<void> {
  const { bucket, buckets, before } = part;
  const letGoBefore =
    before.runs.length === 0
      ? '0'
      : `(call_trace, call_span) IN (SELECT call_trace, call_span FROM call_measures
          WHERE ${summedWork(before)} AND call_trace != ${NO_TRACE} AND cityHash64(call_trace) % {buckets:UInt64} = {bucket:UInt64})`;
  return columns.command(
    `INSERT INTO call_measures (run, call_trace, call_span, tenant, endpoint, first_hour, last_hour, parts)
     SELECT {run:UInt64}, k_trace, k_span, tenant, endpoint, shape[1].1, shape[-1].1,
       arrayMap((part, share) -> (part.1, part.2, part.3, share), shape, shares_sum)
     FROM (
       SELECT if(is_open, call_trace, ${NO_TRACE}) AS k_trace, if(is_open, call_span, ${NO_SPAN}) AS k_span, tenant, endpoint,
         arrayMap(part -> (part.1, part.2, part.3), parts) AS shape, sumForEach(arrayMap(part -> part.4, parts)) AS shares_sum
       FROM (
         SELECT call_trace, call_span, tenant, endpoint,
           arraySort(groupArrayIf((hour, quarter, bits, net_share), gone > 0)) AS parts,
           sum(kept) > 0 OR countIf(net_share != 0) > 1 OR ${letGoBefore} AS is_open
         FROM (
           SELECT call_trace, call_span, tenant, endpoint, ${hourOfStart} AS hour,
             toInt64(minIf(${quarterOfStart}, is_call = 1 AND is_gone)) AS quarter,
             groupBitOrIf(${measuredBits()}, is_gone) AS bits,
             sumIf(toInt128(share) * sign, is_call = 1 AND is_gone) AS net_share,
             countIf(is_gone) AS gone, countIf(NOT is_gone) AS kept
           FROM (
             SELECT *, received < toDate({until:UInt16}) AS is_gone FROM work
             WHERE received >= toDate({since:UInt16}) AND tenant != '' AND cityHash64(call_trace) % {buckets:UInt64} = {bucket:UInt64}
           )
           GROUP BY call_trace, call_span, tenant, endpoint, hour
         )
         GROUP BY call_trace, call_span, tenant, endpoint
         HAVING notEmpty(parts) AND (is_open OR arraySum(part -> part.4, parts) > 0)
       )
       GROUP BY k_trace, k_span, tenant, endpoint, shape
     ) ${GENTLY}`,
    { run, since: days.since, until: days.until, bucket, buckets },
    `call_measures-${run}-${bucket}`,
  );
}

export function sumPods(columns: ColumnStore, run: number, { since, until }: Days): Promise<void> {
  return columns.command(
    `INSERT INTO pod_service (run, pod, service)
     SELECT {run:UInt64}, pod, min(service) FROM work WHERE ${RECEIVED} AND pod != '' AND service != '' GROUP BY pod ${GENTLY}`,
    { run, since, until },
    `pod_service-${run}`,
  );
}

/** The largest run that has left a trace. */
export async function largestRun(columns: ColumnStore): Promise<number> {
  const [row] = await columns.query<{ largest: string }>(
    `SELECT greatest((SELECT max(run) FROM retention), (SELECT max(run) FROM work_hour), (SELECT max(run) FROM call_measures),
      (SELECT max(run) FROM pod_service)) AS largest`,
  );
  return Number(row!.largest);
}

/** Says that a kind was let go up to a day. From here on it is so. */
export function noteLetGo(
  columns: ColumnStore,
  note: { run: number; kind: KeptKind; days: Days; nowMs: number; rows: number; batch: number },
): Promise<void> {
  const { run, kind, days, nowMs, rows, batch } = note;
  return columns.command(
    `INSERT INTO retention (run, kind, since, until, done_at, rows, batch)
     SELECT {run:UInt64}, {kind:String}, toDate({since:UInt16}), toDate({until:UInt16}), fromUnixTimestamp64Milli({nowMs:Int64}, 'UTC'), {rows:UInt64}, {batch:UInt64}`,
    { run, kind, since: days.since, until: days.until, nowMs, rows, batch },
    `retention-${run}`,
  );
}

export interface LetGoNote {
  readonly run: number;
  readonly kind: KeptKind;
  readonly until: number;
  readonly doneMs: number;
  readonly rows: number;
  readonly batch: number;
}

/** Everything that was let go so far, in order. */
export async function readNotes(columns: ColumnStore): Promise<LetGoNote[]> {
  const rows = await columns.query<Record<'run' | 'kind' | 'until' | 'doneMs' | 'rows' | 'batch', string>>(
    `SELECT run, kind, toUInt16(until) AS until, toUnixTimestamp64Milli(done_at) AS doneMs, rows, batch FROM retention ORDER BY run`,
  );
  return rows.map(({ run, kind, until, doneMs, rows: count, batch }) => ({
    run: Number(run),
    kind: kind as KeptKind,
    until: Number(until),
    doneMs: Number(doneMs),
    rows: Number(count),
    batch: Number(batch),
  }));
}

/** Deletes raw work that was received before a day which begins a month, and the links of its batches. */
export async function deleteWork(columns: ColumnStore, untilDay: number, batch: number): Promise<void> {
  const months = await columns.query<{ month: number }>(
    'SELECT DISTINCT toYYYYMM(received) AS month FROM work WHERE received < toDate({untilDay:UInt16}) ORDER BY month',
    { untilDay },
  );
  for (const { month } of months) await columns.command(`ALTER TABLE work DROP PARTITION ID '${month}' ${DROP}`);
  const linked = await columns.query('SELECT 1 FROM links WHERE batch <= {batch:UInt64} LIMIT 1', { batch });
  if (linked.length > 0)
    await columns.command(`ALTER TABLE links DELETE WHERE batch <= ${Math.trunc(batch)} SETTINGS mutations_sync = 1`);
}

const DROP = 'SETTINGS max_partition_size_to_drop = 0';

/** Deletes the sums of runs that count no more, or never did. */
export async function deleteSums(columns: ColumnStore, { runs }: LetGo): Promise<void> {
  for (const table of ['work_hour', 'call_measures', 'pod_service']) {
    const stale = await columns.query<{ run: string }>(
      `SELECT DISTINCT run FROM ${table} WHERE NOT (${summedWork({ sinceDay: 0, runs })})`,
    );
    for (const { run } of stale) await columns.command(`ALTER TABLE ${table} DROP PARTITION ID '${run}' ${DROP}`);
  }
}

/** Which rows of which tables are older than a day, by their own time. */
const older: Record<Exclude<KeptKind, 'spans'>, readonly (readonly [table: string, condition: string])[]> = {
  rollups: [
    ['usage_minute', 'marker = 0 AND minute < toDateTime(toDate({untilDay:UInt16}), {zone:String})'],
    ['usage_rollup', 'marker = 0 AND day < toDate({untilDay:UInt16})'],
    ['work_hour', 'hour < toInt64({untilDay:UInt16}) * 24'],
    ['call_measures', 'last_hour < toInt64({untilDay:UInt16}) * 24'],
  ],
  samples: [['samples', 'at < toDateTime64(toDate({untilDay:UInt16}), 9, {zone:String})']],
  events: [['events', 'time < toDateTime64(toDate({untilDay:UInt16}), 9, {zone:String})']],
};

/** How many rows are older than a day. */
export async function countOlder(
  columns: ColumnStore,
  kind: Exclude<KeptKind, 'spans'>,
  untilDay: number,
): Promise<number> {
  let count = 0;
  for (const [table, condition] of older[kind]) {
    const [row] = await columns.query<{ rows: string }>(`SELECT count() AS rows FROM ${table} WHERE ${condition}`, {
      untilDay,
      zone: 'UTC',
    });
    count += Number(row!.rows);
  }
  return count;
}

/** Deletes rows that are older than a day; nothing where there is none. */
export async function deleteOlder(
  columns: ColumnStore,
  kind: Exclude<KeptKind, 'spans'>,
  untilDay: number,
): Promise<void> {
  for (const [table, condition] of older[kind]) {
    const params = { untilDay, zone: 'UTC' };
    const found = await columns.query(`SELECT 1 FROM ${table} WHERE ${condition} LIMIT 1`, params);
    if (found.length === 0) continue;
    const filled = condition
      .replace('{untilDay:UInt16}', String(Math.trunc(untilDay)))
      .replace('{zone:String}', `'UTC'`);
    await columns.command(`ALTER TABLE ${table} DELETE WHERE ${filled} SETTINGS mutations_sync = 1`);
  }
}

export interface TableSize {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
}

/** What tables take on the disk. */
export async function tableSizes(columns: ColumnStore): Promise<TableSize[]> {
  const rows = await columns.query<{ table: string; rows: string; bytes: string }>(
    `SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
     WHERE active AND database = currentDatabase() GROUP BY table`,
  );
  return rows.map(({ table, rows: count, bytes }) => ({ table, rows: Number(count), bytes: Number(bytes) }));
}

/** The day of the oldest row of each kind, since 1970; null where there is none. */
export async function oldestDays(columns: ColumnStore, { sinceDay }: LetGo): Promise<Record<KeptKind, number | null>> {
  const day = (select: string, from: string) => `(SELECT if(count() = 0, NULL, toUInt16(${select})) FROM ${from})`;
  const [row] = await columns.query<Record<KeptKind, number | null>>(
    `SELECT ${day('min(received)', `work WHERE received >= toDate(${sinceDay})`)} AS spans,
      ${day("toDate(min(minute), 'UTC')", 'usage_minute WHERE marker = 0')} AS rollups,
      ${day("toDate(min(at), 'UTC')", 'samples')} AS samples, ${day("toDate(min(time), 'UTC')", 'events')} AS events`,
  );
  return row!;
}

/** How many rows of raw work were received before a day and are still in force. */
export async function countReceived(columns: ColumnStore, { since, until }: Days): Promise<number> {
  const [row] = await columns.query<{ rows: string }>(`SELECT count() AS rows FROM work WHERE ${RECEIVED}`, {
    since,
    until,
  });
  return Number(row!.rows);
}
