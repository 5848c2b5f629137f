import { SIGNIFICANT, type TrendPoint, trendOf } from './trend.ts';

export const targetStates = ['on_track', 'off_track', 'met', 'missed', 'unknown'] as const;

/** What is known of a figure that somebody aims at. Times are milliseconds. */
export interface Aimed {
  /** Whole windows that are over, oldest first, each at its end. */
  readonly points: readonly TrendPoint[];
  readonly aim: number;
  readonly direction: 'atMost' | 'atLeast';
  readonly nowMs: number;
  readonly deadlineMs: number;
}

export interface Judged {
  readonly state: (typeof targetStates)[number];
  /** Of the last window; null where none is known. */
  readonly current: number | null;
  /** At the deadline, if it goes on like this; null where that cannot be said, or the deadline is over. */
  readonly projected: number | null;
  /** When the line reaches what is aimed at; null where it is there already or never gets there. */
  readonly reachedMs: number | null;
}

/** How many of the last windows say the level where there is no trend. */
const LATEST = 4;
/** Nobody looks further ahead than this. */
const HORIZON_MS = 5 * 366 * 86_400_000;

/**
 * Says whether a figure is where it should be, and whether it gets there in time. Pure.
 *
 * Gives  `met` where the last window has it and nothing says that it will be lost; after the deadline `met` or `missed` by the last window
 *        before it. Where there is a trend it goes on in a straight line, otherwise the level of the last windows stays.
 * Holds  what is asked for less of is never judged worse.
 */
export function judgeTarget({ points, aim, direction, nowMs, deadlineMs }: Aimed): Judged {
  const isThere = (value: number) => (direction === 'atMost' ? value <= aim : value >= aim);
  const current = points.at(-1)?.value ?? null;
  if (current === null) return { state: 'unknown', current, projected: null, reachedMs: null };
  if (nowMs >= deadlineMs)
    return { state: isThere(current) ? 'met' : 'missed', current, projected: null, reachedMs: null };
  const trend = trendOf(points);
  const line = trend !== null && trend.pValue < SIGNIFICANT ? trend : null;
  const at = (ms: number) => Math.max(0, line ? line.intercept + line.slope * ms : levelOf(points));
  const projected = trend === null ? null : at(deadlineMs);
  const reachedMs = isThere(current) || line === null ? null : crossing(line, aim, nowMs);
  if (projected === null) return { state: isThere(current) ? 'met' : 'unknown', current, projected, reachedMs };
  const isLost = !isThere(projected);
  if (isThere(current)) return { state: isLost && line !== null ? 'off_track' : 'met', current, projected, reachedMs };
  return { state: isLost ? 'off_track' : 'on_track', current, projected, reachedMs };
}

function levelOf(points: readonly TrendPoint[]): number {
  const last = points.slice(-LATEST).map(({ value }) => value);
  return last.reduce((sum, value) => sum + value, 0) / last.length;
}

function crossing({ slope, intercept }: { slope: number; intercept: number }, aim: number, nowMs: number) {
  if (slope === 0) return null;
  const ms = (aim - intercept) / slope;
  if (ms < nowMs) return slope > 0 === aim > intercept + slope * nowMs ? nowMs : null;
  return ms > nowMs + HORIZON_MS ? null : ms;
}
