import { allocate } from '../cost/index.ts';
import type { TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { billOfRow, billOfSlice } from './bill-key.ts';
import { fingerprintOf, sliceId } from './fingerprint.ts';
import { inTurn } from './in-turn.ts';
import { PostingWriter } from './posting-writer.ts';
import { closedPeriods, lastVersions, postedSlices } from './queries.ts';

export interface PostingSummary {
  readonly slices: number;
  readonly posted: number;
  readonly reversed: number;
  readonly unchanged: number;
  readonly closed: number;
  readonly rows: number;
}

/**
 * Shares out everything that starts in a range and posts what is new.
 *
 * Takes  range: slices whose charge period starts in it; what was posted outside of it stays as it is. now: when it is posted.
 * Gives  how many slices were posted, reversed, left as they were, or closed.
 * Holds  every block that is written adds up to zero; posting twice, also at once, posts nothing the second time;
 *        what can no longer be shared out is reversed; closed periods never change.
 */
export function postAllocation(store: Store, range: TimeRange, now: Date): Promise<PostingSummary> {
  return inTurn(store, () => post(store, range, now));
}

async function post(store: Store, range: TimeRange, now: Date): Promise<PostingSummary> {
  const writer = new PostingWriter(store, now.getTime());
  try {
    return await postWith(writer, store, range);
  } finally {
    // Whose turn is next must not find a ledger that still changes.
    await writer.rest();
  }
}

async function postWith(writer: PostingWriter, store: Store, range: TimeRange): Promise<PostingSummary> {
  const standing = await postedSlices(store.columns, range);
  const versions = await lastVersions(store.columns, range);
  const closed = new Set((await closedPeriods(store.documents)).map(billOfRow));
  let [slices, unchanged, skipped] = [0, 0, 0];
  for await (const { slice, shares } of allocate(store, range)) {
    slices += 1;
    const id = sliceId(slice).toString('hex').toUpperCase();
    const posted = standing.get(id);
    standing.delete(id);
    const fingerprint = fingerprintOf(slice, shares);
    if (closed.has(billOfSlice(slice))) skipped += 1;
    else if (posted?.fingerprint === fingerprint.toString('hex').toUpperCase()) unchanged += 1;
    else await writer.rebook(posted, { slice, shares, fingerprint, version: (versions.get(id) ?? 0) + 1 });
  }
  // What is still standing is no longer there to be shared out: its bill or its pool has gone.
  for (const posted of standing.values()) {
    if (!closed.has(billOfSlice(posted.slice))) await writer.rebook(posted, undefined);
  }
  await writer.flush();
  return { slices, unchanged, closed: skipped, posted: writer.posted, reversed: writer.reversed, rows: writer.rows };
}
