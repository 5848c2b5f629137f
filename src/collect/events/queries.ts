import type { ColumnStore } from '../../store/index.ts';

/** Each query reads the hashes of all days that count, so few large ones are better than many small ones. */
const HASHES_PER_QUERY = 50_000;

export async function hasEventBatch(columns: ColumnStore, batch: number): Promise<boolean> {
  return (await columns.query('SELECT 1 FROM events WHERE batch = {batch:UInt64} LIMIT 1', { batch })).length > 0;
}

/** How many events were received from a day on. Takes  sinceDay: days since 1970. */
export async function countEvents(columns: ColumnStore, sinceDay: number): Promise<number> {
  const [row] = await columns.query<{ rows: string }>(
    'SELECT count() AS rows FROM events WHERE received >= toDate({sinceDay:UInt16})',
    { sinceDay },
  );
  return Number(row!.rows);
}

/** Gives the hashes of one part of the events of batches after one that were received from a day on, 16 bytes each. */
export function readEventHashes(
  columns: ColumnStore,
  after: { readonly batch: number; readonly sinceDay: number },
  bucket: number,
  buckets: number,
): Promise<Buffer> {
  return columns.queryBytes(
    `SELECT hash FROM events
     WHERE batch > {batch:UInt64} AND received >= toDate({sinceDay:UInt16}) AND cityHash64(hash) % {buckets:UInt64} = {bucket:UInt64}`,
    { ...after, bucket, buckets },
  );
}

/** Gives those of these hashes that were received from a day on. Takes, gives  hashes in hex. */
export async function storedHashes(
  columns: ColumnStore,
  sinceDay: number,
  hashes: readonly string[],
): Promise<Set<string>> {
  const stored = new Set<string>();
  for (let from = 0; from < hashes.length; from += HASHES_PER_QUERY) {
    // One long text: the engine takes very much longer to read as many small ones.
    const part = hashes.slice(from, from + HASHES_PER_QUERY).join('');
    const bytes = await columns.queryBytes(
      `SELECT DISTINCT hash FROM events
       WHERE received >= toDate({sinceDay:UInt16})
         AND hash IN (SELECT toFixedString(unhex(arrayJoin(extractAll('${part}', '.{32}'))), 16))`,
      { sinceDay },
    );
    for (let at = 0; at < bytes.length; at += 16) stored.add(bytes.toString('hex', at, at + 16));
  }
  return stored;
}
