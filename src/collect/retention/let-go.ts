import { fail, formatInstant, MILLIS_PER_HOUR, type TimeRange } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';

/** What has a period of its own for which it is kept. */
export const keptKinds = ['spans', 'rollups', 'samples', 'events'] as const;
export type KeptKind = (typeof keptKinds)[number];

/** What is in force of work: raw rows that were received since a day, and what runs added up of those before. */
export interface LetGo {
  /** Days since 1970; 0 where everything is still there. */
  readonly sinceDay: number;
  /** Runs whose sums count. */
  readonly runs: readonly number[];
}

/** The row of a run. */
export interface LetGoRow {
  readonly run: number;
  readonly since: number;
  readonly until: number;
}

/**
 * Says which raw work and which sums count now. Whoever asks both at once gets every row once: raw rows are deleted an hour
 * after their sums are in force, so that what began before ends on the same ground.
 */
export async function readLetGo(columns: ColumnStore): Promise<LetGo> {
  const rows = await columns.query<{ run: string; since: number; until: number }>(
    "SELECT run, toUInt16(since) AS since, toUInt16(until) AS until FROM retention WHERE kind = 'spans'",
  );
  return letGoBy(rows.map((row) => ({ ...row, run: Number(row.run) })));
}

/**
 * Takes  rows: one for each run, in any order.
 * Holds  no day counts twice: of runs over the same days the latest counts, whenever its row came.
 */
function letGoBy(rows: readonly LetGoRow[]): LetGo {
  const latestFirst = [...rows].sort((a, b) => b.run - a.run);
  const runs: number[] = [];
  let before = Number.POSITIVE_INFINITY;
  for (const { run, since, until } of latestFirst) {
    if (until > before) continue;
    runs.push(run);
    before = since;
  }
  return { sinceDay: latestFirst[0]?.until ?? 0, runs };
}

/**
 * Refuses a question about a time of which the answer is no longer kept: it would be a part, and look like the whole.
 *
 * Fails  RANGE_DROPPED.
 */
export async function checkKept(columns: ColumnStore, kind: Exclude<KeptKind, 'spans'>, fromMs: number): Promise<void> {
  const [row] = await columns.query<{ until: string }>(
    'SELECT toUnixTimestamp(toDateTime(max(until), {zone:String})) AS until FROM retention WHERE kind = {kind:String}',
    { kind, zone: 'UTC' },
  );
  const keptSinceMs = Number(row?.until ?? 0) * 1000;
  if (keptSinceMs > 0 && fromMs < keptSinceMs)
    throw fail('RANGE_DROPPED', { kind, keptSince: formatInstant(keptSinceMs) });
}

/**
 * Refuses a question that only raw work answers, about a time of which some was let go.
 *
 * Fails  RANGE_DROPPED.
 */
export async function checkRaw(
  columns: ColumnStore,
  { runs, sinceDay }: LetGo,
  { fromMs, toMs }: TimeRange,
): Promise<void> {
  if (runs.length === 0) return;
  // Where sums went as well, nothing says any more what there was.
  await checkKept(columns, 'rollups', fromMs);
  const found = await columns.query(
    `SELECT 1 FROM work_hour WHERE run IN (${runs.join(', ')}) AND hour >= {from:Int64} AND hour < {to:Int64} LIMIT 1`,
    { from: Math.floor(fromMs / MILLIS_PER_HOUR), to: Math.ceil(toMs / MILLIS_PER_HOUR) },
  );
  if (found.length > 0)
    throw fail('RANGE_DROPPED', { kind: 'spans', keptSince: formatInstant(sinceDay * 24 * MILLIS_PER_HOUR) });
}

/**
 * Refuses a range that cuts an hour of which only sums are kept.
 *
 * Fails  RANGE_TOO_FINE.
 */
export async function checkGrain(columns: ColumnStore, { runs }: LetGo, { fromMs, toMs }: TimeRange): Promise<void> {
  const cut = [fromMs, toMs].filter((ms) => ms % MILLIS_PER_HOUR !== 0).map((ms) => Math.floor(ms / MILLIS_PER_HOUR));
  if (runs.length === 0 || cut.length === 0) return;
  const found = await columns.query(
    `SELECT 1 FROM work_hour WHERE run IN (${runs.join(', ')}) AND hour IN (${cut.join(', ')}) LIMIT 1`,
  );
  if (found.length > 0) throw fail('RANGE_TOO_FINE', { from: formatInstant(fromMs), to: formatInstant(toMs) });
}
