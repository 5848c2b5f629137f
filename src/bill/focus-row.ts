import { Failure, parseInstant, parseMoney } from '../model/index.ts';
import type { TextMap } from './charge.ts';
import { countDirt, type DirtCounts, type DirtKind } from './dirt.ts';
import { sourceColumns } from './focus-columns.ts';
import type { FocusColumn, FocusHeader } from './focus-header.ts';
import { tagsFromJson } from './tags.ts';

/** The source of rows that name no provider at all. */
export const UNKNOWN_SOURCE = '(unknown)';

const nullWords = new Set(['NULL', 'null', 'Null', '(null)', '(NULL)', '\\N']);
const currencies = new Set(Intl.supportedValuesOf('currency'));
const HAS_ZONE = /(Z|UTC|[+-]\d{2}:?\d{2})\s*$/;
/** The engine counts seconds in 32 bits, which end in 2106. */
const LAST_INSTANT_MS = 0xffff_ffff * 1000;
const INSTANTS_KEPT = 10_000;

interface Instant {
  readonly ms: number;
  readonly hasZone: boolean;
}

/** A bill has few distinct times and many rows: reading each text once halves the work. */
export type InstantCache = Map<string, Instant>;

/** One row of a FOCUS file: gives its columns as what they mean, and collects what is wrong with them. */
export class FocusRow {
  readonly problems: string[] = [];
  readonly #cells: readonly string[];
  readonly #header: FocusHeader;
  readonly #dirt: DirtCounts;
  readonly #instants: InstantCache;

  constructor(cells: readonly string[], header: FocusHeader, dirt: DirtCounts, instants: InstantCache) {
    this.#cells = cells;
    this.#header = header;
    this.#dirt = dirt;
    this.#instants = instants;
  }

  /** The text of a column; empty when it is null or absent. */
  text(column: string): string {
    const index = this.#header.at.get(column);
    const text = index === undefined ? '' : (this.#cells[index] ?? '').trim();
    return nullWords.has(text) ? '' : text;
  }

  mandatory(column: string): string {
    const text = this.text(column);
    if (text === '') this.problems.push(`${column} is empty`);
    return text;
  }

  /** The provider by the first column that names one. */
  source(): string {
    for (const column of sourceColumns) {
      const text = this.text(column);
      if (text !== '') return text;
    }
    countDirt(this.#dirt, 'providerMissing');
    return UNKNOWN_SOURCE;
  }

  currency(): string {
    const code = this.mandatory('BillingCurrency');
    if (code !== '' && !currencies.has(code)) this.problems.push(`BillingCurrency ${quoted(code)} is no ISO 4217 code`);
    return code;
  }

  money(column: string): bigint {
    const text = this.mandatory(column);
    return text === '' ? 0n : this.#amount(column, text);
  }

  /** A cost that some exports leave out: then the other amount stands in, and that is counted. */
  moneyOr(column: string, otherwise: bigint, kind: DirtKind): bigint {
    const text = this.text(column);
    if (text !== '') return this.#amount(column, text);
    countDirt(this.#dirt, kind);
    return otherwise;
  }

  /** A half-open period in milliseconds. Only a charge may begin and end at the same instant. */
  period(prefix: 'BillingPeriod' | 'ChargePeriod'): readonly [startMs: number, endMs: number] {
    const startMs = this.#instant(`${prefix}Start`);
    const endMs = this.#instant(`${prefix}End`);
    if (startMs === null || endMs === null) return [0, 0];
    if (endMs === startMs && prefix === 'ChargePeriod') countDirt(this.#dirt, 'emptyChargePeriod');
    else if (endMs <= startMs) {
      this.problems.push(
        `${prefix}End ${this.text(`${prefix}End`)} is not after its start ${this.text(`${prefix}Start`)}`,
      );
    }
    return [startMs, endMs];
  }

  /** Every column that holds something, as text; tags apart, unless they cannot be read. */
  texts(): { readonly columns: TextMap; readonly tags: TextMap } {
    const tags = tagsFromJson(this.text('Tags'), this.#dirt);
    if (tags === null) countDirt(this.#dirt, 'tagsUnreadable');
    const columns: [string, string][] = [];
    for (const column of this.#header.columns) {
      if (column.name === 'Tags' && tags !== null) continue;
      const value = this.#value(column);
      if (value !== '') columns.push([column.name, value]);
    }
    return { columns, tags: tags ?? [] };
  }

  #value({ name, index, values }: FocusColumn): string {
    const text = (this.#cells[index] ?? '').trim();
    if (nullWords.has(text)) {
      countDirt(this.#dirt, 'nullWord');
      return '';
    }
    const rightCase = values?.get(text.toLowerCase()) ?? text;
    if (rightCase !== text) countDirt(this.#dirt, 'valueCase');
    if (name === 'ChargeCategory' && text !== '' && !values?.has(text.toLowerCase()))
      countDirt(this.#dirt, 'unknownCategory');
    return rightCase;
  }

  #amount(column: string, text: string): bigint {
    try {
      const { amountAtto, isRounded } = parseMoney(text);
      if (isRounded) countDirt(this.#dirt, 'rounded');
      if (/[eE]/.test(text)) countDirt(this.#dirt, 'exponent');
      return amountAtto;
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
      const what = cause.code === 'MONEY_TOO_LARGE' ? 'is too large to keep exact' : 'is not an amount of money';
      this.problems.push(`${column} ${quoted(text)} ${what}`);
      return 0n;
    }
  }

  #instant(column: string): number | null {
    const text = this.mandatory(column);
    if (text === '') return null;
    const instant = this.#instants.get(text) ?? readInstant(text);
    if (instant === null) {
      this.problems.push(`${column} ${quoted(text)} is not a time between 1970 and 2106`);
      return null;
    }
    if (this.#instants.size >= INSTANTS_KEPT) this.#instants.clear();
    this.#instants.set(text, instant);
    if (!instant.hasZone) countDirt(this.#dirt, 'noZone');
    const seconds = Math.floor(instant.ms / 1000) * 1000;
    if (seconds !== instant.ms) countDirt(this.#dirt, 'subSecond');
    return seconds;
  }
}

function readInstant(text: string): Instant | null {
  try {
    const ms = parseInstant(text);
    return ms >= 0 && ms <= LAST_INSTANT_MS ? { ms, hasZone: HAS_ZONE.test(text) } : null;
  } catch (cause) {
    if (cause instanceof Failure) return null;
    throw cause;
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
