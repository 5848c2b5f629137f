import type { Problem } from '../model/index.ts';
import { countDirt, type DirtCounts } from './dirt.ts';
import { closedList, focusName, mandatoryColumns } from './focus-columns.ts';
import type { BillFile, TableRow } from './table.ts';

export interface FocusColumn {
  readonly name: string;
  readonly index: number;
  /** Values in their right case by their lower-case form. */
  readonly values: ReadonlyMap<string, string> | undefined;
}

/** Where the columns of one file are. */
export interface FocusHeader {
  readonly width: number;
  /** Every column kept, sorted by name: the order of columns in a file must not change what its rows are. */
  readonly columns: readonly FocusColumn[];
  readonly at: ReadonlyMap<string, number>;
}

/** Says whether a header is that of a FOCUS export, complete or not. */
export function isFocusHeader(row: TableRow): boolean {
  const known = new Set(row.cells.map((cell) => focusName(cell)));
  return mandatoryColumns.filter((column) => known.has(column)).length >= 3;
}

/**
 * Finds the columns of a file.
 *
 * Takes  row: the header. dirt: counts what was put right.
 * Gives  the columns under their FOCUS names, others under the name they have; the first of two of the same name.
 */
export function readFocusHeader(row: TableRow, dirt: DirtCounts): FocusHeader {
  const at = new Map<string, number>();
  for (const [index, cell] of row.cells.entries()) {
    const written = cell.trim();
    if (written === '') continue;
    const name = focusName(written) ?? written;
    if (name !== cell) countDirt(dirt, 'headerName');
    if (name === written && !focusName(written) && !/^x_/i.test(written)) countDirt(dirt, 'strayColumn');
    if (at.has(name)) countDirt(dirt, 'repeatedColumn');
    else at.set(name, index);
  }
  const columns = [...at].map(([name, index]) => ({ name, index, values: closedList(name) }));
  columns.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { width: row.cells.length, columns, at };
}

/** Says what keeps a file from being read at all: each mandatory column that is absent, or there twice. */
export function headerProblems(row: TableRow, file: BillFile): Problem[] {
  const written = row.cells.map((cell) => focusName(cell));
  return mandatoryColumns.flatMap((column) => {
    const times = written.filter((name) => name === column).length;
    if (times === 1) return [];
    const message = times === 0 ? `the column ${column} is missing` : `the column ${column} appears ${times} times`;
    return [{ message, line: row.line, path: file.name }];
  });
}
