import type { Store } from '../store/index.ts';

/** Something that somebody did to what figures are made of. */
export interface AuditEntry {
  readonly at: string;
  readonly by: string;
  readonly action: 'apply' | 'import' | 'close';
  /** What it was done to, such as `CostModel shop@3`. */
  readonly what: string;
  readonly why: string;
}

const MOST_ENTRIES = 10_000;

/**
 * Says who applied, imported and closed what, when and why.
 *
 * Gives  entries, the newest first; what happened at the same time in the order of their texts.
 * Holds  what is told is what is stored: versions, imports and closings are never edited.
 */
export async function auditTrail({ documents }: Pick<Store, 'documents'>, most: number): Promise<AuditEntry[]> {
  const limit = Math.min(most, MOST_ENTRIES);
  const versions = await documents
    .selectFrom('document')
    .selectAll()
    .orderBy('applied_at', 'desc')
    .limit(limit)
    .execute();
  const imports = await documents
    .selectFrom('bill_import')
    .selectAll()
    .orderBy('imported_at', 'desc')
    .limit(limit)
    .execute();
  const closings = await documents.selectFrom('period').selectAll().orderBy('closed_at', 'desc').limit(limit).execute();
  const month = (instantMs: number) => new Date(Number(instantMs)).toISOString().slice(0, 7);
  const entries: AuditEntry[] = [
    ...versions.map(({ applied_at: at, applied_by: by, kind, name, version, reason: why }) => ({
      ...{ at, by, action: 'apply' as const, what: `${kind} ${name}@${version}`, why },
    })),
    ...imports.map(({ imported_at: at, source, account, currency, billing_start, row_count, billed }) => ({
      ...{ at, by: '', action: 'import' as const, why: '' },
      what: `${source} ${account} ${month(billing_start)}: ${row_count} rows, ${billed} ${currency}`,
    })),
    ...closings.map(({ closed_at: at, closed_by: by, source, account, currency, billing_start }) => ({
      ...{
        at,
        by,
        action: 'close' as const,
        what: `${source} ${account} ${month(billing_start)} ${currency}`,
        why: '',
      },
    })),
  ];
  return entries.sort((a, b) => (a.at > b.at ? -1 : a.at < b.at ? 1 : a.what < b.what ? -1 : 1)).slice(0, limit);
}
