import { MILLIS_PER_HOUR } from '../../model/index.ts';

/** Traffic of each hour of a working day in UTC, as shops in Europe see it; what counts is their ratio. */
const HOURS = [
  22, 16, 13, 12, 14, 20, 38, 66, 98, 122, 136, 140, 138, 142, 146, 144, 136, 128, 124, 120, 108, 86, 58, 36,
];

/** Traffic of each day, Sunday first. */
const WEEKDAYS = [62, 108, 112, 114, 112, 116, 76];

const HOUR_MEAN = mean(HOURS);
const WEEKDAY_MEAN = mean(WEEKDAYS);

/**
 * How busy an instant is, by hour of day and day of week.
 *
 * Takes  atMs: milliseconds since 1970 UTC.
 * Gives  a factor around 1, sliding from hour to hour.
 * Holds  the mean over a whole week is 1.
 */
export function seasonAt(atMs: number): number {
  const day = new Date(atMs).getUTCDay();
  const hourOfDay = (atMs % (24 * MILLIS_PER_HOUR)) / MILLIS_PER_HOUR;
  const hour = Math.floor(hourOfDay);
  const slide = hourOfDay - hour;
  const height = HOURS[hour]! * (1 - slide) + HOURS[(hour + 1) % 24]! * slide;
  return (height / HOUR_MEAN) * (WEEKDAYS[day]! / WEEKDAY_MEAN);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
