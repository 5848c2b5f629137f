import { fail, formatInstant, type TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import type { Choice, Dimension } from '../sums/dimensions.ts';
import { sumCalls } from '../sums/sum-calls.ts';
import { dateOf, shiftInstant, windowStart, windowsOf } from '../time/calendar.ts';
import { readPresence, type Standing, shownCalls } from './freshness.ts';
import { type VolumeReport, volumeReport } from './volume.ts';

export interface RollingQuestion {
  /** The end of the span, not included. */
  readonly atMs: number;
  readonly spanMs: number;
  readonly timeZone: string;
  readonly only: Choice;
}

export interface RollingPoint {
  readonly at: string;
  readonly calls: number;
  readonly errors: number;
}

export interface RollingReport extends Standing {
  readonly from: string;
  readonly to: string;
  readonly calls: number;
  readonly errors: number;
  readonly rows: readonly RollingPoint[];
}

const MOST_POINTS = 2_000;

/**
 * Counts the calls of a span that ends at an instant, and at instants before it.
 *
 * Takes  stepMs, points: how far the instants of the series are from each other, and how many there are, the asked one included.
 * Gives  the figure, and a row for each instant, oldest first.
 * Holds  each figure is the number of calls that start in [at - span, at), to the millisecond.
 */
export async function rollingReport(
  store: Store,
  { atMs, spanMs, only, stepMs, points }: RollingQuestion & { readonly stepMs: number; readonly points: number },
  now: Date,
): Promise<RollingReport> {
  if (points > MOST_POINTS) throw fail('RANGE_TOO_LONG', { points: MOST_POINTS });
  const ends = Array.from({ length: points }, (_, place) => atMs - (points - 1 - place) * stepMs);
  // Spans overlap; between two neighbouring ends of any of them everything is in the same spans.
  const bounds = [...new Set(ends.flatMap((end) => [end - spanMs, end]))].sort((a, b) => a - b);
  const ranges = bounds.slice(1).map((toMs, place) => ({ fromMs: bounds[place]!, toMs }));
  const presence = await readPresence(store.columns, { fromMs: atMs - spanMs, toMs: atMs }, now);
  const sums = await sumCalls(store.columns, { ranges, by: [], only, isByRange: true });
  const until = runningSums(ranges, sums);
  const rows = ends.map((end) => {
    const [last, first] = [until.get(end)!, until.get(end - spanMs)!];
    return {
      at: formatInstant(end),
      calls: shownCalls(last.calls - first.calls),
      errors: shownCalls(last.errors - first.errors),
    };
  });
  const [last, first] = [until.get(atMs)!, until.get(atMs - spanMs)!];
  return {
    ...{ from: formatInstant(atMs - spanMs), to: formatInstant(atMs) },
    ...{ calls: rows.at(-1)!.calls, errors: rows.at(-1)!.errors, rows },
    ...presence.standing({ fromMs: atMs - spanMs, toMs: atMs }, last.calls - first.calls, last.known - first.known),
  };
}

interface Running {
  readonly calls: bigint;
  readonly errors: bigint;
  readonly known: bigint;
}

/** By each bound, what came before it. */
function runningSums(
  ranges: readonly TimeRange[],
  sums: readonly (Running & { readonly range: number })[],
): Map<number, Running> {
  const byPlace = new Map(sums.map((row) => [row.range, row]));
  const until = new Map<number, Running>();
  let so: Running = { calls: 0n, errors: 0n, known: 0n };
  if (ranges.length > 0) until.set(ranges[0]!.fromMs, so);
  ranges.forEach(({ toMs }, place) => {
    const row = byPlace.get(place);
    if (row) so = { calls: so.calls + row.calls, errors: so.errors + row.errors, known: so.known + row.known };
    until.set(toMs, so);
  });
  return until;
}

export interface FitRow {
  readonly date: string;
  readonly start: string;
  readonly end: string;
  /** Of the day, up to the instant. */
  readonly calls: number;
  readonly inside: number;
  readonly outside: number;
}

export interface FitReport extends Standing {
  readonly from: string;
  readonly to: string;
  /** Of the span. */
  readonly calls: number;
  /** Calls of the span less those of the days that lie inside of it: always 0. */
  readonly residual: number;
  readonly rows: readonly FitRow[];
}

/**
 * Shows how a rolling span and calendar days fit together: of each day that the span touches, what lies inside of it.
 *
 * Holds  what is inside adds up to the calls of the span; inside and outside are the day.
 */
export async function fitReport(
  store: Store,
  { atMs, spanMs, timeZone, only }: RollingQuestion,
  now: Date,
): Promise<FitReport> {
  const span = { fromMs: atMs - spanMs, toMs: atMs };
  const days = windowsOf(span, 'day', timeZone).map(({ fromMs, toMs }) => ({ fromMs, toMs: Math.min(toMs, atMs) }));
  const presence = await readPresence(store.columns, span, now);
  const ask = (ranges: readonly TimeRange[]) =>
    sumCalls(store.columns, { ranges, by: [], only, isByRange: true }).then(
      (sums) => new Map(sums.map((row) => [row.range, row])),
    );
  const [whole, whole24, inside] = [
    await ask(days),
    await ask([span]),
    await ask(days.map(({ fromMs, toMs }) => ({ fromMs: Math.max(fromMs, span.fromMs), toMs }))),
  ];
  const calls = whole24.get(0)?.calls ?? 0n;
  let rest = calls;
  const rows = days.map(({ fromMs, toMs }, place) => {
    const [day, part] = [whole.get(place)?.calls ?? 0n, inside.get(place)?.calls ?? 0n];
    rest -= part;
    return {
      ...{ date: dateOf(fromMs, timeZone), start: formatInstant(fromMs), end: formatInstant(toMs) },
      ...{ calls: shownCalls(day), inside: shownCalls(part), outside: shownCalls(day - part) },
    };
  });
  return {
    ...{
      from: formatInstant(span.fromMs),
      to: formatInstant(atMs),
      calls: shownCalls(calls),
      residual: shownCalls(rest),
      rows,
    },
    ...presence.standing(span, calls, whole24.get(0)?.known ?? 0n),
  };
}

/** Counts the calls of the last days by user and date: today up to the instant, and the days before it. */
export function dailyReport(
  store: Store,
  question: Omit<RollingQuestion, 'spanMs'> & { readonly days: number; readonly by: readonly Dimension[] },
  now: Date,
): Promise<VolumeReport> {
  const { atMs, days, timeZone, by, only } = question;
  const today = windowStart(atMs - 1, 'day', timeZone);
  const range = { fromMs: shiftInstant(today, { days: 1 - days }, timeZone), toMs: atMs };
  return volumeReport(store, { range, window: 'day', timeZone, by, only, base: null }, now);
}
