import { allocate, type Slice, type SliceShares } from '../cost/index.ts';
import type { TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { correctionShares } from './corrections.ts';
import { fingerprintOf, sliceId } from './fingerprint.ts';
import { inTurn } from './in-turn.ts';
import type { LedgerSlice } from './ledger-slice.ts';
import { countMeasured } from './measured-hours.ts';
import { PostingWriter } from './posting-writer.ts';
import { lastVersions, type PostedSlice, postedSlices } from './queries.ts';
import { type Wanted, wantedSlices } from './wanted.ts';

export interface PostingSummary {
  readonly slices: number;
  readonly posted: number;
  readonly reversed: number;
  readonly unchanged: number;
  /** Slices of closed bills, which stand for ever. */
  readonly closed: number;
  /** Of the slices: those that correct a closed period. */
  readonly corrections: number;
  readonly rows: number;
}

/**
 * Shares out everything that starts in a range and posts what is new.
 *
 * Takes  range: slices whose charge period starts in it; what was posted outside of it stays as it is. now: when it is posted.
 *        isWanted: only these slices, the others stay as they are; without it all.
 * Gives  how many slices were posted, reversed, left as they were, or closed.
 * Holds  every block that is written adds up to zero; posting twice, also at once, posts nothing the second time;
 *        what can no longer be shared out is reversed; closed periods never change, what changes them is posted in an open one.
 */
export function postAllocation(
  store: Store,
  range: TimeRange,
  now: Date,
  isWanted: (slice: Slice) => boolean = () => true,
): Promise<PostingSummary> {
  return inTurn(store, () => post(store, range, now, isWanted));
}

async function post(
  store: Store,
  range: TimeRange,
  now: Date,
  isWanted: (slice: Slice) => boolean,
): Promise<PostingSummary> {
  const writer = new PostingWriter(store, now.getTime());
  try {
    return await postWith(writer, store, range, now, isWanted);
  } finally {
    // Whose turn is next must not find a ledger that still changes.
    await writer.rest();
  }
}

async function postWith(
  writer: PostingWriter,
  store: Store,
  range: TimeRange,
  now: Date,
  isWanted: (slice: Slice) => boolean,
): Promise<PostingSummary> {
  const wanted = await wantedSlices(store, { range, isWanted });
  const standing = await postedSlices(store.columns, range);
  const versions = await lastVersions(store.columns, range);
  const closed = [...standing.values()].filter(({ slice }) => wanted.closings.hasSlice(slice));
  for (const { id, slice } of [...standing.values()])
    if (wanted.closings.hasSlice(slice) || !isWanted(slice)) standing.delete(id);
  let unchanged = 0;
  for await (const { slice, shares } of sharedOut(store, wanted, closed)) {
    const id = sliceId(slice).toString('hex').toUpperCase();
    const posted = standing.get(id);
    standing.delete(id);
    const fingerprint = fingerprintOf(slice, shares);
    if (posted && fingerprint.toString('hex').toUpperCase().startsWith(posted.fingerprint)) unchanged += 1;
    else await writer.rebook(posted, { slice, shares, fingerprint, version: (versions.get(id) ?? 0) + 1 });
  }
  // What is still standing is no longer there to be shared out: its bill or its pool has gone.
  for (const posted of standing.values()) await writer.rebook(posted, undefined);
  await writer.flush();
  await countMeasured(store.columns, range, now);
  const { posted, reversed, rows } = writer;
  const corrections = wanted.corrections.length;
  const slices = wanted.open.length + corrections + closed.length;
  return { slices, posted, reversed, unchanged, closed: closed.length, corrections, rows };
}

async function* sharedOut(
  store: Store,
  { open, corrections, closings }: Wanted,
  closed: readonly PostedSlice[],
): AsyncGenerator<{ slice: LedgerSlice; shares: SliceShares }> {
  yield* allocate(store, open);
  if (corrections.length > 0) yield* correctionShares(store, corrections, closed, closings);
}
