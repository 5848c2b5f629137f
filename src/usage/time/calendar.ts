import { Temporal } from 'temporal-polyfill';
import { fail, isTimeZone, MILLIS_PER_HOUR, MILLIS_PER_MINUTE, type TimeRange } from '../../model/index.ts';

export const calendarUnits = ['minute', 'hour', 'day', 'week', 'month', 'quarter'] as const;
export type CalendarUnit = (typeof calendarUnits)[number];
type DateUnit = Exclude<CalendarUnit, 'minute' | 'hour'>;

/** More than anybody reads, and as many as one statement should tell apart. */
export const MOST_WINDOWS = 10_000;

const MONTHS_PER_QUARTER = 3;
const steps: Record<DateUnit, Temporal.DurationLike> = {
  day: { days: 1 },
  week: { weeks: 1 },
  month: { months: 1 },
  quarter: { months: MONTHS_PER_QUARTER },
};

/** No window is longer, but days that a zone left out. */
const longestMs: Record<CalendarUnit, number> = {
  minute: MILLIS_PER_MINUTE,
  hour: MILLIS_PER_HOUR,
  day: 50 * MILLIS_PER_HOUR,
  week: 8 * 24 * MILLIS_PER_HOUR,
  month: 32 * 24 * MILLIS_PER_HOUR,
  quarter: 93 * 24 * MILLIS_PER_HOUR,
};

/** Checks a zone and gives its name. Fails PARAMETER_INVALID. */
export function knownZone(zone: string): string {
  // An offset such as +02:00 is a zone to this machine, but not one in which days change their length.
  if (/^[A-Za-z]/.test(zone) && isTimeZone(zone)) return zone;
  throw fail('PARAMETER_INVALID', { reason: `${zone.slice(0, 60)} is not a time zone of the IANA database` });
}

/**
 * Gives the calendar windows that a range touches, as a wall clock of the zone says.
 *
 * Takes  timeZone: IANA name.
 * Gives  whole windows, oldest first; the first and the last may reach beyond the range.
 * Holds  the end of a window is the start of the next one; the windows cover the range; each begins where the wall clock says.
 *        Weeks begin on Monday. A day has 23, 24 or 25 hours. An hour that is there twice is two windows; where clocks change by
 *        half an hour a window begins at the change.
 * Fails  RANGE_TOO_LONG beyond 10,000 windows.
 * From   ISO 8601 for weeks.
 */
export function windowsOf(range: TimeRange, unit: CalendarUnit, timeZone: string): TimeRange[] {
  const windows: TimeRange[] = [];
  // Each is worked out by the calendar: of far too many not even the first ones.
  if ((range.toMs - range.fromMs) / longestMs[unit] > MOST_WINDOWS)
    throw fail('RANGE_TOO_LONG', { window: unit, windows: MOST_WINDOWS });
  for (let fromMs = windowStart(range.fromMs, unit, timeZone); fromMs < range.toMs; fromMs = windows.at(-1)!.toMs) {
    if (windows.length >= MOST_WINDOWS) throw fail('RANGE_TOO_LONG', { window: unit, windows: MOST_WINDOWS });
    windows.push({ fromMs, toMs: windowEnd(fromMs, unit, timeZone) });
  }
  return windows;
}

/** Gives where the window begins that holds an instant. */
export function windowStart(instantMs: number, unit: CalendarUnit, timeZone: string): number {
  if (unit === 'minute') return Math.floor(instantMs / MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE;
  const local = localTime(instantMs, timeZone);
  if (unit !== 'hour') return midnight(startDate(local.toPlainDate(), unit), timeZone);
  const full = local.minute * MILLIS_PER_MINUTE + local.second * 1000 + local.millisecond;
  const change = local.getTimeZoneTransition('previous')?.epochMilliseconds ?? Number.NEGATIVE_INFINITY;
  // The previous change of an instant at which the clock changes is the one before.
  const last = offsetOf(instantMs - 1, timeZone) === offsetOf(instantMs, timeZone) ? change : instantMs;
  return Math.max(Math.floor(instantMs) - full, last);
}

function windowEnd(startMs: number, unit: CalendarUnit, timeZone: string): number {
  if (unit === 'minute') return startMs + MILLIS_PER_MINUTE;
  const local = localTime(startMs, timeZone);
  if (unit === 'hour') {
    const end = startMs + MILLIS_PER_HOUR - local.minute * MILLIS_PER_MINUTE;
    if (offsetOf(end, timeZone) === offsetOf(startMs, timeZone)) return end;
    return Math.min(end, local.getTimeZoneTransition('next')!.epochMilliseconds);
  }
  let date = startDate(local.toPlainDate(), unit);
  // A day that a zone left out has no length: Samoa, 30 December 2011.
  for (let end = startMs; ; ) {
    date = date.add(steps[unit]);
    end = midnight(date, timeZone);
    if (end > startMs) return end;
  }
}

function startDate(date: Temporal.PlainDate, unit: DateUnit): Temporal.PlainDate {
  if (unit === 'week') return date.subtract({ days: date.dayOfWeek - 1 });
  if (unit === 'month') return date.with({ day: 1 });
  if (unit === 'day') return date;
  return date.with({ day: 1, month: date.month - ((date.month - 1) % MONTHS_PER_QUARTER) });
}

function localTime(instantMs: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(instantMs)).toZonedDateTimeISO(timeZone);
}

function offsetOf(instantMs: number, timeZone: string): number {
  return localTime(instantMs, timeZone).offsetNanoseconds;
}

/** Where midnight does not exist, the first instant after it. */
function midnight(date: Temporal.PlainDate, timeZone: string): number {
  return date.toZonedDateTime(timeZone).epochMilliseconds;
}

/** Moves an instant by the calendar: a month before 31 March is the last day of February, at the same time of the wall clock. */
export function shiftInstant(instantMs: number, by: Temporal.DurationLike, timeZone: string): number {
  return localTime(instantMs, timeZone).add(by).epochMilliseconds;
}

/** The instant at which a wall clock shows a time on the day of an instant. Takes  time: such as 07:00; where clocks leave it out, as much later. */
export function timeOfDay(instantMs: number, time: string, timeZone: string): number {
  const date = localTime(instantMs, timeZone).toPlainDate();
  return date.toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from(time) }).epochMilliseconds;
}

/** The name of a day in a zone, as 2026-10-05. */
export function dateOf(instantMs: number, timeZone: string): string {
  return localTime(instantMs, timeZone).toPlainDate().toString();
}

/** Which hour of the week it is in a zone, from 0 on Monday at midnight to 167; of days, which day, from 0 to 6. */
export function slotOfWeek(instantMs: number, unit: 'hour' | 'day', timeZone: string): number {
  const { dayOfWeek, hour } = localTime(instantMs, timeZone);
  return unit === 'day' ? dayOfWeek - 1 : (dayOfWeek - 1) * 24 + hour;
}

/** Reads a span of time such as 24h, 90m, 7d, 30s. Fails PARAMETER_INVALID. */
export function parseSpan(text: string): number {
  const match = /^(\d{1,6})(s|m|h|d)$/.exec(text.trim());
  const unit = { s: 1000, m: MILLIS_PER_MINUTE, h: MILLIS_PER_HOUR, d: 24 * MILLIS_PER_HOUR }[match?.[2] ?? ''];
  const span = Number(match?.[1] ?? 0) * (unit ?? 0);
  if (span > 0) return span;
  throw fail('PARAMETER_INVALID', { reason: `${text.slice(0, 40)} is not a span of time such as 24h, 30m or 7d` });
}
