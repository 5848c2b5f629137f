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

/** Gives where `.123456789` or `,123` ends that begins at a place; the place itself when there is none. */
export function fractionEnd(text: string, at: number): number {
  const mark = text.charCodeAt(at);
  if (mark !== 46 && mark !== 44) return at;
  let end = at + 1;
  while (isDigit(text, end)) end += 1;
  return end;
}

/** Gives the microseconds of a fraction; finer digits are cut off. */
export function fractionUs(text: string, at: number, end: number): number {
  let us = 0;
  let unit = 100_000;
  for (let digit = at + 1; digit < end && unit >= 1; digit++) {
    us += (text.charCodeAt(digit) - 48) * unit;
    unit = Math.floor(unit / 10);
  }
  return us;
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
