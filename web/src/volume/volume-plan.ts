import type { StatusAnswer } from '../api/contract.ts';
import type { InstantRange, UsageWindow } from '../api/questions.ts';

export interface VolumePlan {
  readonly range: InstantRange;
  readonly window: UsageWindow;
}

export const WINDOW_MS: Readonly<Record<UsageWindow, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};
const LONGEST_BY_MINUTE_MS = 6 * WINDOW_MS.hour;
const LONGEST_BY_HOUR_MS = 10 * WINDOW_MS.day;

/**
 * Chooses what part of the period to draw and how finely.
 *
 * Gives  the period clipped to the time in which calls are known, so that eight minutes do not drown in a month;
 *        null when no call lies in it.
 */
export function volumePlan(
  period: InstantRange,
  status: Pick<StatusAnswer, 'oldestCall' | 'newestCall'>,
): VolumePlan | null {
  if (status.oldestCall === null || status.newestCall === null) return null;
  const from = Math.max(Date.parse(period.from), floorTo(Date.parse(status.oldestCall), WINDOW_MS.minute));
  const to = Math.min(
    Date.parse(period.to),
    floorTo(Date.parse(status.newestCall), WINDOW_MS.minute) + WINDOW_MS.minute,
  );
  if (from >= to) return null;
  return { range: { from: instant(from), to: instant(to) }, window: windowFor(to - from) };
}

function windowFor(spanMs: number): UsageWindow {
  if (spanMs <= LONGEST_BY_MINUTE_MS) return 'minute';
  return spanMs <= LONGEST_BY_HOUR_MS ? 'hour' : 'day';
}

function floorTo(time: number, stepMs: number): number {
  return Math.floor(time / stepMs) * stepMs;
}

function instant(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
