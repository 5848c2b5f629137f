import type { Insertable } from 'kysely';
import type { DocumentStore, StoredQuarantine } from '../../store/index.ts';

export type NewLine = Insertable<Omit<StoredQuarantine, 'id'>>;

/** Which lines of the quarantine. Takes  before: an id; only older ones. */
export interface QuarantineChoice {
  readonly source?: string | undefined;
  readonly format?: string | undefined;
  readonly reason?: string | undefined;
  readonly before?: number | undefined;
}

/** Rows per INSERT: their values must stay below the parameter limits of both databases. */
const INSERT_ROWS = 500;

export async function logsWithLines(documents: DocumentStore): Promise<Set<string>> {
  const rows = await documents.selectFrom('quarantine').select('log').distinct().execute();
  return new Set(rows.map(({ log }) => log));
}

export async function insertLines(documents: DocumentStore, rows: readonly NewLine[]): Promise<void> {
  for (let at = 0; at < rows.length; at += INSERT_ROWS)
    await documents
      .insertInto('quarantine')
      .values(rows.slice(at, at + INSERT_ROWS))
      .execute();
}

export async function removeStretch(documents: DocumentStore, log: string, from: number, to: number): Promise<void> {
  await documents
    .deleteFrom('quarantine')
    .where('log', '=', log)
    .where('byte_offset', '>=', from)
    .where('byte_offset', '<', to)
    .execute();
}

/** Forgets all but the newest lines. */
export async function trimLines(documents: DocumentStore, most: number): Promise<void> {
  const first = await documents
    .selectFrom('quarantine')
    .select('id')
    .orderBy('id', 'desc')
    .offset(most)
    .limit(1)
    .executeTakeFirst();
  if (first) await documents.deleteFrom('quarantine').where('id', '<=', first.id).execute();
}

export function listLines(
  documents: DocumentStore,
  choice: QuarantineChoice,
  limit: number,
): Promise<StoredQuarantine[]> {
  const { source, format, reason, before } = choice;
  return documents
    .selectFrom('quarantine')
    .selectAll()
    .$if(source !== undefined, (query) => query.where('source', '=', source!))
    .$if(format !== undefined, (query) => query.where('format', '=', format!))
    .$if(reason !== undefined, (query) => query.where('reason', '=', reason!))
    .$if(before !== undefined, (query) => query.where('id', '<', before!))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

export async function countLines(documents: DocumentStore, choice: QuarantineChoice): Promise<number> {
  const { source, format, reason } = choice;
  const row = await documents
    .selectFrom('quarantine')
    .select((by) => by.fn.countAll().as('lines'))
    .$if(source !== undefined, (query) => query.where('source', '=', source!))
    .$if(format !== undefined, (query) => query.where('format', '=', format!))
    .$if(reason !== undefined, (query) => query.where('reason', '=', reason!))
    .executeTakeFirstOrThrow();
  return Number(row.lines);
}

export async function clearLines(documents: DocumentStore, choice: QuarantineChoice): Promise<number> {
  const { source, format, reason } = choice;
  const { numDeletedRows } = await documents
    .deleteFrom('quarantine')
    .$if(source !== undefined, (query) => query.where('source', '=', source!))
    .$if(format !== undefined, (query) => query.where('format', '=', format!))
    .$if(reason !== undefined, (query) => query.where('reason', '=', reason!))
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
