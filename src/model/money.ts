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
  const parsed = parseDecimal(text, ATTO_DIGITS);
  if (parsed === null) throw fail('MONEY_MALFORMED', { value: text.slice(0, 60) });
  if (parsed === 'too large' || abs(parsed.value) > LARGEST_AMOUNT) {
    throw fail('MONEY_TOO_LARGE', { value: text.slice(0, 60) });
  }
  return { amountAtto: parsed.value, isRounded: parsed.isRounded };
}

/**
 * Reads a decimal text as a whole number of 10^-digits.
 *
 * Takes  text: an optional sign, digits, an optional fraction, an optional exponent.
 * Gives  the number, rounded half-even where the text is finer; null when it is no number; 'too large' beyond 10^60.
 */
export function parseDecimal(
  text: string,
  digits: number,
): { readonly value: bigint; readonly isRounded: boolean } | null | 'too large' {
  const short = shortDecimal(text, digits);
  if (short !== null) return { value: short, isRounded: false };
  const match = DECIMAL.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (!match || whole.length + fraction.length === 0) return null;
  if (whole.length + fraction.length > 400) return 'too large';
  const exponent = Number(match[4] ?? '0') - fraction.length + digits;
  const significand = BigInt(whole + fraction);
  // An exponent of 999 would only build a huge number to refuse it afterwards.
  if (exponent > 60 && significand !== 0n) return 'too large';
  const divisor = exponent < 0 ? 10n ** BigInt(-exponent) : 1n;
  const magnitude =
    exponent < 0 ? divideHalfEven(significand, divisor) : significand * 10n ** BigInt(exponent > 60 ? 0 : exponent);
  return { value: match[1] === '-' ? -magnitude : magnitude, isRounded: significand % divisor !== 0n };
}

/** A double holds as many decimal digits exactly. */
const EXACT_DIGITS = 15;
const [MINUS, POINT, ZERO, NINE] = [45, 46, 48, 57];
const powersOfTen: readonly bigint[] = Array.from({ length: 61 }, (_, power) => 10n ** BigInt(power));

/** The plain ones, which are nearly all, as two numbers of 15 digits: much quicker than the pattern. Null for any other text. */
function shortDecimal(text: string, digits: number): bigint | null {
  const isNegative = text.charCodeAt(0) === MINUS;
  let [head, tail, count, point] = [0, 0, 0, -1];
  for (let at = isNegative ? 1 : 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === POINT && point < 0) {
      point = count;
      continue;
    }
    if (code < ZERO || code > NINE || count === 2 * EXACT_DIGITS) return null;
    if (count < EXACT_DIGITS) head = head * 10 + code - ZERO;
    else tail = tail * 10 + code - ZERO;
    count += 1;
  }
  const power = digits - (point < 0 ? 0 : count - point);
  if (count === 0 || power < 0) return null;
  const tailDigits = Math.max(count - EXACT_DIGITS, 0);
  const whole = tailDigits === 0 ? BigInt(head) : BigInt(head) * powersOfTen[tailDigits]! + BigInt(tail);
  const value = whole * (powersOfTen[power] ?? 10n ** BigInt(power));
  return isNegative ? -value : value;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
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
