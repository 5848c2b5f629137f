import { formatInstant } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import type { CheckReport } from './bill-check.ts';
import { activeImports, readFormats, readReport } from './queries.ts';

/** A bill in force: one (source, account, currency, billing period). Money as decimal strings with 18 decimals. */
export interface ShownBill {
  readonly importId: string;
  /** Empty for a bill from before formats were kept. */
  readonly format: string;
  readonly source: string;
  readonly account: string;
  readonly currency: string;
  readonly billingStart: string;
  readonly billingEnd: string;
  readonly rows: number;
  readonly billed: string;
  readonly effective: string;
  readonly importedAt: string;
  readonly files: readonly string[];
}

/** Lists the bills in force, the newest billing period first. */
export async function shownBills(store: Pick<Store, 'documents'>, asOf?: Date): Promise<ShownBill[]> {
  const formats = await readFormats(store.documents);
  const imports = [...(await activeImports(store, asOf))];
  imports.sort((a, b) => b.billing_start - a.billing_start || a.id - b.id);
  return imports.map((row) => ({
    importId: row.import_id,
    format: formats.get(row.import_id) ?? '',
    source: row.source,
    account: row.account,
    currency: row.currency,
    billingStart: formatInstant(row.billing_start),
    billingEnd: formatInstant(row.billing_end),
    rows: row.row_count,
    billed: row.billed,
    effective: row.effective,
    importedAt: row.imported_at,
    files: (JSON.parse(row.files) as { name: string }[]).map(({ name }) => name),
  }));
}

/** Gives what one import was held to when it came; null when nothing is kept of it. */
export async function shownReport(
  store: Pick<Store, 'documents'>,
  importId: string,
): Promise<{ readonly format: string; readonly check: CheckReport } | null> {
  const stored = await readReport(store.documents, importId);
  return stored && { format: stored.format, check: JSON.parse(stored.report) as CheckReport };
}
