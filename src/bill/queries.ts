import { sql } from 'kysely';
import { fail } from '../model/index.ts';
import type { ColumnStore, DocumentStore, Store, StoredImport } from '../store/index.ts';
import type { Standing } from './replacement.ts';

const ID_FACT = 'bill_import_id';
/** Rows per INSERT: their values must stay below the parameter limits of both databases. */
const INSERT_ROWS = 200;

/** What is kept of an import beside its sums. */
export interface NewReport {
  readonly import_id: string;
  readonly format: string;
  readonly report: string;
}

export type NewImport = Omit<StoredImport, 'id'>;

/**
 * Takes the next import id: the time in microseconds, or one more than the last id where that is not later.
 *
 * Holds  never given twice, also not by two processes at once, nor after the document store was restored from a backup.
 */
export async function takeImportId(documents: DocumentStore, now: Date): Promise<number> {
  const micros = now.getTime() * 1000;
  const { rows } = await sql<{ value: string }>`
    INSERT INTO fact (name, value) VALUES (${ID_FACT}, ${String(micros)})
    ON CONFLICT (name) DO UPDATE SET value = CAST(
      CASE WHEN CAST(fact.value AS bigint) < CAST(excluded.value AS bigint)
        THEN CAST(excluded.value AS bigint) ELSE CAST(fact.value AS bigint) + 1 END AS text)
    RETURNING value`.execute(documents);
  return Number(rows[0]!.value);
}

/**
 * Lists the imports in force: one per (source, account, currency, billing period).
 *
 * Takes  asOf: the date to look back to; none: now.
 */
export async function activeImports(store: Pick<Store, 'documents'>, asOf?: Date): Promise<StoredImport[]> {
  const imports = store.documents.selectFrom('bill_import').selectAll().orderBy('id');
  if (!asOf) return imports.where('replaced_at', 'is', null).execute();
  const at = asOf.toISOString();
  return imports
    .where('imported_at', '<=', at)
    .where((is) => is.or([is('replaced_at', 'is', null), is('replaced_at', '>', at)]))
    .execute();
}

/**
 * Gives the SQL condition that restricts table `charges` to the rows in force.
 *
 * Takes  asOf: bills as they were known on that date; none: now.
 * Gives  text for a WHERE clause, without parameters; its tuple is a prefix of the table's sorting key, so an index serves it.
 * Holds  rows of imports that failed, or have not finished, are never among them.
 */
export async function chargesInForce(store: Pick<Store, 'documents'>, asOf?: Date): Promise<string> {
  return inForce(await activeImports(store, asOf));
}

/** Gives the SQL condition for a choice of imports, such as those of one billing period; no imports, no rows. */
export function inForce(imports: readonly StoredImport[]): string {
  const keys = new Set(imports.map(importKey));
  return keys.size === 0 ? '1 = 0' : `(source, account, billing_start, import_id) IN (${[...keys].join(', ')})`;
}

function importKey(row: StoredImport): string {
  const start = `toDateTime(${row.billing_start / 1000}, 'UTC')`;
  return `(${quoted(row.source)}, ${quoted(row.account)}, ${start}, toUInt64(${BigInt(row.import_id)}))`;
}

function quoted(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}

/** What an import has to respect: the imports in force and the periods that are closed. */
export async function readStanding(documents: DocumentStore): Promise<Standing> {
  const active = await activeImports({ documents });
  const closed = await documents.selectFrom('period').selectAll().execute();
  return { active, closed };
}

/**
 * Puts imports in force and others out of it, in one transaction: the moment in which an import becomes visible.
 *
 * Takes  isStillRight: asked inside the transaction whether what was decided on still stands.
 * Fails  BILL_BUSY when another import of the same bill, or the closing of its period, came first.
 */
export async function putInForce(
  documents: DocumentStore,
  added: readonly NewImport[],
  replacedIds: readonly number[],
  replacedAt: string,
  report: NewReport,
  isStillRight: (standing: Standing) => boolean,
): Promise<void> {
  try {
    await documents
      .transaction()
      .setIsolationLevel('serializable')
      .execute(async (inside) => {
        if (!isStillRight(await readStanding(inside))) throw fail('BILL_BUSY');
        await writeImports(inside, added, replacedIds, replacedAt);
        await inside.insertInto('bill_report').values(report).execute();
      });
  } catch (cause) {
    const isConflict = (cause as { code?: unknown } | null)?.code === '40001';
    throw isConflict ? fail('BILL_BUSY', {}, [], cause) : cause;
  }
}

async function writeImports(
  inside: DocumentStore,
  added: readonly NewImport[],
  replacedIds: readonly number[],
  replacedAt: string,
): Promise<void> {
  for (const ids of slices(replacedIds, INSERT_ROWS)) {
    await inside.updateTable('bill_import').set({ replaced_at: replacedAt }).where('id', 'in', ids).execute();
  }
  for (const rows of slices(added, INSERT_ROWS)) await inside.insertInto('bill_import').values(rows).execute();
}

function slices<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Gives the format and the report of an import; null for one from before there were reports, or none at all. */
export async function readReport(documents: DocumentStore, importId: string): Promise<NewReport | null> {
  const found = documents.selectFrom('bill_report').selectAll().where('import_id', '=', importId);
  return (await found.executeTakeFirst()) ?? null;
}

/** Gives the formats of imports by their id. */
export async function readFormats(documents: DocumentStore): Promise<ReadonlyMap<string, string>> {
  const rows = await documents.selectFrom('bill_report').select(['import_id', 'format']).execute();
  return new Map(rows.map((row) => [row.import_id, row.format]));
}

/** Removes the rows of one import that never came into force. */
export async function deleteImports(columns: ColumnStore, importIds: readonly string[]): Promise<void> {
  if (importIds.length === 0) return;
  await columns.command(
    `ALTER TABLE charges DELETE WHERE import_id IN (${importIds.map((id) => BigInt(id)).join(', ')})`,
  );
}

/** Lists imports below an id that left rows behind and never came into force. */
export async function orphanImports(store: Pick<Store, 'columns' | 'documents'>, beforeId: number): Promise<string[]> {
  const rows = await store.columns.query<{ import_id: string }>(
    'SELECT DISTINCT import_id FROM charges WHERE import_id < {beforeId:UInt64}',
    { beforeId },
  );
  if (rows.length === 0) return [];
  const known = await store.documents.selectFrom('bill_import').select('import_id').distinct().execute();
  const knownIds = new Set(known.map((row) => row.import_id));
  return rows.map((row) => row.import_id).filter((id) => !knownIds.has(id));
}
