import { fail } from './failure.ts';

export const NANOS_PER_MILLI = 1_000_000n;
export const MILLIS_PER_MINUTE = 60_000;
export const MILLIS_PER_HOUR = 3_600_000;

/** A half-open stretch of time [from, to), in milliseconds since 1970 UTC. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A calendar month in UTC, written 2022-08. */
export interface BillingMonth extends TimeRange {
  readonly month: string;
}

const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/;

/**
 * Reads an instant; a date alone is its midnight, a time without a zone is UTC.
 *
 * Takes  text: `2022-08-01`, `2022-08-01T03:00:00Z`, `2024-09-18 23:00:00`, offsets allowed.
 * Gives  milliseconds since 1970 UTC; finer digits are cut off.
 * Fails  TIME_MALFORMED, also for days that do not exist.
 */
export function parseInstant(text: string): number {
  const match = INSTANT.exec(text.trim());
  if (!match) throw fail('TIME_MALFORMED', { value: text.slice(0, 60) });
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((i) => Number(match[i] ?? '0')) as Six;
  const millis = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  // Date.UTC takes the years 0 to 99 for those of the twentieth century.
  const back = new Date(0);
  back.setUTCFullYear(year, month - 1, day);
  const local = back.setUTCHours(hour, minute, second, millis);
  const isReal =
    back.getUTCMonth() === month - 1 && back.getUTCDate() === day && minute < 60 && second < 60 && hour < 24;
  const offset = offsetMillis(match[8]);
  if (!isReal || offset === null) throw fail('TIME_MALFORMED', { value: text.slice(0, 60) });
  return local - offset;
}

type Six = [number, number, number, number, number, number];

function offsetMillis(zone: string | undefined): number | null {
  if (zone === undefined || zone === 'Z' || zone === 'UTC') return 0;
  const [hour, minute] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hour > 23 || minute > 59) return null;
  const minutes = hour * 60 + minute;
  return (zone.startsWith('-') ? -minutes : minutes) * MILLIS_PER_MINUTE;
}

/** Reads a range from two instants. Fails TIME_MALFORMED, RANGE_EMPTY, PARAMETER_INVALID for times that nothing can have. */
export function parseRange(from: string, to: string): TimeRange {
  const range = { fromMs: parseInstant(from), toMs: parseInstant(to) };
  if (range.toMs <= range.fromMs) throw fail('RANGE_EMPTY', { from, to });
  return knownTimes(range);
}

/** What is later does not fit into a table that counts seconds in 32 bits. */
const LAST_MS = Date.UTC(2106, 0);

/** Gives a range that calls can lie in. Fails PARAMETER_INVALID for one that begins before 1970 or ends after 2105. */
export function knownTimes(range: TimeRange): TimeRange {
  if (range.fromMs >= 0 && range.toMs <= LAST_MS) return range;
  throw fail('PARAMETER_INVALID', { reason: 'the times that are asked about must lie between 1970 and 2105' });
}

/** Reads a calendar month such as 2022-08. Fails TIME_MALFORMED. */
export function parseMonth(month: string): BillingMonth {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(month);
  if (!match) throw fail('TIME_MALFORMED', { value: month.slice(0, 60) });
  return monthOf(Date.UTC(Number(match[1]), Number(match[2]) - 1));
}

/** Gives the UTC calendar month that holds an instant. */
export function monthOf(instantMs: number): BillingMonth {
  const day = new Date(instantMs);
  const fromMs = Date.UTC(day.getUTCFullYear(), day.getUTCMonth());
  const toMs = Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1);
  return { month: new Date(fromMs).toISOString().slice(0, 7), fromMs, toMs };
}

/** Gives the UTC calendar months that a range touches, oldest first. */
export function monthsOf(range: TimeRange): BillingMonth[] {
  const months: BillingMonth[] = [];
  for (let at = range.fromMs; at < range.toMs; at = months.at(-1)!.toMs) months.push(monthOf(at));
  return months;
}

/** Writes an instant as RFC 3339 in UTC, without needless fractions: 2022-08-01T03:00:00Z. */
export function formatInstant(instantMs: number): string {
  return new Date(instantMs).toISOString().replace('.000Z', 'Z');
}

/** Says whether a name is a zone of the IANA database that this machine knows. */
export function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone.length > 0;
  } catch {
    return false;
  }
}
