import type { Cell, Tags } from './cell.ts';
import { noTags } from './cell.ts';
import { countDirt, type DirtCounts, type DirtKind } from './dirt.ts';
import { sourceColumns } from './focus-columns.ts';
import type { FocusHeader } from './focus-header.ts';

/** The source of rows that name no provider at all. */
const UNKNOWN_SOURCE = '(unknown)';

const currencies = new Set(Intl.supportedValuesOf('currency'));

/** A column that is read, and its place among the cells of a row; -1 where the file does not have it. */
export interface Slot {
  readonly name: string;
  readonly place: number;
}

const absent = -1;

/** Where columns are, looked up once for a file. */
export function slotsOf<Name extends string>({ at }: FocusHeader, names: readonly Name[]): Record<Name, Slot> {
  const slots = names.map((name) => [name, { name, place: at.get(name) ?? absent }]);
  return Object.fromEntries(slots) as Record<Name, Slot>;
}

/** Those that a charge is made of. */
export function chargeSlots(header: FocusHeader) {
  const slot = (name: string): Slot => slotsOf(header, [name])[name]!;
  const period = (prefix: 'BillingPeriod' | 'ChargePeriod') => [slot(`${prefix}Start`), slot(`${prefix}End`)] as const;
  return {
    sources: sourceColumns.map(slot),
    account: slot('BillingAccountId'),
    currency: slot('BillingCurrency'),
    category: slot('ChargeCategory'),
    billed: slot('BilledCost'),
    effective: slot('EffectiveCost'),
    list: slot('ListCost'),
    contracted: slot('ContractedCost'),
    billingPeriod: period('BillingPeriod'),
    chargePeriod: period('ChargePeriod'),
  };
}

/** One row of FOCUS: gives its columns as what they mean, and collects what is wrong with them. One is filled again for every row. */
export class FocusRow {
  readonly problems: string[] = [];
  /** What is kept of the row, by column name. */
  readonly cells: Cell[] = [];
  /** How many of its values are not on the closed list of their column. */
  unlisted = 0;
  readonly #header: FocusHeader;
  readonly #dirt: DirtCounts;
  readonly #row: Cell[] = [];

  constructor(header: FocusHeader, dirt: DirtCounts) {
    this.#header = header;
    this.#dirt = dirt;
  }

  fill(raw: readonly unknown[]): void {
    this.problems.length = 0;
    const { columns } = this.#header;
    for (let place = 0; place < columns.length; place++) {
      const { cells, index } = columns[place]!;
      this.#row[place] = cells.of(raw[index]);
    }
  }

  /** The text of a column; empty when it is null or absent. */
  text({ place }: Slot): string {
    return place === absent ? '' : this.#row[place]!.text;
  }

  mandatory(slot: Slot): string {
    const text = this.text(slot);
    if (text === '') this.problems.push(`${slot.name} is empty`);
    return text;
  }

  /** The provider by the first column that names one. */
  source(slots: readonly Slot[]): string {
    for (const slot of slots) {
      const text = this.text(slot);
      if (text !== '') return text;
    }
    countDirt(this.#dirt, 'providerMissing');
    return UNKNOWN_SOURCE;
  }

  currency(slot: Slot): string {
    const code = this.mandatory(slot);
    if (code !== '' && !currencies.has(code)) this.problems.push(`${slot.name} ${quoted(code)} is no ISO 4217 code`);
    return code;
  }

  money(slot: Slot): bigint {
    return this.mandatory(slot) === '' ? 0n : this.#amount(this.#row[slot.place]!);
  }

  /** A cost that some exports leave out: then the other amount stands in, and that is counted. */
  moneyOr(slot: Slot, otherwise: bigint, kind: DirtKind): bigint {
    if (this.text(slot) !== '') return this.#amount(this.#row[slot.place]!);
    countDirt(this.#dirt, kind);
    return otherwise;
  }

  /** A time in milliseconds, of whole seconds; null after noting why it is none. */
  instant(slot: Slot): number | null {
    if (this.mandatory(slot) === '') return null;
    const cell = this.#row[slot.place]!;
    const instant = cell.instant();
    if (instant === null) {
      this.problems.push(`${slot.name} ${quoted(cell.text)} is not a time between 1970 and 2106`);
      return null;
    }
    if (!instant.hasZone) countDirt(this.#dirt, 'noZone');
    const seconds = Math.floor(instant.ms / 1000) * 1000;
    if (seconds !== instant.ms) countDirt(this.#dirt, 'subSecond');
    return seconds;
  }

  /** A half-open period in milliseconds. Only a charge may begin and end at the same instant. */
  period([start, end]: readonly [Slot, Slot], mayBeEmpty: boolean): readonly [startMs: number, endMs: number] {
    const startMs = this.instant(start);
    const endMs = this.instant(end);
    if (startMs === null || endMs === null) return [0, 0];
    if (endMs === startMs && mayBeEmpty) countDirt(this.#dirt, 'emptyChargePeriod');
    else if (endMs <= startMs) {
      this.problems.push(`${end.name} ${this.text(end)} is not after its start ${this.text(start)}`);
    }
    return [startMs, endMs];
  }

  /** Keeps every column that holds something in `cells`; gives the tags, unless they cannot be read: then they stay a column. */
  keep(): Tags {
    let tags = noTags;
    const kept = this.cells;
    kept.length = 0;
    this.unlisted = 0;
    const row = this.#row;
    for (let place = 0; place < row.length; place++) {
      const cell = row[place]!;
      if (cell.isPlain) {
        kept.push(cell);
        continue;
      }
      for (const kind of cell.dirt) countDirt(this.#dirt, kind);
      if (cell.isUnlisted) this.unlisted += 1;
      if (cell.text === '') continue;
      if (cell.column === 'Tags') {
        const read = cell.tags();
        for (const [kind, count] of Object.entries(read.dirt)) countDirt(this.#dirt, kind as DirtKind, count);
        if (read.tags !== null) {
          tags = read.tags;
          continue;
        }
      }
      kept.push(cell);
    }
    return tags;
  }

  #amount(cell: Cell): bigint {
    const money = cell.money();
    if (typeof money === 'string') {
      const what = money === 'too large' ? 'is too large to keep exact' : 'is not an amount of money';
      this.problems.push(`${cell.column} ${quoted(cell.text)} ${what}`);
      return 0n;
    }
    if (money.isRounded) countDirt(this.#dirt, 'rounded');
    if (cell.hasExponent) countDirt(this.#dirt, 'exponent');
    return money.amountAtto;
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
