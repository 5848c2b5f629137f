import { emptyShares, type SliceShares } from '../cost/index.ts';
import { fail } from '../model/index.ts';
import { type ColumnStore, RowReader, type Texts } from '../store/index.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { PostedSlice } from './queries.ts';

/** How many postings one query asks for, and how many rows it may bring. */
const POSTINGS_PER_QUERY = 256;
const ROWS_PER_QUERY = 500_000;

export interface PostedShares {
  readonly posted: PostedSlice;
  readonly shares: SliceShares;
}

/**
 * Reads the shares of postings, many at once: one query for each would take as long as its rows do.
 *
 * Takes  texts: gets those that it does not have yet.
 * Gives  one entry per posting, in no order of theirs; shares in the order in which they were posted.
 * Fails  LEDGER_DAMAGED when they are not what was posted.
 */
export async function* readPostedShares(
  columns: ColumnStore,
  postings: readonly PostedSlice[],
  texts: Texts,
): AsyncGenerator<PostedShares> {
  const inOrder = [...postings].sort((a, b) => a.slice.chargeStartMs - b.slice.chargeStartMs || compare(a.id, b.id));
  for (let from = 0; from < inOrder.length; from += POSTINGS_PER_QUERY) {
    const some = inOrder.slice(from, from + POSTINGS_PER_QUERY);
    const counts = await rowCounts(columns, some);
    for (const few of bounded(some, counts)) yield* readSome(columns, few, counts, texts);
  }
}

async function rowCounts(columns: ColumnStore, postings: readonly PostedSlice[]): Promise<Map<string, number>> {
  const rows = await columns.query<{ id: string; n: string }>(
    `SELECT hex(slice) AS id, count() AS n FROM postings WHERE ${sharesOf(postings)} GROUP BY slice`,
  );
  return new Map(rows.map(({ id, n }) => [id, Number(n)]));
}

function* bounded(postings: readonly PostedSlice[], counts: ReadonlyMap<string, number>) {
  let few: PostedSlice[] = [];
  let rows = 0;
  for (const posted of postings) {
    const own = counts.get(posted.id) ?? 0;
    if (few.length > 0 && rows + own > ROWS_PER_QUERY) {
      yield few;
      [few, rows] = [[], 0];
    }
    few.push(posted);
    rows += own;
  }
  if (few.length > 0) yield few;
}

async function* readSome(
  columns: ColumnStore,
  postings: readonly PostedSlice[],
  counts: ReadonlyMap<string, number>,
  texts: Texts,
): AsyncGenerator<PostedShares> {
  const bytes = await columns.queryBytes(
    `SELECT service, tenant, endpoint, toInt8(ledger), toInt128(weight), amount FROM postings WHERE ${sharesOf(postings)}
     ORDER BY slice, service, ledger = 'unattributed', tenant, endpoint`,
  );
  const reader = new RowReader(bytes);
  for (const posted of [...postings].sort((a, b) => compare(a.id, b.id))) {
    const shares = readShares(reader, counts.get(posted.id) ?? 0, texts);
    const fingerprint = fingerprintOf(posted.slice, shares).toString('hex').toUpperCase();
    if (!fingerprint.startsWith(posted.fingerprint))
      throw fail('LEDGER_DAMAGED', { slice: posted.id, version: posted.version });
    yield { posted, shares };
  }
}

function readShares(reader: RowReader, count: number, texts: Texts): SliceShares {
  const shares = emptyShares(texts, count);
  for (let place = 0; place < count; place++) {
    shares.services[place] = reader.text(texts);
    shares.tenants[place] = reader.text(texts);
    shares.endpoints[place] = reader.text(texts);
    shares.accounts[place] = reader.u8();
    reader.words128(shares.weights.words, place);
    reader.words128(shares.amounts.words, place);
  }
  return shares;
}

/** Ids are hexadecimal digits of our own making. */
function sharesOf(postings: readonly PostedSlice[]): string {
  const times = postings.map(({ slice }) => slice.chargeStartMs / 1000);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const ids = postings.map(({ id, version }) => `(toFixedString(unhex('${id}'), 16), toUInt32(${version}))`);
  return `(slice, version) IN (${ids.join(', ')}) AND entry = 'posting' AND ledger != 'bill'
    AND charge_start >= toDateTime(${first}, 'UTC') AND charge_start <= toDateTime(${last}, 'UTC')`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
