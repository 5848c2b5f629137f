import { callMeasures, type LetGo, readLetGo } from '../collect/index.ts';
import type { TimeRange } from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';

const MILLIS_PER_DAY = 24 * 3_600_000;
/** Days of less work are not worth it: a year of them is read as it is. */
const LEAST_WORK_ROWS = 5_000;
/** A call's work may go on after its hour, its day too. */
const LATEST_WORK_MS = 3_600_000;

/**
 * Counts again, for the days of a range whose work has changed, which drivers were measured for how many calls of each hour: reports must
 * not look at the work of a hundred million calls.
 *
 * Takes  now: the stamp of what is counted.
 * Holds  a day counts by its newest complete count; a crash leaves the one before. Batches need not come in the order of their
 *        numbers: any change of a day's rows is one.
 */
export async function countMeasured(columns: ColumnStore, range: TimeRange, now: Date): Promise<void> {
  const params = { from: dayOf(range.fromMs), to: dayOf(range.toMs - 1) };
  const work = await columns.query<{ of_day: number; state: string }>(
    `SELECT toUInt32(toDate(start_at)) AS of_day, cityHash64(max(batch), count()) AS state FROM work
     WHERE toStartOfHour(start_at) >= toDateTime({from:UInt32} * 86400, 'UTC') AND toStartOfHour(start_at) < toDateTime(({to:UInt32} + 1) * 86400, 'UTC') GROUP BY of_day HAVING count() >= ${LEAST_WORK_ROWS}`,
    params,
  );
  if (work.length === 0) return;
  const counted = await columns.query<{ of_day: number; of_state: string }>(
    `SELECT toUInt32(day) AS of_day, argMax(state, stamp) AS of_state FROM measured_hour
     WHERE is_head = 1 AND day >= toDate({from:UInt32}) AND day <= toDate({to:UInt32}) GROUP BY of_day`,
    params,
  );
  const letGo = await readLetGo(columns);
  const known = new Map(counted.map(({ of_day, of_state }) => [of_day, of_state]));
  for (const { of_day, state } of work) {
    if (known.get(of_day) !== state) await countDay(columns, letGo, of_day, state, now);
  }
}

async function countDay(columns: ColumnStore, letGo: LetGo, day: number, state: string, now: Date): Promise<void> {
  const params = {
    day,
    from: day * MILLIS_PER_DAY,
    to: (day + 1) * MILLIS_PER_DAY + LATEST_WORK_MS,
    state,
    stamp: now.getTime(),
  };
  await columns.command(
    `INSERT INTO measured_hour (day, stamp, is_head, state, hour, tenant, endpoint, drivers, calls)
     SELECT toDate({day:UInt32}), {stamp:UInt64}, 0, {state:UInt64}, toStartOfHour(began) AS of_hour, tenant, endpoint, bits, sum(toInt128(root_share))
     FROM ${callMeasures(letGo)} WHERE toDate(began) = toDate({day:UInt32}) GROUP BY of_hour, tenant, endpoint, bits`,
    params,
  );
  // The head comes last: without it nothing of this stamp counts.
  await columns.command(
    `INSERT INTO measured_hour (day, stamp, is_head, state, hour, tenant, endpoint, drivers, calls)
     VALUES (toDate({day:UInt32}), {stamp:UInt64}, 1, {state:UInt64}, toDateTime({day:UInt32} * 86400, 'UTC'), '', '', 0, 0)`,
    params,
  );
}

/** The counts in force of a range, as a table expression. Its parameters are `from` and `to`, in milliseconds. */
export const measuredHours = `(
  SELECT hour, tenant, endpoint, drivers, calls FROM measured_hour
  WHERE is_head = 0 AND hour >= toStartOfHour(fromUnixTimestamp64Milli({from:Int64}, 'UTC')) AND hour < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
    AND (day, stamp) IN (SELECT day, max(stamp) FROM measured_hour WHERE is_head = 1 GROUP BY day)
)`;

function dayOf(instantMs: number): number {
  return Math.min(Math.max(0, Math.floor(instantMs / MILLIS_PER_DAY)), 49_709);
}
