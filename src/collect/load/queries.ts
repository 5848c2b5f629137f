import type { ColumnStore, QueryParams } from '../../store/index.ts';
import { bodyColumns } from '../calls/stored-rows.ts';
import type { TraceId } from '../calls/trace-index.ts';
import { minuteGroups, minuteSums } from './minute-columns.ts';

const TRACES_PER_QUERY = 4_000;

function hexList(traces: readonly TraceId[]): string {
  return traces.map(({ words }) => `unhex('${hexOf(words)}')`).join(',');
}

export function hexOf(words: Uint32Array): string {
  return Buffer.from(words.buffer, words.byteOffset, 16).toString('hex');
}

/** Gives sign and body of every stored version of the traces' rows. Takes  sinceDay: of receipt; what is older was let go. */
export async function readTraceRows(
  columns: ColumnStore,
  traceIds: readonly TraceId[],
  sinceDay: number,
): Promise<Buffer[]> {
  const answers: Buffer[] = [];
  for (let from = 0; from < traceIds.length; from += TRACES_PER_QUERY) {
    const list = hexList(traceIds.slice(from, from + TRACES_PER_QUERY));
    answers.push(
      await columns.queryBytes(
        `SELECT sign, ${bodyColumns.join(', ')} FROM work WHERE received >= toDate({sinceDay:UInt16}) AND trace_id IN (${list})`,
        { sinceDay },
      ),
    );
  }
  return answers;
}

/** The same for one of `buckets` equal parts of all traces. */
export function readBucketRows(
  columns: ColumnStore,
  bucket: number,
  buckets: number,
  sinceDay: number,
): Promise<Buffer> {
  return columns.queryBytes(
    `SELECT sign, ${bodyColumns.join(', ')} FROM work WHERE cityHash64(trace_id) % {buckets:UInt64} = {bucket:UInt64} AND origin = 0 AND received >= toDate({sinceDay:UInt16})`,
    { bucket, buckets, sinceDay },
  );
}

export async function countWorkRows(columns: ColumnStore): Promise<number> {
  const [row] = await columns.query<{ rows: string }>('SELECT count() AS rows FROM work');
  return Number(row!.rows);
}

/** Gives the trace ids of one part of the batches after one, 16 bytes each. Takes  sinceDay: of receipt, in days since 1970. */
export function readTraceIds(
  columns: ColumnStore,
  after: { readonly batch: number; readonly sinceDay: number },
  bucket: number,
  buckets: number,
): Promise<Buffer> {
  return columns.queryBytes(
    `SELECT DISTINCT trace_id FROM work
     WHERE batch > {batch:UInt64} AND received >= toDate({sinceDay:UInt16}) AND cityHash64(trace_id) % {buckets:UInt64} = {bucket:UInt64}`,
    { ...after, bucket, buckets },
  );
}

/** A trace whose work hangs on another one, or which names a request: that is the target. */
export interface Dependent extends TraceId {
  readonly target: string;
}

/** Gives the traces whose work hangs on one of these. */
export function readDependents(columns: ColumnStore, targets: readonly TraceId[]): Promise<Dependent[]> {
  return readSources(columns, targets, '', {});
}

/** Gives the traces that name one of these requests, of each at most so many. Takes  batch: whose own do not count. */
export function readNaming(
  columns: ColumnStore,
  requests: readonly TraceId[],
  batch: number,
  most: number,
): Promise<Dependent[]> {
  return readSources(columns, requests, `AND batch != {batch:UInt64} LIMIT ${most} BY target`, { batch });
}

async function readSources(
  columns: ColumnStore,
  targets: readonly TraceId[],
  condition: string,
  params: QueryParams,
): Promise<Dependent[]> {
  const namespaces = new Map(targets.map(({ words, namespace }) => [hexOf(words), namespace]));
  const sources: Dependent[] = [];
  for (let from = 0; from < targets.length; from += TRACES_PER_QUERY) {
    const list = hexList(targets.slice(from, from + TRACES_PER_QUERY));
    const bytes = await columns.queryBytes(
      `SELECT DISTINCT target, source FROM links WHERE target IN (${list}) ${condition}`,
      params,
    );
    for (let at = 0; at < bytes.length; at += 32) {
      const words = Uint32Array.from({ length: 4 }, (_, word) => bytes.readUInt32LE(at + 16 + word * 4));
      const target = bytes.toString('hex', at, at + 16);
      sources.push({ words, target, namespace: namespaces.get(target) ?? 0 });
    }
  }
  return sources;
}

/** Gives the ids of all traces that a link of a batch after one leads to, 16 bytes each. */
export function readLinkTargets(columns: ColumnStore, batch: number): Promise<Buffer> {
  return columns.queryBytes('SELECT DISTINCT target FROM links WHERE batch > {batch:UInt64}', { batch });
}

/** Names the tables: no other store's are called so. */
export async function storeName(columns: ColumnStore): Promise<string> {
  const [row] = await columns.query<{ uuid: string }>(
    "SELECT toString(uuid) AS uuid FROM system.tables WHERE database = currentDatabase() AND name = 'work'",
  );
  return row!.uuid;
}

export async function hasBatch(columns: ColumnStore, batch: number): Promise<boolean> {
  return (await columns.query('SELECT 1 FROM work WHERE batch = {batch:UInt64} LIMIT 1', { batch })).length > 0;
}

/** Batches whose work is stored but whose calls were not counted yet: a crash came between the two. */
export async function uncountedBatches(columns: ColumnStore): Promise<number[]> {
  const rows = await columns.query<{ batch: string }>(
    `SELECT DISTINCT batch FROM work
     WHERE batch NOT IN (SELECT marker FROM usage_minute WHERE marker > 0) ORDER BY batch`,
  );
  return rows.map((row) => Number(row.batch));
}

/** The endpoints that each tenant has been counted at. */
export async function readEndpoints(columns: ColumnStore): Promise<Map<string, Set<string>>> {
  const rows = await columns.query<{ tenant: string; endpoints: string[] }>(
    'SELECT tenant, groupUniqArray(100000)(endpoint) AS endpoints FROM usage_minute WHERE marker = 0 GROUP BY tenant',
  );
  return new Map(rows.map(({ tenant, endpoints }) => [tenant, new Set(endpoints)]));
}

/** The largest number that a batch has had. */
export async function largestBatch(columns: ColumnStore): Promise<number> {
  const [row] = await columns.query<{ largest: string }>(
    `SELECT greatest((SELECT max(batch) FROM work), (SELECT max(marker) FROM usage_minute),
      (SELECT max(batch) FROM links), (SELECT max(batch) FROM samples), (SELECT max(batch) FROM events), (SELECT max(batch) FROM retention)) AS largest`,
  );
  return Number(row!.largest);
}

/** Counts the calls of one stored batch: of each group its texts, its minute in seconds, and its sums. */
export function readMinutes(columns: ColumnStore, batch: number): Promise<Buffer> {
  const groups = minuteGroups.map(({ column, sql }) => `${sql} AS by_${column}`);
  const sums = minuteSums.map(({ column, sql }) => `${sql} AS sum_${column}`);
  return columns.queryBytes(
    `SELECT ${groups.join(', ')}, toInt128(toUnixTimestamp(toStartOfMinute(toDateTime(start_at, 'UTC')))) AS in_minute, ${sums.join(', ')}
      FROM work WHERE batch = {batch:UInt64} AND is_call = 1
      GROUP BY in_minute, ${minuteGroups.map(({ column }) => `by_${column}`).join(', ')}`,
    { batch },
  );
}
