import { Failure, formatMoney, parseMoney } from '../../model/index.ts';
import { countDirt, type DirtCounts, type DirtKind } from '../dirt.ts';
import { type Table, type TableRow, textColumn } from '../table.ts';

/** What a bill can be written in. `auto` stands for whichever the columns say. */
export const billFormats = ['focus', 'aws-cur', 'aws-cur2', 'gcp', 'azure', 'opencost', 'csv'] as const;
export type BillFormat = (typeof billFormats)[number];

/** The names of columns that stand in a text, with spaces between them. */
export const namesIn = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Texts by FOCUS column; an absent one is null. */
export type FocusTexts = Readonly<Record<string, string | undefined>>;

/** What a provider's rules know beside the row itself. */
export interface ExportFacts {
  /** The name of the file, with its folders where they are known. */
  readonly file: string;
  /** Of all files of the export. */
  readonly files: readonly string[];
  readonly dirt: DirtCounts;
  /** Said once in the summary. */
  readonly note: (text: string) => void;
}

/** A provider's own export: how its columns become those of FOCUS. One small file each. */
export interface Provider {
  readonly format: BillFormat;
  /** The one name of a column that exports write in several ways. */
  readonly nameOf: (written: string) => string;
  /** Says whether columns, by their one name, are those of this export. */
  readonly isHeader: (names: ReadonlySet<string>, written: readonly string[]) => boolean;
  /** Columns without which nothing can be said; of a list inside, any one. */
  readonly needs: readonly (string | readonly string[])[];
  /** FOCUS columns that `charges` may fill. */
  readonly fills: readonly string[];
  /** Columns that are not kept as `x_` columns, because they are wholly in one of FOCUS. */
  readonly isTaken?: (name: string) => boolean;
  /** Turns one row into charges: one, none (counted as dirt), or the two halves of a fee. */
  readonly charges: (row: SourceRow, facts: ExportFacts) => readonly FocusTexts[];
}

/** A row of a table that was translated: its problems stand in the place of a charge. */
export interface TranslatedRow extends TableRow {
  readonly problems?: readonly string[];
}

const nullWords = new Set(['NULL', 'null', '(null)', '\\N']);

/** One row of a provider's export, by the one name of each column. */
export class SourceRow {
  readonly problems: string[] = [];
  readonly names: readonly string[];
  readonly #at: ReadonlyMap<string, number>;
  readonly #texts: readonly ((raw: unknown) => string)[];
  readonly #dirt: DirtCounts;
  #cells: readonly unknown[] = [];

  constructor(names: readonly string[], table: Table, dirt: DirtCounts) {
    this.names = names;
    // The first of two of the same name.
    this.#at = new Map(names.map((name, place) => [name, place] as const).reverse());
    this.#texts = table.columns.map(({ text }) => text);
    this.#dirt = dirt;
  }

  fill(cells: readonly unknown[]): void {
    this.problems.length = 0;
    this.#cells = cells;
  }

  has(name: string): boolean {
    return this.#at.has(name);
  }

  /** The text at a place of the row; empty when it is null. */
  at(place: number): string {
    const text = this.#texts[place]!(this.#cells[place]).trim();
    return nullWords.has(text) ? '' : text;
  }

  /** The first of these columns that holds something; else empty. */
  text(...names: readonly string[]): string {
    for (const name of names) {
      const place = this.#at.get(name);
      const text = place === undefined ? '' : this.at(place);
      if (text !== '') return text;
    }
    return '';
  }

  /** The first of these columns that holds something as an amount; null when none does, 0 and a problem when it is none. */
  money(...names: readonly string[]): bigint | null {
    const text = this.text(...names);
    return text === '' ? null : this.amount(names[0]!, text);
  }

  amount(what: string, text: string): bigint {
    try {
      const { amountAtto, isRounded } = parseMoney(text);
      if (isRounded) countDirt(this.#dirt, 'rounded');
      return amountAtto;
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
      const wrong = cause.code === 'MONEY_TOO_LARGE' ? 'is too large to keep exact' : 'is not an amount of money';
      this.problems.push(`${what} ${JSON.stringify(text.slice(0, 60))} ${wrong}`);
      return 0n;
    }
  }

  /** An amount that must be there. */
  mandatory(...names: readonly string[]): bigint {
    const amount = this.money(...names);
    if (amount === null) this.problems.push(`${names.join(' or ')} is empty`);
    return amount ?? 0n;
  }

  count(kind: DirtKind): void {
    countDirt(this.#dirt, kind);
  }
}

/** Writes an amount so that nothing of it is lost. */
export function moneyText(atto: bigint): string {
  return formatMoney(atto);
}

/**
 * Reads a provider's table as one of FOCUS.
 *
 * Gives  the columns that the provider's rules fill, then its own ones with `x_` before their name.
 */
export function translated(table: Table, provider: Provider, facts: ExportFacts): Table {
  const names = table.columns.map(({ name }) => provider.nameOf(name.trim()));
  const isKept = (name: string, place: number) =>
    name !== '' && names.indexOf(name) === place && !provider.isTaken?.(name);
  const kept = names.flatMap((name, place) => (isKept(name, place) ? [place] : []));
  const columns = [...provider.fills, ...kept.map((place) => `x_${names[place]}`)].map(textColumn);
  return { columns, line: table.line, batches: translatedBatches(table, names, kept, provider, facts) };
}

async function* translatedBatches(
  table: Table,
  names: readonly string[],
  kept: readonly number[],
  provider: Provider,
  facts: ExportFacts,
): AsyncGenerator<Iterable<TranslatedRow>> {
  const source = new SourceRow(names, table, facts.dirt);
  for await (const batch of table.batches) yield translatedRows(batch, source, kept, provider, facts);
}

function* translatedRows(
  batch: Iterable<TableRow>,
  source: SourceRow,
  kept: readonly number[],
  provider: Provider,
  facts: ExportFacts,
): Generator<TranslatedRow> {
  for (const { line, cells } of batch) {
    if (cells.length < source.names.length) {
      const problem = `the row has ${cells.length} values where the header has ${source.names.length}`;
      yield { line, cells: [], problems: [problem] };
      continue;
    }
    source.fill(cells);
    const charges = provider.charges(source, facts);
    if (source.problems.length > 0) yield { line, cells: [], problems: [...source.problems] };
    else {
      const own = kept.map((place) => source.at(place));
      for (const charge of charges) {
        yield { line, cells: [...provider.fills.map((column) => charge[column] ?? ''), ...own] };
      }
    }
  }
}
