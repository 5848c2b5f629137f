import { checkKept, checkRaw, readLetGo } from '../../collect/index.ts';
import { fail, formatInstant, MILLIS_PER_MINUTE, type TimeRange } from '../../model/index.ts';
import type { ColumnStore, QueryParams } from '../../store/index.ts';
import { type Cut, cutFor, rollupGrains } from '../rollups/cuts.ts';
import { type Choice, type Dimension, dimensionSql } from './dimensions.ts';
import { type Grain, piecesOf } from './pieces.ts';

export interface CallsQuestion {
  /** Ascending, none overlapping another. */
  readonly ranges: readonly TimeRange[];
  readonly by: readonly Dimension[];
  readonly only: Choice;
  /** Whether each range has rows of its own; otherwise they are one. */
  readonly isByRange: boolean;
}

/** Counts are weights in millionths. */
export interface CallSums {
  /** Place of the range; 0 where they are one. */
  readonly range: number;
  readonly keys: Readonly<Partial<Record<Dimension, string>>>;
  readonly calls: bigint;
  readonly errors: bigint;
  /** Of calls whose sampling is known. */
  readonly known: bigint;
}

const MOST_ROWS = 200_000;

/**
 * Counts calls of ranges, to the instant.
 *
 * Gives  a row for each range and group in which there are calls, in their order.
 * Holds  rows add up to the calls of the ranges, whichever rollups they come from.
 * Fails  RANGE_DROPPED; RANGE_TOO_LONG beyond 200,000 rows; PARAMETER_INVALID for a time within a minute of which only the count is kept.
 */
export async function sumCalls(columns: ColumnStore, question: CallsQuestion): Promise<CallSums[]> {
  const { by } = question;
  const source = await callsSource(columns, question);
  if (source === null) return [];
  const names = by.map((name) => `k_${name}`);
  const rows = await columns.query<Record<string, string>>(
    `SELECT ${['at', ...names].join(', ')}, sum(calls) AS n, sum(errors) AS n_errors, sum(known) AS n_known
     FROM (${source.sql}) GROUP BY ${['at', ...names].join(', ')} HAVING n != 0 OR n_errors != 0
     ORDER BY ${['at', ...names].join(', ')} LIMIT ${MOST_ROWS + 1}`,
    source.params,
  );
  if (rows.length > MOST_ROWS) throw fail('RANGE_TOO_LONG', { rows: MOST_ROWS });
  const places = new Map(question.ranges.map(({ fromMs }, place) => [String(fromMs), place]));
  return rows.map((row) => ({
    range: question.isByRange ? places.get(row.at!)! : 0,
    keys: Object.fromEntries(by.map((name) => [name, row[`k_${name}`]!])),
    ...{ calls: BigInt(row.n!), errors: BigInt(row.n_errors!), known: BigInt(row.n_known!) },
  }));
}

/** A text of SQL that gives calls of ranges, with what belongs into its places. */
export interface CallsSource {
  readonly sql: string;
  readonly params: QueryParams;
}

/**
 * SQL for the calls of ranges: columns `at` (start of the range in milliseconds), `k_...` for each dimension, `calls`, `errors`, `known`.
 *
 * Gives  null where the ranges are empty.
 */
export async function callsSource(columns: ColumnStore, question: CallsQuestion): Promise<CallsSource | null> {
  const { ranges, by, only, isByRange } = question;
  if (ranges.length > 0) await checkKept(columns, 'rollups', Math.min(...ranges.map(({ fromMs }) => fromMs)));
  const needed = new Set([...by, ...(Object.keys(only) as Dimension[])]);
  const found = rollupGrains.map((grain) => [grain, cutFor(grain, needed)] as const);
  const cuts = new Map<Grain, Cut>(found.flatMap(([grain, cut]) => (cut === undefined ? [] : [[grain, cut]])));
  const rollups = rollupGrains.filter((grain) => cuts.has(grain));
  let pieces = piecesOf(ranges, { rollups, callsSinceMs: Number.NEGATIVE_INFINITY });
  if (pieces.call.length > 0) {
    const sinceMs = await readCallsSince(columns);
    const usesMinutes = [...needed].every((name) => minuteDimensions.includes(name));
    if (usesMinutes) pieces = piecesOf(ranges, { rollups, callsSinceMs: sinceMs });
    await refuseDropped(columns, pieces.call, sinceMs);
  }
  const at = (instantMs: string) => (isByRange ? placed(instantMs, ranges) : '0');
  const selects = [...rollupGrains, 'minute' as const, 'call' as const]
    .filter((grain) => pieces[grain].length > 0)
    .map((grain) => select(grain, pieces[grain], { by, only, at, cut: cuts.get(grain) }));
  if (selects.length === 0) return null;
  const params = Object.entries(only).map(([name, values]) => [`only_${name}`, values]);
  return { sql: selects.join(' UNION ALL '), params: Object.fromEntries(params) };
}

/** The start of the range that an instant lies in. */
function placed(instantMs: string, ranges: readonly TimeRange[]): string {
  return `roundDown(${instantMs}, [${ranges.map(({ fromMs }) => fromMs)}])`;
}

interface Selected {
  readonly by: readonly Dimension[];
  readonly only: Choice;
  readonly at: (instantMs: string) => string;
  readonly cut: Cut | undefined;
}

