import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BillFile } from '../../src/bill/index.ts';

/** A row of a small FOCUS bill as text by column; for tests and examples. */
export type ExampleRow = Readonly<Record<string, string>>;

const usual: ExampleRow = {
  BilledCost: '1',
  EffectiveCost: '1',
  ListCost: '1',
  ContractedCost: '1',
  BillingCurrency: 'USD',
  BillingAccountId: 'acct',
  BillingPeriodStart: '2024-09-01T00:00:00Z',
  BillingPeriodEnd: '2024-10-01T00:00:00Z',
  ChargePeriodStart: '2024-09-18T22:00:00Z',
  ChargePeriodEnd: '2024-09-18T23:00:00Z',
  ChargeCategory: 'Usage',
  ProviderName: 'AWS',
  ServiceCategory: 'Compute',
  ServiceName: 'vm',
};

/** A complete row of one hour of a vm for 1 USD, except for what is said otherwise. */
export function exampleRow(otherwise: ExampleRow = {}): ExampleRow {
  return { ...usual, ...otherwise };
}

/** Writes rows as CSV under the columns of the first one. */
export function exampleCsv(rows: readonly ExampleRow[], newline = '\n'): string {
  const columns = Object.keys(rows[0] ?? usual);
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? ''))];
  return lines.map((cells) => cells.map(quoted).join(',') + newline).join('');
}

/** Writes a file of rows into a folder and gives it as an import wants it. */
export function exampleFile(folder: string, name: string, rows: readonly ExampleRow[]): BillFile {
  const path = join(folder, name);
  writeFileSync(path, exampleCsv(rows));
  return { name, path };
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replace(/"/g, '""')}"` : cell;
}
