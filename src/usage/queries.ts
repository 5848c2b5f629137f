import type { TimeRange } from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';

/** What calls can be told apart by, with the column that says it. */
const dimensionColumns = {
  ...{ tenant: 'tenant', endpoint: 'endpoint', consumer: 'consumer', kind: 'call_kind' },
  ...{ class: 'class', region: 'region', version: 'version', flags: 'flags' },
} as const;
export type UsageDimension = keyof typeof dimensionColumns;
export const usageDimensions = Object.keys(dimensionColumns) as readonly UsageDimension[];
/** Of each dimension the value that counts; all of them must be there. */
export type UsageFilter = Readonly<Partial<Record<UsageDimension, string>>>;
export const usageWindows = ['minute', 'hour', 'day', 'none'] as const;
export type UsageWindow = (typeof usageWindows)[number];

export interface UsageSumRow extends Record<UsageDimension, string> {
  start: string;
  n: string;
  n_known: string;
  n_errors: string;
  n_timed: string;
  n_duration: string;
  n_sized_in: string;
  n_in: string;
  n_sized_out: string;
  n_out: string;
  n_counted_records: string;
  n_records: string;
  n_variance: string;
}

const ISO = '%Y-%m-%dT%H:%i:%SZ';

const offset = (instant: string) => `timeZoneOffset(toTimeZone(${instant}, {zone:String}))`;
const fullHour = (instant: string) => `subtractMinutes(${instant}, toMinute(${instant}, {zone:String}))`;
// Not every zone is whole hours away from UTC, so hours begin where the zone says. toStartOfHour loses its way for the rest
// of the day on which clocks change by half an hour (Lord Howe); the hour that has such a change in it begins at the change.
export const startOfHour = (instant: string) =>
  `addSeconds(${fullHour(instant)}, abs(${offset(instant)} - ${offset(fullHour(instant))}))`;
export const startOfDay = (instant: string) => `toDateTime(toStartOfDay(${instant}, {zone:String}), 'UTC')`;

const windowStarts: Record<UsageWindow, string> = {
  none: "''",
  minute: `formatDateTime(minute, '${ISO}', 'UTC')`,
  hour: `formatDateTime(${startOfHour('minute')}, '${ISO}', 'UTC')`,
  day: `formatDateTime(${startOfDay('minute')}, '${ISO}', 'UTC')`,
};

/** Sums the minutes of a range; dimensions that are not asked for come back empty. Counts are millionths. */
export function readUsage(
  columns: ColumnStore,
  range: TimeRange,
  by: readonly UsageDimension[],
  window: UsageWindow,
  timeZone: string,
  only: UsageFilter = {},
): Promise<UsageSumRow[]> {
  const keys = usageDimensions.map((name) => `${by.includes(name) ? dimensionColumns[name] : "''"} AS k_${name}`);
  const names = usageDimensions.map((name) => `k_${name}`);
  const chosen = usageDimensions.filter((name) => only[name] !== undefined);
  const conditions = chosen.map((name) => ` AND ${dimensionColumns[name]} = {only_${name}:String}`);
  const values = Object.fromEntries(chosen.map((name) => [`only_${name}`, only[name]]));
  return columns.query<UsageSumRow>(
    `SELECT k_start AS start, ${usageDimensions.map((name) => `k_${name} AS ${name}`).join(', ')}, n, n_known, n_errors, n_timed, n_duration,
      n_sized_in, n_in, n_sized_out, n_out, n_counted_records, n_records, n_variance FROM (
      SELECT ${windowStarts[window]} AS k_start, ${keys.join(', ')}, sum(calls) AS n, sum(known) AS n_known, sum(errors) AS n_errors,
        sum(timed) AS n_timed, sum(duration_us) AS n_duration, sum(sized_in) AS n_sized_in, sum(bytes_in) AS n_in,
        sum(sized_out) AS n_sized_out, sum(bytes_out) AS n_out,
        sum(counted_records) AS n_counted_records, sum(records) AS n_records, sum(variance) AS n_variance
      FROM usage_minute
      WHERE marker = 0 AND minute >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND minute < fromUnixTimestamp64Milli({to:Int64}, 'UTC')${conditions.join('')}
      GROUP BY k_start, ${names.join(', ')} HAVING n != 0
    ) ORDER BY start, ${usageDimensions.join(', ')}`,
    { from: range.fromMs, to: range.toMs, zone: timeZone, ...values },
  );
}

/** The newest minute with a call, as RFC 3339; null when there is none. */
export async function readNewestCall(columns: ColumnStore): Promise<string | null> {
  return (await readCallSpan(columns)).newest;
}

/** The oldest and the newest minute with a call, and how many calls there are. */
export async function readCallSpan(
  columns: ColumnStore,
): Promise<{ oldest: string | null; newest: string | null; calls: number }> {
  const [row] = await columns.query<{ oldest: string; newest: string; n: string }>(
    `SELECT formatDateTime(min(minute), '${ISO}', 'UTC') AS oldest, formatDateTime(max(minute), '${ISO}', 'UTC') AS newest, sum(calls) AS n
     FROM usage_minute WHERE marker = 0 AND calls != 0`,
  );
  if (!row || row.n === '0') return { oldest: null, newest: null, calls: 0 };
  return { oldest: row.oldest, newest: row.newest, calls: Number(row.n) / 1e6 };
}

/** Calendar months (UTC) that hold calls, as 2022-08. */
export async function readCallMonths(columns: ColumnStore): Promise<string[]> {
  const rows = await columns.query<{ month: string }>(
    "SELECT DISTINCT formatDateTime(minute, '%Y-%m', 'UTC') AS month FROM usage_minute WHERE marker = 0 ORDER BY month DESC",
  );
  return rows.map((row) => row.month);
}
