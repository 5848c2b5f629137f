import { isCurrencyCode, parseDecimal } from '../model/index.ts';

/** Fees are kept in 10^-12 of their currency. */
const DIGITS = 12;

/** What one span cost elsewhere. */
export interface Fee {
  /** Whole 10^-12 of a currency. */
  readonly pico: number;
  /** The three letters of its code as one number, the first the highest; 0 when none was said. */
  readonly currency: number;
}

/**
 * Reads a fee that a span says: `taximeter.charge` and `taximeter.charge_currency`.
 *
 * Takes  amount: a decimal text, not negative, below 9,007 of its currency; finer digits than 10^-12 are rounded half-even.
 * Gives  null for what is no such fee, or of no such currency: it counts as absent.
 */
export function feeFrom(amount: string, currency: string): Fee | null {
  const parsed = parseDecimal(amount.trim(), DIGITS);
  if (parsed === null || parsed === 'too large') return null;
  if (parsed.value < 0n || parsed.value > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  if (currency !== '' && !isCurrencyCode(currency)) return null;
  return { pico: Number(parsed.value), currency: currencyNumber(currency) };
}

/** A code of three letters as a number: what is compared of millions of rows is no text. */
export function currencyNumber(code: string): number {
  return [...code].reduce((number, letter) => number * 256 + letter.charCodeAt(0), 0);
}
