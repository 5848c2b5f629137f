import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allocate, type Share, type Slice } from '../cost/index.ts';
import { monthOf, parseMoney, type TimeRange } from '../model/index.ts';
import { RowWriter, type Store } from '../store/index.ts';
import { fingerprintOf, type Posting, postingShape, sliceId, writePosting } from './posting-rows.ts';
import { closedPeriods, lastVersions, type PostedSlice, postedShares, postedSlices } from './queries.ts';

/** How many rows one block takes; a slice is never cut in two. */
const ROWS_PER_BLOCK = 1_000_000;

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
 * Takes  range: slices whose charge period starts in it. now: when it is posted.
 * Gives  how many slices were posted, reversed, left as they were, or closed.
 * Holds  every block that is written adds up to zero; posting twice posts nothing the second time; closed periods never change.
 */
export async function postAllocation(store: Store, range: TimeRange, now: Date): Promise<PostingSummary> {
  const standing = await postedSlices(store.columns, range);
  const versions = await lastVersions(store.columns, range);
  const closed = new Set((await closedPeriods(store.documents)).map(periodKey));
  const writer = new PostingWriter(store, now.getTime());
  let [slices, unchanged, skipped] = [0, 0, 0];
  for await (const { slice, shares } of allocate(store, range)) {
    slices += 1;
    const id = sliceId(slice).toString('hex').toUpperCase();
    const posted = standing.get(id);
    standing.delete(id);
    if (closed.has(billKey(slice))) {
      skipped += 1;
      continue;
    }
    const fingerprint = fingerprintOf(slice, shares);
    if (posted && posted.fingerprint === fingerprint.toString('hex').toUpperCase()) {
      unchanged += 1;
      continue;
    }
    if (posted) await writer.reverse(posted);
    await writer.post(slice, shares, fingerprint, (versions.get(id) ?? 0) + 1);
  }
  // What is still standing is no longer there to be shared out: its bill or its pool has gone.
  for (const posted of standing.values()) if (!closed.has(billKey(posted.slice))) await writer.reverse(posted);
  await writer.flush();
  return { slices, unchanged, closed: skipped, posted: writer.posted, reversed: writer.reversed, rows: writer.rows };
}

function billKey(slice: Slice): string {
  return JSON.stringify([slice.source, slice.account, slice.currency, slice.billingStartMs]);
}

function periodKey(period: { source: string; account: string; currency: string; billing_start: number }): string {
  return JSON.stringify([period.source, period.account, period.currency, Number(period.billing_start)]);
}

/** Collects postings by billing month and writes them in blocks: a reversal and what follows it are always in one. */
class PostingWriter {
  posted = 0;
  reversed = 0;
  rows = 0;
  readonly #store: Store;
  readonly #nowMs: number;
  readonly #months = new Map<string, { readonly writer: RowWriter; rows: number }>();

  constructor(store: Store, nowMs: number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  async reverse(posted: PostedSlice): Promise<void> {
    const shares = (await postedShares(this.#store.columns, posted)).map((row) => ({
      ...row,
      weight: BigInt(row.weight),
      amountAtto: parseMoney(row.amount).amountAtto,
    }));
    const fingerprint = Buffer.from(posted.fingerprint, 'hex');
    this.reversed += 1;
    // Not flushed here: the new posting must follow in the same block.
    this.#write(posted.slice, shares, fingerprint, posted.version, -1);
  }

  async post(slice: Slice, shares: readonly Share[], fingerprint: Buffer, version: number): Promise<void> {
    this.posted += 1;
    const month = this.#write(slice, shares, fingerprint, version, 1);
    if (month.rows >= ROWS_PER_BLOCK) await this.flush();
  }

  async flush(): Promise<void> {
    await mkdir(this.#store.scratch, { recursive: true });
    for (const [month, { writer }] of this.#months) {
      const path = join(this.#store.scratch, `postings-${month}-${this.rows}.rowbinary`);
      try {
        await writeFile(path, writer.bytes());
        await this.#store.columns.insertFile('postings', postingShape, path);
      } finally {
        await rm(path, { force: true });
      }
    }
    this.#months.clear();
  }

  #write(slice: Slice, shares: readonly Share[], fingerprint: Buffer, version: number, entry: 1 | -1) {
    const month = this.#month(slice);
    const posting: Posting = { batch: this.#nowMs, postedAtMs: this.#nowMs, version, entry };
    const rows = writePosting(month.writer, slice, shares, fingerprint, posting);
    month.rows += rows;
    this.rows += rows;
    return month;
  }

  #month(slice: Slice) {
    const name = monthOf(slice.billingStartMs).month;
    const known = this.#months.get(name);
    if (known) return known;
    const month = { writer: new RowWriter(1 << 16), rows: 0 };
    this.#months.set(name, month);
    return month;
  }
}
