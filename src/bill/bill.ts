import { formatMoney, monthOf } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import type { BillFormat } from './formats/translation.ts';
import { type BillImportSummary, summaryOf } from './import-summary.ts';
import { loadCharges } from './load-charges.ts';
import {
  deleteImports,
  type NewImport,
  orphanImports,
  putInForce,
  readFormats,
  readStanding,
  takeImportId,
} from './queries.ts';
import { type Progress, type ReadBill, readBill } from './read-bill.ts';
import { type Replacement, replacementsOf, type Standing } from './replacement.ts';
import { removeOldSpools, Spool } from './spool.ts';
import type { BillFile } from './table.ts';

export interface BillImportOptions {
  /** `auto` recognises each file by its header. */
  readonly format: 'auto' | BillFormat;
  /** Lets an export with fewer rows take the place of a larger one. */
  readonly replace: boolean;
  readonly importedBy?: string | undefined;
  readonly now: Date;
  /** Told now and then how far the reading is. */
  readonly progress?: Progress | undefined;
}

/** An import that has not finished after a day never will: import ids are times in microseconds. */
const ABANDONED_MICROS = 24 * 3_600 * 1_000_000;

/**
 * Imports one whole export: its charges take the place of what was known of the same (source, account, billing period).
 *
 * Takes  files of one export, in any order; options.now: the time of the import.
 * Gives  what was read, and what it did to each group.
 * Holds  all or nothing; importing the same content again changes nothing, in whatever order its rows and files come;
 *        groups that the export does not mention stay as they are.
 * Fails  BILL_INVALID, FORMAT_UNKNOWN, FILE_UNREADABLE, FILE_DAMAGED, BILL_SMALLER, BILL_OVERLAPS, BILL_BUSY.
 */
export async function importBill(
  store: Store,
  files: readonly BillFile[],
  options: BillImportOptions,
): Promise<BillImportSummary> {
  const importId = await takeImportId(store.documents, options.now);
  await sweep(store, importId - ABANDONED_MICROS);
  const spool = await Spool.open(store.scratch, importId);
  try {
    const bill = await readBill(files, options.format, spool, options.progress);
    const standing = await readStanding(store.documents);
    const formats = await readFormats(store.documents);
    const replacements = replacementsOf(bill.groups, standing, options.replace);
    await write(store, replacements, importId, spool, bill, options);
    return summaryOf(bill, replacements, standing.active, formats);
  } finally {
    await spool.remove();
  }
}

/** Rows first, then the transaction that makes them count: a crash between the two leaves rows that nobody reads. */
async function write(
  store: Store,
  replacements: readonly Replacement[],
  importId: number,
  spool: Spool,
  bill: ReadBill,
  options: BillImportOptions,
): Promise<void> {
  const changed = new Map(replacements.filter((each) => each.status !== 'unchanged').map((each) => [each.unit, each]));
  if (changed.size === 0) return;
  const segments = (await spool.finish()).filter((segment) => changed.has(segment.unit));
  const month = (unit: string) => monthOf(changed.get(unit)!.groups[0]!.billingStartMs).month;
  const at = options.now.toISOString();
  const added = [...changed.values()].flatMap((each) => importRows(each, importId, bill, options));
  const replacedIds = [...changed.values()].flatMap((each) => each.replaces.map((row) => row.id));
  const isStillRight = (now: Standing) =>
    isSameOutcome(replacementsOf(bill.groups, now, options.replace), replacements);
  await loadCharges(store.columns, segments, spool.folder, (segment) => month(segment.unit));
  const report = { import_id: String(importId), format: bill.format, report: JSON.stringify(bill.check) };
  await putInForce(store.documents, added, replacedIds, at, report, isStillRight);
}

function isSameOutcome(now: readonly Replacement[], decided: readonly Replacement[]): boolean {
  const idsOf = (all: readonly Replacement[]) => JSON.stringify(all.map((each) => each.replaces.map((row) => row.id)));
  return idsOf(now) === idsOf(decided);
}

function importRows(
  { groups }: Replacement,
  importId: number,
  bill: ReadBill,
  options: BillImportOptions,
): NewImport[] {
  const files = JSON.stringify(bill.files.map(({ name }) => ({ name, importedBy: options.importedBy })));
  return groups.map((group) => ({
    import_id: String(importId),
    source: group.source,
    account: group.account,
    currency: group.currency,
    billing_start: group.billingStartMs,
    billing_end: group.billingEndMs,
    row_count: group.rows,
    billed: formatMoney(group.billedAtto),
    effective: formatMoney(group.effectiveAtto),
    fingerprint: group.fingerprint,
    files,
    imported_at: options.now.toISOString(),
    replaced_at: null,
  }));
}

/** Not at once when an import fails: a lost answer to COMMIT looks like a failure, and its rows would be in force. */
async function sweep(store: Store, beforeId: number): Promise<void> {
  await removeOldSpools(store.scratch, beforeId);
  await deleteImports(store.columns, await orphanImports(store, Math.max(beforeId, 0)));
}
