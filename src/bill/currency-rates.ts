import { z } from 'zod';
import {
  divideHalfEven,
  fail,
  formatMoney,
  isCurrencyCode,
  type Problem,
  parseDecimal,
  type TimeRange,
} from '../model/index.ts';
import { type DocumentStore, newestOf } from '../store/index.ts';

const currency = z.string().refine(isCurrencyCode, 'must be an ISO 4217 code such as EUR');
const day = z.string().refine(isDay, 'must be a day such as 2024-09-18');
const rate = z.string().refine(isRate, 'must be a positive decimal number in quotes, at most 18 decimals');

/** The spec of a CurrencyRates document: what one unit of the base was worth, day by day. */
export const currencyRatesSpec = z.strictObject({
  source: z.string().min(1).max(300),
  base: currency,
  holdDays: z.number().int().min(0).max(31).default(0),
  days: z.record(day, z.record(currency, rate)),
});

export type CurrencyRatesSpec = z.infer<typeof currencyRatesSpec>;

/** A document of rates as it was applied. */
export interface RatesDocument {
  readonly name: string;
  readonly version: number;
  readonly spec: CurrencyRatesSpec;
}

/** One rate for a range of days, and all that is needed to find it again. */
export interface Conversion {
  readonly from: string;
  readonly to: string;
  /** What one unit of `from` is worth in `to`: decimal text with 18 decimals, the mean of the days. */
  readonly rate: string;
  readonly firstDay: string;
  readonly lastDay: string;
  readonly days: number;
  /** Each document that gave a rate: its source, name and version. */
  readonly sources: readonly string[];
}

const RATE_DIGITS = 18;
const UNIT = 10n ** BigInt(RATE_DIGITS);
const DAY_MS = 86_400_000;
const LONGEST_RANGE_DAYS = 3_700;
const PROBLEMS_SHOWN = 100;

function isDay(text: string): boolean {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

function isRate(text: string): boolean {
  const parsed = parseDecimal(text, RATE_DIGITS);
  return parsed !== null && parsed !== 'too large' && !parsed.isRounded && parsed.value > 0n;
}

/** Reads the newest version of every document of rates; with asOf, those applied until then. */
export async function readRates(documents: DocumentStore): Promise<RatesDocument[]> {
  const found = await newestOf(documents, 'CurrencyRates');
  return found.map(({ name, version, body }) => ({ name, version, spec: JSON.parse(body) as CurrencyRatesSpec }));
}

/**
 * Finds the rate for a range: the mean of the rates of its UTC days, each rounded half-even to 18 decimals. Pure.
 *
 * Takes  documents: of rates. from, to: currencies; one of them, or both, against the base of a document. range: at least a part of a day.
 * Gives  the rate with its days and sources; 1 where both currencies are the same.
 * Holds  the same documents give the same rate; no day is guessed: it has a rate, or one at most `holdDays` before it has.
 * Fails  RATE_MISSING naming the days; RATE_AMBIGUOUS naming those for which two documents say different things.
 */
export function conversionOf(
  documents: readonly RatesDocument[],
  from: string,
  to: string,
  range: TimeRange,
): Conversion {
  const days = daysOf(range);
  const rates = days.map((each) => ({ day: each, found: from === to ? [] : ratesOn(documents, from, to, each) }));
  if (from !== to) refuse(rates, from, to);
  const values = rates.map(({ found }) => found[0]?.value ?? UNIT);
  const mean = divideHalfEven(
    values.reduce((sum, each) => sum + each, 0n),
    BigInt(values.length),
  );
  const used = new Set(rates.flatMap(({ found }) => found.map(({ document }) => document)));
  return {
    ...{ from, to, rate: formatMoney(mean), firstDay: days[0]!, lastDay: days.at(-1)!, days: days.length },
    sources: [...used].map(({ name, version, spec }) => `${spec.source} (CurrencyRates ${name}, version ${version})`),
  };
}

interface DayRate {
  readonly value: bigint;
  readonly document: RatesDocument;
}

function refuse(rates: readonly { day: string; found: readonly DayRate[] }[], from: string, to: string): void {
  const told = (days: readonly string[], words: string): Problem[] =>
    days.slice(0, PROBLEMS_SHOWN).map((each) => ({ message: `${each}: ${words}` }));
  const missing = rates.filter(({ found }) => found.length === 0).map(({ day: each }) => each);
  if (missing.length > 0)
    throw fail('RATE_MISSING', { from, to, days: missing.length }, told(missing, `no rate from ${from} to ${to}`));
  const split = rates.filter(({ found }) => found.some(({ value }) => value !== found[0]!.value));
  const named = split.map(({ day: each }) => each);
  if (split.length > 0)
    throw fail('RATE_AMBIGUOUS', { from, to, days: split.length }, told(named, 'two documents give different rates'));
}

function daysOf({ fromMs, toMs }: TimeRange): string[] {
  const first = Math.floor(fromMs / DAY_MS);
  const count = Math.max(Math.ceil(toMs / DAY_MS) - first, 1);
  if (count > LONGEST_RANGE_DAYS) throw fail('PARAMETER_INVALID', { days: count, most: LONGEST_RANGE_DAYS });
  return Array.from({ length: count }, (_, i) => new Date((first + i) * DAY_MS).toISOString().slice(0, 10));
}

function ratesOn(documents: readonly RatesDocument[], from: string, to: string, on: string): DayRate[] {
  return documents.flatMap((document) => {
    const value = rateOn(document.spec, from, to, on);
    return value === null ? [] : [{ value, document }];
  });
}

function rateOn(spec: CurrencyRatesSpec, from: string, to: string, on: string): bigint | null {
  const start = Date.parse(`${on}T00:00:00Z`);
  for (let back = 0; back <= spec.holdDays; back++) {
    const listed = spec.days[new Date(start - back * DAY_MS).toISOString().slice(0, 10)];
    const [mine, theirs] = [from, to].map((code) => perBase(spec, listed, code));
    if (mine !== undefined && theirs !== undefined && mine !== null && theirs !== null) {
      return divideHalfEven(theirs * UNIT, mine);
    }
  }
  return null;
}

function perBase(spec: CurrencyRatesSpec, listed: Record<string, string> | undefined, code: string): bigint | null {
  // A day without a list has no rate of its own, not even of the base to itself.
  if (listed === undefined) return null;
  if (code === spec.base) return UNIT;
  const text = listed[code];
  return text === undefined ? null : (parseDecimal(text, RATE_DIGITS) as { value: bigint }).value;
}
