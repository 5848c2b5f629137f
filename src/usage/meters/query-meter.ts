import { checkKept } from '../../collect/index.ts';
import {
  ATTO_DIGITS,
  divideHalfEven,
  fail,
  formatInstant,
  formatMoney,
  parseDecimal,
  UNKNOWN_TENANT,
} from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import type { Meter, MeterSpec, MeterWindow } from './meter.ts';
import { DOC, isCounted, SqlParams, textAt, valueColumns } from './meter-sql.ts';
import { windowBounds } from './window-sql.ts';

/** What is asked of a meter. Times are milliseconds since 1970; null where the range is open. */
export interface MeterQuestion {
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Null for one figure over the whole range. */
  readonly window: MeterWindow | null;
  readonly timeZone: string;
  /**
   * Only these; null for all.
   */
  readonly subjects: readonly string[] | null;
  /** By subject, to whom it belongs: what `tenant` means where the meter has no group of that name. Nobody's are `(unknown)`. */
  readonly tenants?: ReadonlyMap<string, string>;
  /** Names of the meter's groups, `subject`, and `tenant`. */
  readonly groupBy: readonly string[];
  /** By name of a group, the values of which one must be there. */
  readonly filter: Readonly<Record<string, readonly string[]>>;
}

export interface MeterRow {
  /** Decimal text, exact; an average is rounded half-even to 18 decimals. */
  readonly value: string;
  readonly windowStart: string;
  readonly windowEnd: string;
  /** Null where it was not asked for. */
  readonly subject: string | null;
  /** Null where the event has no such value. */
  readonly groupBy: Readonly<Record<string, string | null>>;
}

const MOST_ROWS = 100_000;
const TENANT = 'tenant';

interface SumRow {
  window_start: string;
  window_end: string;
  key_subject: string;
  total: string;
  n: string;
  [group: `group_${number}`]: string | null;
}

/**
 * Reads a meter: events of its type, each once, in windows that begin where a wall clock says.
 *
 * Gives  a row for each window and group in which an event counts, in their order. The first and the last window end at the range.
 * Holds  sums and counts of windows and groups add up to those of the whole.
 * Fails  PARAMETER_INVALID for a group that the meter does not have; RANGE_EMPTY; RANGE_DROPPED where the range begins before
 *        the events that are kept; RANGE_TOO_LONG beyond 100,000 rows.
 */
export async function queryMeter(columns: ColumnStore, meter: Meter, question: MeterQuestion): Promise<MeterRow[]> {
  const groups = question.groupBy.filter((name) => name !== 'subject');
  checkNames(meter.spec, [...groups, ...Object.keys(question.filter)]);
  const { fromMs, toMs } = question;
  if (fromMs !== null && toMs !== null && toMs <= fromMs) {
    throw fail('RANGE_EMPTY', { from: formatInstant(fromMs), to: formatInstant(toMs) });
  }
  if (fromMs !== null) await checkKept(columns, 'events', fromMs);
  const params = new SqlParams();
  const sql = meterSql(meter.spec, question, groups, params);
  const rows = await columns.query<SumRow>(sql, { ...params.values, zone: question.timeZone });
  if (rows.length > MOST_ROWS) throw fail('RANGE_TOO_LONG', { rows: MOST_ROWS });
  return rows.map((row) => ({
    value: valueIn(meter.spec, row),
    ...shownWindow(question, Number(row.window_start) * 1000, Number(row.window_end) * 1000),
    subject: question.groupBy.includes('subject') ? row.key_subject : null,
    groupBy: Object.fromEntries(groups.map((name, place) => [name, row[`group_${place}`] ?? null])),
  }));
}

function checkNames(spec: MeterSpec, names: readonly string[]): void {
  const unknown = names.filter((name) => name !== TENANT && !Object.hasOwn(spec.groupBy, name));
  if (unknown.length === 0) return;
  const known = ['subject', TENANT, ...Object.keys(spec.groupBy)].join(',');
  throw fail('PARAMETER_INVALID', { groupBy: unknown.join(',').slice(0, 100), known });
}

