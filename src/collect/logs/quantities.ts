/** Decimal text without exponent, as servers write seconds; what is no such text or negative (none) is undefined. */
const DECIMAL = /^\+?\d{1,15}(?:\.\d{1,18})?$/;

/**
 * Turns a duration into whole microseconds.
 *
 * Takes  value: a number or its text; negative means none.
 * Gives  the nearest microsecond; undefined when there is none or it is beyond exactness.
 */
export function microseconds(value: unknown, perUnit: number): number | undefined {
  const number = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !(number >= 0)) return undefined;
  const us = Math.round(number * perUnit);
  return Number.isSafeInteger(us) ? us : undefined;
}

export const PER_SECOND = 1_000_000;
export const PER_MILLISECOND = 1000;

/** Nanoseconds in whole microseconds: what is not whole is cut off, as for spans. */
export function microsecondsOfNanos(value: unknown): number | undefined {
  const number = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !(number >= 0)) return undefined;
  const us = Math.floor(number / 1000);
  return Number.isSafeInteger(us) ? us : undefined;
}

/** Adds the parts of a duration that are there; undefined when none is. */
export function sumOfPresent(parts: readonly (number | undefined)[]): number | undefined {
  let sum: number | undefined;
  for (const part of parts) if (part !== undefined) sum = (sum ?? 0) + part;
  return sum;
}

/** A count or size, as a number or its text; `-`, nothing and negative numbers are none. */
export function count(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\+?\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** A status of HTTP; 0 and 000 mean that no response was sent. */
export function statusCode(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 100 && number <= 999 ? number : undefined;
}

/**
 * Turns a time since 1970 into microseconds, exactly as it is written: a double in seconds does not hold every microsecond.
 *
 * Takes  value: seconds, milliseconds, microseconds or nanoseconds, told apart by size.
 * Gives  NaN when it is none.
 */
export function epochUs(value: unknown): number {
  const text = typeof value === 'number' ? String(value) : value;
  const match = typeof text === 'string' ? /^(\d{9,19})(?:\.(\d{0,18}))?$/.exec(text) : null;
  if (!match) return Number.NaN;
  // Ten digits of seconds: thirteen are milliseconds, sixteen microseconds, nineteen nanoseconds.
  const thousands = Math.floor((match[1]!.length - 8) / 3);
  const finer = `${match[1]}${(match[2] ?? '').padEnd(6, '0')}`;
  return Number(finer.slice(0, match[1]!.length + 6 - thousands * 3));
}
