/** One file of an export: the name to show, and where it lies. */
export interface BillFile {
  readonly name: string;
  readonly path: string;
}

/** One row as text, exactly as it was written; an absent value is the empty text. */
export interface TableRow {
  /** The line of a text file, the row number of a Parquet file; the header is line 1 of a text file and row 0 of a Parquet file. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A file as batches of rows; the first row of the first batch is the header. */
export type TableRows = AsyncGenerator<readonly TableRow[], void, undefined>;