function select(grain: Grain, ranges: readonly TimeRange[], { by, only, at, cut }: Selected): string {
  const { table, instantMs, where, sums, column } = grains[grain];
  const keys = by.map((name) => `toString(${column(name)}) AS k_${name}`);
  const chosen = (Object.keys(only) as Dimension[]).map((name) => `${column(name)} IN ({only_${name}:Array(String)})`);
  const within = ranges.map((range) => `(${where(range)})`).join(' OR ');
  const conditions = [`(${within})`, ...(grain === 'call' ? ['is_call = 1'] : ['marker = 0']), ...chosen];
  if (cut) conditions.unshift(`cut = ${cut.id}`);
  return `SELECT ${[`${at(instantMs)} AS at`, ...keys].join(', ')}, ${sums} FROM ${table} WHERE ${conditions.join(' AND ')}`;
}

interface GrainSql {
  readonly table: string;
  readonly instantMs: string;
  readonly sums: string;
  where(range: TimeRange): string;
  column(name: Dimension): string;
}

const asDate = (ms: number) => `toDate(${Math.floor(ms / 86_400_000)})`;
const seconds = (ms: number) => `toDateTime(${ms / 1000}, 'UTC')`;
const instant = (ms: number) => `fromUnixTimestamp64Milli(toInt64(${ms}), 'UTC')`;
const stored = { sums: 'calls, errors, known', column: (name: Dimension) => (name === 'kind' ? 'call_kind' : name) };

/** Rows of the rollups that are named by the day on which they begin. */
const days: GrainSql = {
  ...{ table: 'usage_rollup', instantMs: 'toInt64(toUnixTimestamp(slot)) * 1000', ...stored },
  where: ({ fromMs, toMs }) => `day >= ${asDate(fromMs)} AND day < ${asDate(toMs)}`,
};

/** One statement has few kinds of piece, but many pieces: what is written into it are whole numbers that were worked out here. */
const grains: Record<Grain, GrainSql> = {
  ...{ month: days, week: days, day: days },
  slot: {
    ...days,
    where: ({ fromMs, toMs }) =>
      `day >= ${asDate(fromMs)} AND day <= ${asDate(toMs)} AND slot >= ${seconds(fromMs)} AND slot < ${seconds(toMs)}`,
  },
  minute: {
    ...{ table: 'usage_minute', instantMs: 'toInt64(toUnixTimestamp(minute)) * 1000', ...stored },
    where: ({ fromMs, toMs }) => `minute >= ${seconds(fromMs)} AND minute < ${seconds(toMs)}`,
  },
  call: {
    ...{ table: 'work', instantMs: 'toUnixTimestamp64Milli(start_at)' },
    sums: 'sign * toInt128(share) AS calls, sign * toInt128(share) * is_error AS errors, sign * toInt128(share) * is_weight_known AS known',
    where: callsWithin,
    column: (name) => dimensionSql[name],
  },
};

/** The condition for calls that start within a range: on the hour as well, which the table is ordered by. */
export function callsWithin({ fromMs, toMs }: TimeRange): string {
  return `toStartOfHour(start_at) >= toStartOfHour(${instant(fromMs)}) AND toStartOfHour(start_at) <= toStartOfHour(${instant(toMs)})
    AND start_at >= ${instant(fromMs)} AND start_at < ${instant(toMs)}`;
}

/** Refuses a question about single calls of a range of which some were let go. Fails RANGE_DROPPED. */
export async function checkCallsKept(columns: ColumnStore, range: TimeRange): Promise<void> {
  await checkRaw(columns, await readLetGo(columns), range);
}

/** Since when every call is kept itself: not for certain in the first hour of which there is one. */
async function readCallsSince(columns: ColumnStore): Promise<number> {
  const [row] = await columns.query<{ first: string }>(
    'SELECT toUnixTimestamp(toStartOfHour(start_at)) AS first FROM work ORDER BY toStartOfHour(start_at) LIMIT 1',
  );
  return row === undefined ? Number.POSITIVE_INFINITY : (Number(row.first) + 3_600) * 1000;
}

/** What minutes can be told apart by. */
const minuteDimensions: readonly Dimension[] = [
  ...(['tenant', 'endpoint', 'consumer', 'kind'] as const),
  ...(['class', 'region', 'version', 'flags'] as const),
];

/** Where only minutes are kept any more, nobody knows what was at which second of them, or which version it was. */
async function refuseDropped(columns: ColumnStore, calls: readonly TimeRange[], sinceMs: number): Promise<void> {
  if (calls.length === 0) return;
  // Raw work goes by the day it was received: of any hour some of it may be gone.
  const isLetGo = (await readLetGo(columns)).runs.length > 0;
  for (const { fromMs, toMs } of calls) {
    if (fromMs >= sinceMs && !isLetGo) continue;
    const untilMs = isLetGo ? toMs : Math.min(toMs, sinceMs);
    const whole = { fromMs: roundDown(fromMs), toMs: roundDown(untilMs + MILLIS_PER_MINUTE - 1) };
    const [row] = await columns.query<{ is_kept: number }>(
      `SELECT (SELECT sum(sign * toInt128(share)) FROM work WHERE is_call = 1 AND ${callsWithin(whole)})
        = (SELECT sum(calls) FROM usage_minute WHERE marker = 0 AND minute >= ${seconds(whole.fromMs)} AND minute < ${seconds(whole.toMs)}) AS is_kept`,
    );
    if (row?.is_kept !== 1)
      throw fail('PARAMETER_INVALID', {
        reason: `from ${formatInstant(fromMs)} on not every call is kept: only whole minutes by ${minuteDimensions.join(', ')} are kept`,
      });
  }
}

function roundDown(at: number): number {
  return Math.floor(at / MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE;
}
