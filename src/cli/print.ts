import Table from 'cli-table3';
import { csvLine } from '../model/index.ts';

export type Format = 'table' | 'json' | 'csv';

/** Which output the flags ask for. */
export function formatOf(flags: { json?: boolean; csv?: boolean }): Format {
  if (flags.json) return 'json';
  return flags.csv ? 'csv' : 'table';
}

export interface Column<Row> {
  readonly head: string;
  readonly value: (row: Row) => string | number | null | undefined;
  readonly align?: 'right';
}

/** Writes rows as a table for people, or as CSV with the same columns. */
export function printRows<Row>(
  format: Exclude<Format, 'json'>,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): string {
  if (format === 'csv')
    return [columns.map(({ head }) => head), ...rows.map((row) => cells(columns, row))].map(csvLine).join('\r\n');
  const table = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push(cells(columns, row));
  return table.toString();
}

function cells<Row>(columns: readonly Column<Row>[], row: Row): string[] {
  return columns.map(({ value }) => {
    const cell = value(row);
    return cell === null || cell === undefined ? '' : String(cell);
  });
}

/** Shortens an exact amount for a table; --json and --csv keep every digit. */
export function shortMoney(amount: string | null, digits = 6): string {
  if (amount === null) return '';
  const [whole, fraction = ''] = amount.split('.');
  return digits === 0 ? whole! : `${whole}.${fraction.slice(0, digits)}`;
}
