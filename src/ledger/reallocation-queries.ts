import { MILLIS_PER_HOUR, type TimeRange } from '../model/index.ts';
import type { ColumnStore, Store } from '../store/index.ts';

/** Up to where each kind of input was looked at. */
export interface SeenMarks {
  /** Of work and samples: up to which batch nothing waits to be stored any more. They are not stored in the order of their numbers. */
  readonly batch: number;
  /** Counts what was imported and what was replaced. */
  readonly imports: number;
  readonly documents: number;
}

/** Takes  batch: up to which nothing waits to be stored any more. */
export async function newestMarks({ documents }: Store, batch: number): Promise<SeenMarks> {
  const bills = await documents.selectFrom('bill_import').select(['id', 'replaced_at']).execute();
  const model = await documents
    .selectFrom('document')
    .select('id')
    .where('kind', 'in', ['CostModel', 'Meter'])
    .orderBy('id', 'desc')
    .executeTakeFirst();
  const replaced = bills.filter(({ replaced_at }) => replaced_at !== null).length;
  return {
    batch,
    imports: bills.length + replaced,
    documents: Number(model?.id ?? 0),
  };
}

/** Gives the hours of work and samples that were stored in batches after one. A sample may hold into the hour after it. */
export async function changedHours(columns: ColumnStore, batch: number): Promise<TimeRange[]> {
  const rows = await columns.query<{ hour: number; is_sample: number }>(
    `SELECT DISTINCT toUnixTimestamp(toStartOfHour(start_at)) AS hour, 0 AS is_sample FROM work WHERE batch > {batch:UInt64}
     UNION ALL
     SELECT DISTINCT toUnixTimestamp(toStartOfHour(at)) AS hour, 1 AS is_sample FROM samples WHERE batch > {batch:UInt64}`,
    { batch },
  );
  return rows.map(({ hour, is_sample }) => {
    const fromMs = Number(hour) * 1000;
    return { fromMs, toMs: fromMs + (is_sample ? 2 : 1) * MILLIS_PER_HOUR };
  });
}
