const ATTO_DIGITS = 18;
const AMOUNT = /^(-?)(\d+)(?:\.(\d{1,18}))?$/;

/**
 * Reads an amount of the API exactly.
 *
 * Takes  text: a decimal with at most 18 decimals, `-12.340000000000000000`.
 * Gives  whole units of 10^-18. No digit passes through a floating-point number.
 */
export function attoFromText(text: string): bigint {
  const match = AMOUNT.exec(text);
  if (!match) throw new RangeError(`not an amount: ${text}`);
  const [, sign, whole = '', fraction = ''] = match;
  const magnitude = BigInt(whole + fraction.padEnd(ATTO_DIGITS, '0'));
  return sign === '-' ? -magnitude : magnitude;
}

export function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** Divides to the nearest whole number, ties to even; the divisor is positive. */
export function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const size = magnitude(dividend);
  const quotient = size / divisor;
  const twice = (size % divisor) * 2n;
  const isUp = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  const rounded = isUp ? quotient + 1n : quotient;
  return dividend < 0n ? -rounded : rounded;
}

/** Adds amounts exactly. */
export function sumAtto(amounts: Iterable<bigint>): bigint {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return sum;
}

/** Part of a whole as a number for drawing and percentages; null where a share means nothing. */
export function shareOf(part: bigint, whole: bigint): number | null {
  if (whole <= 0n) return null;
  return Number((part * 1_000_000n) / whole) / 1_000_000;
}

/** Only for the geometry of charts, never for digits that are shown. */
export function lengthOf(amountAtto: bigint): number {
  return Number(amountAtto) / 1e18;
}
