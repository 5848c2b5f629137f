import { fail, MILLIS_PER_HOUR, type TimeRange } from '../../model/index.ts';
import { MOST_WINDOWS, slotOfWeek, windowsOf } from '../time/calendar.ts';

/** A window, and which hour (0 to 167) or day (0 to 6) of the week it is, from Monday on. */
export interface SlottedWindow {
  readonly window: TimeRange;
  readonly slot: number;
}

/**
 * Gives the hours or days that a range touches, with their places in the week.
 *
 * Holds  the windows are those of `windowsOf`. Days of 24 hours are not asked hour by hour: of three quarters there are 6,500 hours.
 * Fails  RANGE_TOO_LONG beyond 10,000 windows.
 */
export function slottedWindows(range: TimeRange, unit: 'hour' | 'day', timeZone: string): SlottedWindow[] {
  const days = windowsOf(range, 'day', timeZone).map((window) => ({
    window,
    slot: slotOfWeek(window.fromMs, 'day', timeZone),
  }));
  if (unit === 'day') return days;
  if (days.length * 24 > MOST_WINDOWS) throw fail('RANGE_TOO_LONG', { window: unit, windows: MOST_WINDOWS });
  return days
    .flatMap(({ window, slot }) => hoursOf(window, slot, timeZone))
    .filter(({ window }) => window.toMs > range.fromMs && window.fromMs < range.toMs);
}

function hoursOf(day: TimeRange, slot: number, timeZone: string): SlottedWindow[] {
  if (day.toMs - day.fromMs !== 24 * MILLIS_PER_HOUR)
    return windowsOf(day, 'hour', timeZone).map((window) => ({
      window,
      slot: slotOfWeek(window.fromMs, 'hour', timeZone),
    }));
  return Array.from({ length: 24 }, (_, hour) => {
    const fromMs = day.fromMs + hour * MILLIS_PER_HOUR;
    return { window: { fromMs, toMs: fromMs + MILLIS_PER_HOUR }, slot: slot * 24 + hour };
  });
}
