import { startOfDay, startOfHour } from '../queries.ts';
import type { MeterWindow } from './meter.ts';

const startOfMonth = (instant: string) =>
  `toDateTime(toDateTime(toStartOfMonth(${instant}, {zone:String}), {zone:String}), 'UTC')`;

/** Where the window of an instant begins, and an instant that lies in the next one, from its beginning on. */
const windows: Record<MeterWindow, { start(instant: string): string; next(start: string): string }> = {
  MINUTE: { start: (instant) => instant, next: (start) => `addMinutes(${start}, 1)` },
  // Where clocks change by half an hour, an hour is shorter, never longer.
  HOUR: { start: startOfHour, next: (start) => `addHours(${start}, 1)` },
  // 22 to 26 hours are a day.
  DAY: { start: startOfDay, next: (start) => `addHours(${start}, 30)` },
  MONTH: { start: startOfMonth, next: (start) => `addDays(${start}, 45)` },
};

/**
 * SQL for the window of a whole minute, as DateTime('UTC'). The parameter `zone` names the zone whose wall clock says.
 *
 * Holds  the end of a window is the start of the next one.
 */
export function windowBounds(window: MeterWindow, minute: string): { readonly start: string; readonly end: string } {
  const { start, next } = windows[window];
  return { start: start(minute), end: start(next(start(minute))) };
}
