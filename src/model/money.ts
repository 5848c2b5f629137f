import { fail } from './failure.ts';

/** One unit of a currency is 10^18 atto-units; every amount in the house is a whole number of them. */
export const ATTO_DIGITS = 18;
export const ATTO = 10n ** 18n;

/** Amounts beyond this are refused, so that sums of millions of lines still fit Decimal(38, 18). */
export const LARGEST_AMOUNT = 10n ** 15n * ATTO;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

export interface ParsedMoney {
  readonly amountAtto: bigint;
  /** True when the text was finer than 10^-18 and was rounded half-even. */
  readonly isRounded: boolean;
}

/**
 * Reads an amount of money from its decimal text, exactly.
 *
 * Takes  text: `12`, `-0.5`, `4e-10`; no thousands separators, no currency sign.
 * Gives  the amount in atto-units and whether it had to be rounded (half-even).
 * Fails  MONEY_MALFORMED, MONEY_TOO_LARGE.
 * From   docs/decisions/0002-money.md
 */
export function parseMoney(text: string): ParsedMoney {
  const match = DECIMAL.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (!match || whole.length + fraction.length === 0) throw fail('MONEY_MALFORMED', { value: text.slice(0, 60) });
  const exponent = Number(match[4] ?? '0') - fraction.length + ATTO_DIGITS;
  const digits = BigInt(whole + fraction);
  const magnitude = exponent >= 0 ? scaleUp(digits, exponent, text) : divideHalfEven(digits, 10n ** BigInt(-exponent));
  if (magnitude > LARGEST_AMOUNT) throw fail('MONEY_TOO_LARGE', { value: text.slice(0, 60) });
  const isRounded = exponent < 0 && digits % 10n ** BigInt(-exponent) !== 0n;
  return { amountAtto: match[1] === '-' ? -magnitude : magnitude, isRounded };
}

function scaleUp(digits: bigint, exponent: number, text: string): bigint {
  // An exponent of 999 on a non-zero number would only build a huge number to refuse it afterwards.
  if (exponent > 60 && digits !== 0n) throw fail('MONEY_TOO_LARGE', { value: text.slice(0, 60) });
  return digits === 0n ? 0n : digits * 10n ** BigInt(exponent);
}

/**
 * Divides whole numbers, rounding to nearest, ties to even.
 *
 * Takes  dividend: any sign. divisor: positive.
 * Gives  the nearest whole number; an exact half goes to the even neighbour.
 */
export function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const isNegative = dividend < 0n;
  const magnitude = isNegative ? -dividend : dividend;
  const quotient = magnitude / divisor;
  const twice = (magnitude % divisor) * 2n;
  const rounded = twice > divisor || (twice === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient;
  return isNegative ? -rounded : rounded;
}

/**
 * Writes an amount as a decimal string.
 *
 * Takes  amountAtto: atto-units. digits: 0 to 18 decimals; fewer than 18 round half-even.
 * Gives  `-12.340000000000000000`; never an exponent, never `-0`.
 */
export function formatMoney(amountAtto: bigint, digits: number = ATTO_DIGITS): string {
  const scaled = divideHalfEven(amountAtto, 10n ** BigInt(ATTO_DIGITS - digits));
  const text = (scaled < 0n ? -scaled : scaled).toString().padStart(digits + 1, '0');
  const point = text.length - digits;
  const sign = scaled < 0n ? '-' : '';
  return digits === 0 ? sign + text : `${sign}${text.slice(0, point)}.${text.slice(point)}`;
}

/** Active ISO 4217 codes are three capital letters; what a code is worth is the rate documents' business. */
export function isCurrencyCode(text: string): boolean {
  return /^[A-Z]{3}$/.test(text);
}
