import { divideHalfEven, magnitude } from './amount.ts';

const ATTO_DIGITS = 18;
const SIGNIFICANT = 4;
const CENT_DIGITS = 2;
const CENT_ATTO = 10n ** 16n;
/** A true minus sign: as wide as a digit in tabular numerals, and never broken at the end of a line. */
const MINUS = '\u2212';
const SIGNS: Readonly<Record<string, string>> = { USD: '$', EUR: '€', GBP: '£', JPY: '¥', INR: '₹' };

/** Readable digits first, then the exact rest, which is set in a quieter colour. */
export interface MoneyText {
  readonly head: string;
  readonly tail: string;
}

/**
 * Writes money with a fixed number of decimals.
 *
 * Takes  amountAtto: 10^-18 units. decimals: 0 to 18; fewer than 18 round half-even.
 * Gives  `−$1,234.50`; `CHF 0.20` where the currency has no sign of its own. Never `-0`.
 */
export function formatMoney(amountAtto: bigint, currency: string, decimals = readableDecimals(amountAtto)): string {
  const scaled = divideHalfEven(amountAtto, 10n ** BigInt(ATTO_DIGITS - decimals));
  const digits = magnitude(scaled)
    .toString()
    .padStart(decimals + 1, '0');
  const whole = groupDigits(digits.slice(0, digits.length - decimals));
  const fraction = decimals === 0 ? '' : `.${digits.slice(-decimals)}`;
  return `${scaled < 0n ? MINUS : ''}${SIGNS[currency] ?? `${currency}\u00a0`}${whole}${fraction}`;
}

/** Writes every digit up to `decimals`, split after the readable ones; nothing is rounded when decimals is 18. */
export function formatExact(amountAtto: bigint, currency: string, decimals: number): MoneyText {
  const text = formatMoney(amountAtto, currency, decimals);
  const quiet = Math.max(0, decimals - readableDecimals(amountAtto));
  return { head: text.slice(0, text.length - quiet), tail: quiet === 0 ? '' : text.slice(-quiet) };
}

/** Cents where they say it all, or from one unit up; below that, decimals enough for four significant digits. */
function readableDecimals(amountAtto: bigint): number {
  const digits = magnitude(amountAtto).toString();
  if (digits.length > ATTO_DIGITS || amountAtto % CENT_ATTO === 0n) return CENT_DIGITS;
  return Math.min(ATTO_DIGITS, ATTO_DIGITS - digits.length + SIGNIFICANT);
}

/** Separates thousands in a text of digits. */
export function groupDigits(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}
