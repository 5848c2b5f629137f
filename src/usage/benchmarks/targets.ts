import { Failure, formatInstant, parseInstant, type TimeRange } from '../../model/index.ts';
import { newestOf, type Store } from '../../store/index.ts';
import { firstSlotMs } from '../reports/entities.ts';
import { type Presence, readPresence, type Standing } from '../reports/freshness.ts';
import { parseChoice } from '../sums/dimensions.ts';
import { dateOf, shiftInstant, windowStart, windowsOf } from '../time/calendar.ts';
import { type Judged, judgeTarget } from './judge-target.ts';
import { type BenchmarkMetric, type CostsByDay, metricSeries, shownFigure } from './metric-series.ts';
import { aimOf, type TargetSpec } from './target.ts';

type Figure = number | string | null;

export interface TargetRow {
  readonly name: string;
  readonly metric: BenchmarkMetric;
  readonly where: string;
  readonly direction: TargetSpec['direction'];
  readonly value: number | string;
  readonly by: string;
  readonly per: TargetSpec['per'];
  readonly timeZone: string;
  readonly state: Judged['state'];
  /** Of the last whole window of which anything is known, and when it began. */
  readonly current: Figure;
  readonly start: string | null;
  readonly projected: Figure;
  /** The day on which it gets there if it goes on like this. */
  readonly projectedOn: string | null;
  /** How many windows say so. */
  readonly windows: number;
  /** Why nothing can be said of it: only there where its figure cannot be told at all. */
  readonly reason?: string;
}

export interface TargetsReport extends Standing {
  readonly rows: readonly TargetRow[];
}

/** A quarter of weeks, eight weeks of days, three quarters of months. */
const windowsBack = { day: 56, week: 13, month: 9 } as const;
const unitsBack = { day: 'days', week: 'weeks', month: 'months' } as const;

/** What a target can bring about by what it asks for, and by how far back. */
const ofOneTarget: ReadonlySet<string> = new Set(['PARAMETER_INVALID', 'RANGE_DROPPED', 'CURRENCY_MIXED']);

/** Says of each target whether it is met, missed, on the way or off it. Takes  atMs: as it was then known to be. */
export async function targetsReport(
  store: Store,
  { atMs, costs }: { readonly atMs: number; readonly costs: CostsByDay },
  now: Date,
): Promise<TargetsReport> {
  const asked = (await newestOf(store.documents, 'Target'))
    .map(({ name, body }) => ({ name, spec: JSON.parse(body) as TargetSpec }))
    .filter(({ spec }) => spec.enabled)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((target) => ({ ...target, range: lookedAt(target.spec, atMs) }));
  const whole = {
    fromMs: Math.min(atMs - 1, ...asked.map(({ range }) => range.fromMs)),
    toMs: Math.max(atMs, ...asked.map(({ range }) => range.toMs)),
  };
  const presence = await readPresence(store.columns, whole, now);
  const sinceMs = (await firstSlotMs(store.columns)) ?? atMs;
  const rows: TargetRow[] = [];
  for (const { name, spec, range } of asked)
    rows.push(await rowOrReason(name, spec, () => rowOf(store, name, spec, { range, atMs, sinceMs, costs, presence })));
  return { rows, ...presence.standing(whole, 0n, 0n) };
}

/** The midnight at the end of the last day. */
function deadlineMs({ by, timeZone }: TargetSpec): number {
  const noonUtc = parseInstant(by) + 43_200_000;
  const start = [noonUtc - 86_400_000, noonUtc, noonUtc + 86_400_000]
    .map((at) => windowStart(at, 'day', timeZone))
    .find((at) => dateOf(at, timeZone) >= by)!;
  return shiftInstant(start, { days: 1 }, timeZone);
}

/** Whole windows that were over at the instant, and at the deadline. */
function lookedAt(spec: TargetSpec, atMs: number): TimeRange {
  const { per, timeZone } = spec;
  const toMs = windowStart(Math.min(atMs, deadlineMs(spec)), per, timeZone);
  return { fromMs: shiftInstant(toMs, { [unitsBack[per]]: -windowsBack[per] }, timeZone), toMs };
}

interface Asked {
  readonly range: TimeRange;
  readonly atMs: number;
  /** The first call of anybody: a window that began before it is not a whole one. */
  readonly sinceMs: number;
  readonly costs: CostsByDay;
  readonly presence: Presence;
}

/** One target that cannot be judged must not hide how the others stand. What is wrong with more than a target is not caught. */
async function rowOrReason(name: string, spec: TargetSpec, row: () => Promise<TargetRow>): Promise<TargetRow> {
  try {
    return await row();
  } catch (cause) {
    if (!(cause instanceof Failure) || !ofOneTarget.has(cause.code)) throw cause;
    const nothing = { current: null, start: null, projected: null, projectedOn: null, windows: 0 };
    return { ...asWritten(name, spec), state: 'unknown', ...nothing, reason: `${cause.message}. ${cause.todo}` };
  }
}

function asWritten(name: string, { metric, where, direction, value, by, per, timeZone }: TargetSpec) {
  return { name, metric, where, direction, value, by, per, timeZone };
}

async function rowOf(store: Store, name: string, spec: TargetSpec, asked: Asked): Promise<TargetRow> {
  const { metric, where, direction, per, timeZone } = spec;
  const { range, atMs, sinceMs, costs, presence } = asked;
  const windows = windowsOf(range, per, timeZone);
  const question = { metric, windows, only: parseChoice(where), timeZone, costs };
  const { points } = await metricSeries(store.columns, question, presence);
  const known = points.flatMap(({ window, state, value: of }) =>
    state === 'complete' && of !== null && window.fromMs >= sinceMs
      ? [{ at: window.toMs, value: of, start: window.fromMs }]
      : [],
  );
  const deadline = deadlineMs(spec);
  const judged = judgeTarget({ points: known, aim: aimOf(spec), direction, nowMs: atMs, deadlineMs: deadline });
  const last = known.at(-1);
  return {
    ...{ ...asWritten(name, spec), state: judged.state },
    current: shownFigure(metric, judged.current),
    start: last === undefined ? null : formatInstant(last.start),
    projected: shownFigure(metric, judged.projected),
    projectedOn: judged.reachedMs === null ? null : dateOf(judged.reachedMs, timeZone),
    windows: known.length,
  };
}
