import type { ColumnStore, DocumentStore, Store, StoredSubject } from '../../store/index.ts';
import type { Meter } from './meter.ts';
import { DOC, isCounted, SqlParams, valueColumns } from './meter-sql.ts';

/** Whom events are about: a key, and what somebody said of it. */
export interface Subject {
  readonly key: string;
  readonly displayName: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A part of a list in the order of keys. Takes  after: the last key that is known; empty at the beginning. */
export interface Page {
  readonly after: string;
  readonly limit: number;
}

/** Lists subjects that events name or that something was said of. */
export async function listSubjects({ columns, documents }: Store, { after, limit }: Page): Promise<Subject[]> {
  const seen = await columns.query<{ subject: string }>(
    'SELECT DISTINCT subject FROM events WHERE subject > {after:String} ORDER BY subject LIMIT {limit:UInt32}',
    { after, limit },
  );
  const told = await documents.selectFrom('subject').selectAll().execute();
  const subjects = new Map(seen.map(({ subject: key }) => [key, { key, displayName: null, metadata: {} } as Subject]));
  for (const row of told) if (compare(row.key, after) > 0) subjects.set(row.key, shown(row));
  return [...subjects.values()].sort((a, b) => compare(a.key, b.key)).slice(0, limit);
}

/** The order of the engine: that of bytes. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Gives null for a subject that nobody has named. */
export async function findSubject({ columns, documents }: Store, key: string): Promise<Subject | null> {
  const row = await documents.selectFrom('subject').selectAll().where('key', '=', key).executeTakeFirst();
  if (row) return shown(row);
  const seen = await columns.query('SELECT 1 FROM events WHERE subject = {key:String} LIMIT 1', { key });
  return seen.length > 0 ? { key, displayName: null, metadata: {} } : null;
}

/** Stores what is said of subjects, all or none; what was said before is replaced. */
export async function tellSubjects(documents: DocumentStore, subjects: readonly Subject[], now: Date): Promise<void> {
  await documents.transaction().execute(async (transaction) => {
    for (const { key, displayName, metadata } of subjects) {
      const row = { display_name: displayName, metadata: JSON.stringify(metadata), changed_at: now.toISOString() };
      await transaction
        .insertInto('subject')
        .values({ key, ...row })
        .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
        .execute();
    }
  });
}

/** Erases what was said of a subject; its events stay. Gives whether there was anything. */
export async function forgetSubject(documents: DocumentStore, key: string): Promise<boolean> {
  const { numDeletedRows } = await documents.deleteFrom('subject').where('key', '=', key).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Lists the subjects of which a meter counts an event. */
export async function meterSubjects(columns: ColumnStore, { spec }: Meter, { after, limit }: Page): Promise<string[]> {
  const params = new SqlParams();
  const rows = await columns.query<{ subject: string }>(
    `SELECT DISTINCT subject FROM (
      SELECT subject, ${DOC}, ${valueColumns(spec, params)} FROM events
      WHERE type = ${params.add('String', spec.eventType)} AND subject > {after:String}
    ) WHERE ${isCounted(spec)} ORDER BY subject LIMIT {limit:UInt32}`,
    { ...params.values, after, limit },
  );
  return rows.map(({ subject }) => subject);
}

function shown({ key, display_name, metadata }: StoredSubject): Subject {
  return { key, displayName: display_name, metadata: JSON.parse(metadata) as Record<string, unknown> };
}
