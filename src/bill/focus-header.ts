import type { Problem } from '../model/index.ts';
import { ColumnCells, type ColumnKeys } from './column-cells.ts';
import { countDirt, type DirtCounts } from './dirt.ts';
import { closedList, focusName, mandatoryColumns } from './focus-columns.ts';
import type { BillFile, Table, TableColumn } from './table.ts';

export interface FocusColumn {
  readonly name: string;
  /** Its place in the rows of the file. */
  readonly index: number;
  readonly cells: ColumnCells;
}

/** Where the columns of one file are. */
export interface FocusHeader {
  readonly width: number;
  /** Every column kept, sorted by name: the order of columns in a file must not change what its rows are. */
  readonly columns: readonly FocusColumn[];
  /** The place in `columns` of each name. */
  readonly at: ReadonlyMap<string, number>;
}

/** Says whether columns are those of a FOCUS export, complete or not. */
export function isFocusHeader(columns: readonly string[]): boolean {
  const known = new Set(columns.map(focusName));
  return mandatoryColumns.filter((column) => known.has(column)).length >= 3;
}

/**
 * Finds the columns of a file.
 *
 * Takes  columns: of the file. dirt: counts what was put right.
 * Gives  the columns under their FOCUS names, others under the name they have; the first of two of the same name.
 */
export function readFocusHeader(columns: readonly TableColumn[], keys: ColumnKeys, dirt: DirtCounts): FocusHeader {
  const indexes = new Map<string, number>();
  for (const [index, { name: cell }] of columns.entries()) {
    const written = cell.trim();
    if (written === '') continue;
    const name = focusName(written) ?? written;
    if (name !== cell) countDirt(dirt, 'headerName');
    if (name === written && !focusName(written) && !/^x_/i.test(written)) countDirt(dirt, 'strayColumn');
    if (indexes.has(name)) countDirt(dirt, 'repeatedColumn');
    else indexes.set(name, index);
  }
  const found = [...indexes].map(([name, index]) => {
    const cells = new ColumnCells(name, keys.of(name), columns[index]!, closedList(name));
    return { name, index, cells };
  });
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { width: columns.length, columns: found, at: new Map(found.map(({ name }, place) => [name, place])) };
}

/** Says what keeps a file from being read at all: each mandatory column that is absent, or there twice. */
export function headerProblems({ columns, line }: Pick<Table, 'columns' | 'line'>, file: BillFile): Problem[] {
  const written = columns.map(({ name }) => focusName(name));
  return mandatoryColumns.flatMap((column) => {
    const times = written.filter((name) => name === column).length;
    if (times === 1) return [];
    const message = times === 0 ? `the column ${column} is missing` : `the column ${column} appears ${times} times`;
    return [{ message, line, path: file.name }];
  });
}
