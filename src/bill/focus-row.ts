import type { Cell, Tags } from './cell.ts';
import { noTags } from './cell.ts';
import { countDirt, type DirtCounts, type DirtKind } from './dirt.ts';
import { sourceColumns } from './focus-columns.ts';
import type { FocusHeader } from './focus-header.ts';

/** The source of rows that name no provider at all. */
const UNKNOWN_SOURCE = '(unknown)';

const currencies = new Set(Intl.supportedValuesOf('currency'));

/** One row of FOCUS: gives its columns as what they mean, and collects what is wrong with them. One is filled again for every row. */
export class FocusRow {
  readonly problems: string[] = [];
  /** What is kept of the row, by column name. */
  readonly cells: Cell[] = [];
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
  text(column: string): string {
    return this.#cell(column)?.text ?? '';
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
    return this.mandatory(column) === '' ? 0n : this.#amount(this.#cell(column)!);
  }

  /** A cost that some exports leave out: then the other amount stands in, and that is counted. */
  moneyOr(column: string, otherwise: bigint, kind: DirtKind): bigint {
    if (this.text(column) !== '') return this.#amount(this.#cell(column)!);
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

  /** Keeps every column that holds something in `cells`; gives the tags, unless they cannot be read: then they stay a column. */
  keep(): Tags {
    let tags = noTags;
    const kept = this.cells;
    kept.length = 0;
    for (const cell of this.#row) {
      if (cell.dirt.length > 0) for (const kind of cell.dirt) countDirt(this.#dirt, kind);
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

  #cell(column: string): Cell | undefined {
    const place = this.#header.at.get(column);
    return place === undefined ? undefined : this.#row[place];
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

  #instant(column: string): number | null {
    if (this.mandatory(column) === '') return null;
    const cell = this.#cell(column)!;
    const instant = cell.instant();
    if (instant === null) {
      this.problems.push(`${column} ${quoted(cell.text)} is not a time between 1970 and 2106`);
      return null;
    }
    if (!instant.hasZone) countDirt(this.#dirt, 'noZone');
    const seconds = Math.floor(instant.ms / 1000) * 1000;
    if (seconds !== instant.ms) countDirt(this.#dirt, 'subSecond');
    return seconds;
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