function meterSql(spec: MeterSpec, question: MeterQuestion, groups: readonly string[], params: SqlParams): string {
  const keys = groups.map((_, place) => `group_${place}`);
  const groupAt = (name: string) =>
    Object.hasOwn(spec.groupBy, name) ? textAt(spec.groupBy[name]!, params) : tenantAt(question.tenants, params);
  const filters = Object.entries(question.filter);
  const filtered = filters.map(([name], place) => `${groupAt(name)} AS filter_${place}`);
  const grouped = groups.map((name, place) => `${groupAt(name)} AS group_${place}`);
  const conditions = [
    isCounted(spec),
    ...filters.map(([, values], place) => `filter_${place} IN (${params.add('Array(String)', values)})`),
  ];
  const { start, end } = bounds(question);
  const subject = question.groupBy.includes('subject') ? 'subject' : "''";
  return `SELECT toUnixTimestamp(${start}) AS window_start, toUnixTimestamp(${end}) AS window_end, ${subject} AS key_subject,
      ${[...keys, `${aggregate(spec)} AS total`].join(', ')}, count() AS n
    FROM (
      SELECT subject, time, hash, toStartOfMinute(toDateTime(time, 'UTC')) AS minute, ${DOC},
        ${[valueColumns(spec, params), ...grouped, ...filtered].join(', ')}
      FROM events WHERE ${range(spec, question, params)}
    ) WHERE ${conditions.join(' AND ')}
    GROUP BY ${[...(question.window === null ? [] : [start, end]), 'key_subject', ...keys].join(', ')}
    ORDER BY ${['window_start', 'key_subject', ...keys].join(', ')} LIMIT ${MOST_ROWS + 1}`;
}

/** The tenant of `subject`. */
function tenantAt(tenants: ReadonlyMap<string, string> = new Map(), params: SqlParams): string {
  if (tenants.size === 0) return `'${UNKNOWN_TENANT}'`;
  const [subjects, names] = [[...tenants.keys()], [...tenants.values()]];
  const lists = [params.add('Array(String)', subjects), params.add('Array(String)', names)];
  return `transform(subject, ${lists.join(', ')}, '${UNKNOWN_TENANT}')`;
}

function range(spec: MeterSpec, { fromMs, toMs, subjects }: MeterQuestion, params: SqlParams): string {
  return [
    `type = ${params.add('String', spec.eventType)}`,
    ...(fromMs === null ? [] : [`time >= ${params.addInstant(fromMs)}`]),
    ...(toMs === null ? [] : [`time < ${params.addInstant(toMs)}`]),
    ...(subjects === null ? [] : [`subject IN (${params.add('Array(String)', subjects)})`]),
  ].join(' AND ');
}

/** Without windows, the minutes that hold events. */
function bounds({ window }: MeterQuestion): { readonly start: string; readonly end: string } {
  if (window === null) return { start: 'min(minute)', end: 'addMinutes(max(minute), 1)' };
  return windowBounds(window, 'minute');
}

/** A window lies inside of the range; without windows it is the range, as far as that has ends. */
function shownWindow({ fromMs, toMs, window }: MeterQuestion, startMs: number, endMs: number) {
  const start = window === null ? (fromMs ?? startMs) : Math.max(startMs, fromMs ?? startMs);
  const end = window === null ? (toMs ?? endMs) : Math.min(endMs, toMs ?? endMs);
  return { windowStart: formatInstant(start), windowEnd: formatInstant(end) };
}

function aggregate({ aggregation }: MeterSpec): string {
  const number = 'assumeNotNull(number)';
  const aggregates = {
    SUM: `sum(${number})`,
    AVG: `sum(${number})`,
    MIN: `min(${number})`,
    MAX: `max(${number})`,
    // Of several at the same time the one with the larger hash: any, but always the same.
    LATEST: `argMax(${number}, (time, hash))`,
    COUNT: 'count()',
    UNIQUE_COUNT: 'uniqExact(raw)',
  };
  return `toString(${aggregates[aggregation]})`;
}

function valueIn({ aggregation }: MeterSpec, { total, n }: SumRow): string {
  const parsed = parseDecimal(total, ATTO_DIGITS);
  if (parsed === null || parsed === 'too large') throw new RangeError(`a meter's value is out of range: ${total}`);
  const value = aggregation === 'AVG' ? divideHalfEven(parsed.value, BigInt(n)) : parsed.value;
  return formatMoney(value).replace(/\.?0+$/, '');
}
