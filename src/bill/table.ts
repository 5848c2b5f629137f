/** One file of an export: the name to show, and where it lies. */
export interface BillFile {
  readonly name: string;
  readonly path: string;
}

/** A column of a file, and how its values are written as text; an absent value is the empty text. */
export interface TableColumn {
  readonly name: string;
  readonly text: (raw: unknown) => string;
}

/** A value that many rows share, as a file with dictionaries holds it: what is made of it is kept with it. */
export class SharedValue {
  readonly raw: unknown;
  /** What the column's reader made of it. */
  text: string | undefined;
  /** What the one who takes the column's values made of it. */
  made: unknown;

  constructor(raw: unknown) {
    this.raw = raw;
    this.text = undefined;
    this.made = undefined;
  }
}

/** One row as the file holds it. It is good until the next one is asked for: most readers fill the same row again. */
export interface TableRow {
  /** The line of a text file, the row number from 1 of a Parquet or JSON file. */
  readonly line: number;
  /** What `TableColumn.text` takes, shared values among them. Equal values of a column are mostly the same value, so that what is made of one can be kept. */
  readonly cells: readonly unknown[];
}

/** A file as a table: its columns, and its rows in batches. */
export interface Table {
  readonly columns: readonly TableColumn[];
  /** Of the header: 1 in a text file, 0 where columns have names of their own. */
  readonly line: number;
  readonly batches: AsyncIterable<Iterable<TableRow>>;
}

/** A column whose values are texts already. */
export function textColumn(name: string): TableColumn {
  return { name, text: asText };
}

function asText(raw: unknown): string {
  return (raw as string | undefined) ?? '';
}
