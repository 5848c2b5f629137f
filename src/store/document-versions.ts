import { createHash } from 'node:crypto';
import type { DocumentStore, StoredDocument } from './documents.ts';

export interface NewVersion {
  readonly kind: string;
  readonly name: string;
  readonly effectiveFromMs: number;
  readonly spec: unknown;
  readonly reason: string;
}

export interface AppliedVersion {
  readonly kind: string;
  readonly name: string;
  readonly version: number;
  readonly status: 'created' | 'changed' | 'unchanged';
}

/** Gives all versions of a kind of document, oldest first; with `asOf`, those applied until then. */
export function versionsOf(documents: DocumentStore, kind: string, asOf?: Date): Promise<StoredDocument[]> {
  let query = documents.selectFrom('document').selectAll().where('kind', '=', kind);
  if (asOf) query = query.where('applied_at', '<=', asOf.toISOString());
  return query.orderBy('version').orderBy('id').execute();
}

/** Gives the newest version of each name of a kind. */
export async function newestOf(documents: DocumentStore, kind: string): Promise<StoredDocument[]> {
  const byName = new Map<string, StoredDocument>();
  for (const document of await versionsOf(documents, kind)) byName.set(document.name, document);
  return [...byName.values()];
}

/**
 * Stores documents as new versions, all or none; one that says the same as its newest version stays that version.
 *
 * Gives  what became of each, in order.
 */
export function applyVersions(
  documents: DocumentStore,
  versions: readonly NewVersion[],
  by: string,
  now: Date,
): Promise<AppliedVersion[]> {
  return documents.transaction().execute(async (transaction) => {
    const applied: AppliedVersion[] = [];
    for (const { kind, name, effectiveFromMs, spec, reason } of versions) {
      const body = JSON.stringify(spec);
      const fingerprint = createHash('sha256').update(`${effectiveFromMs}:${body}`).digest('hex');
      const newest = await transaction
        .selectFrom('document')
        .select(['version', 'fingerprint'])
        .where('kind', '=', kind)
        .where('name', '=', name)
        .orderBy('version', 'desc')
        .executeTakeFirst();
      if (newest?.fingerprint === fingerprint) {
        applied.push({ kind, name, version: newest.version, status: 'unchanged' });
        continue;
      }
      const version = (newest?.version ?? 0) + 1;
      await transaction
        .insertInto('document')
        .values({
          kind,
          name,
          version,
          effective_from: new Date(effectiveFromMs).toISOString(),
          body,
          fingerprint,
          applied_at: now.toISOString(),
          applied_by: by,
          reason,
        })
        .execute();
      applied.push({ kind, name, version, status: newest ? 'changed' : 'created' });
    }
    return applied;
  });
}
