/** What the clocks of this folder give instead of a time: not written like one, and written like one that never was. */
export const NO_TIME = -1;
export const BAD_TIME = -2;

export const SECOND_US = 1_000_000;

// Nanoseconds of later years do not fit 64 bits; earlier ones come from broken clocks.
const OLDEST_YEAR = 1990;
const NEWEST_YEAR = 2105;

/** Gives the midnight of a day in microseconds; BAD_TIME for one that no calendar has. month: 1 to 12. */
export function dayUs(year: number, month: number, day: number): number {
  if (year < OLDEST_YEAR || year > NEWEST_YEAR || month < 1 || month > 12) return BAD_TIME;
  const midnight = Date.UTC(year, month - 1, day);
  return new Date(midnight).getUTCDate() === day ? midnight * 1000 : BAD_TIME;
}

/** Gives a time of day in microseconds; BAD_TIME for one that no clock shows. A leap second is written as 60. */
export function timeOfDayUs(hour: number, minute: number, second: number): number {
  if (hour > 23 || minute > 59 || second > 60) return BAD_TIME;
  return (hour * 3600 + minute * 60 + second) * SECOND_US;
}

/** Says whether an instant is one that a log can hold. */
export function isPlausible(tsUs: number): boolean {
  return tsUs >= dayUs(OLDEST_YEAR, 1, 1) && tsUs < dayUs(NEWEST_YEAR, 12, 31) + 86_400 * SECOND_US;
}

/** Gives the number that two digits write; -1 when they are none. */
export function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** A fraction of a second, or none: microseconds, and where it ends. */
export interface Fraction {
  readonly us: number;
  readonly end: number;
}

const NO_DIGITS = 0;

/** Reads `.123456789` or `,123` at a place; finer digits than microseconds are cut off. */
export function fractionAt(text: string, at: number): Fraction {
  const mark = text.charCodeAt(at);
  if (mark !== 46 && mark !== 44) return { us: NO_DIGITS, end: at };
  let us = 0;
  let end = at + 1;
  for (let unit = 100_000; isDigit(text, end); end++) {
    us += (text.charCodeAt(end) - 48) * unit;
    unit = unit >= 10 ? unit / 10 : 0;
  }
  return { us, end };
}

export function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

/** Reads `+0200`, `-03:30` or `+02` at a place: how far east, in microseconds; null when it is none. */
export function zoneAt(text: string, at: number): { readonly us: number; readonly end: number } | null {
  const sign = text.charCodeAt(at);
  if (sign !== 43 && sign !== 45) return null;
  const hour = twoDigits(text, at + 1);
  let end = text.charCodeAt(at + 3) === 58 ? at + 4 : at + 3;
  let minute = twoDigits(text, end);
  if (minute < 0) [minute, end] = [0, at + 1];
  if (hour < 0 || hour > 23 || minute > 59) return null;
  const us = (hour * 60 + minute) * 60 * SECOND_US;
  return { us: sign === 45 ? -us : us, end: end + 2 };
}
