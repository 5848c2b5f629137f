import { MILLIS_PER_HOUR, type TimeRange } from '../model/index.ts';
import type { ColumnStore, Store } from '../store/index.ts';

/** The newest of each kind of input. */
export interface SeenMarks {
  readonly batch: number;
  readonly samples: number;
  /** Counts what was imported and what was replaced. */
  readonly imports: number;
  readonly documents: number;
}

export async function newestMarks({ columns, documents }: Store): Promise<SeenMarks> {
  const [work] = await columns.query<{ newest: string }>('SELECT max(batch) AS newest FROM work');
  const [samples] = await columns.query<{ newest: string }>('SELECT max(batch) AS newest FROM samples');
  const bills = await documents.selectFrom('bill_import').select(['id', 'replaced_at']).execute();
  const model = await documents
    .selectFrom('document')
    .select('id')
    .where('kind', 'in', ['CostModel', 'Meter'])
    .orderBy('id', 'desc')
    .executeTakeFirst();
  const replaced = bills.filter(({ replaced_at }) => replaced_at !== null).length;
  return {
    batch: Number(work?.newest ?? 0),
    samples: Number(samples?.newest ?? 0),
    imports: bills.length + replaced,
    documents: Number(model?.id ?? 0),
  };
}

/** Gives the hours whose work or samples changed after some marks and until others. A sample may hold into the hour after it. */
export async function changedHours(columns: ColumnStore, after: SeenMarks, until: SeenMarks): Promise<TimeRange[]> {
  if (after.batch === until.batch && after.samples === until.samples) return [];
  const rows = await columns.query<{ hour: number; is_sample: number }>(
    `SELECT DISTINCT toUnixTimestamp(toStartOfHour(start_at)) AS hour, 0 AS is_sample FROM work
       WHERE batch > {work:UInt64} AND batch <= {work_until:UInt64}
     UNION ALL
     SELECT DISTINCT toUnixTimestamp(toStartOfHour(at)) AS hour, 1 AS is_sample FROM samples
       WHERE batch > {samples:UInt64} AND batch <= {samples_until:UInt64}`,
    { work: after.batch, work_until: until.batch, samples: after.samples, samples_until: until.samples },
  );
  return rows.map(({ hour, is_sample }) => {
    const fromMs = Number(hour) * 1000;
    return { fromMs, toMs: fromMs + (is_sample ? 2 : 1) * MILLIS_PER_HOUR };
  });
}
