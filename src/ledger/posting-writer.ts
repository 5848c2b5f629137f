import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Share, type Slice, storedAmount } from '../cost/index.ts';
import { monthOf } from '../model/index.ts';
import { RowWriter, type Store } from '../store/index.ts';
import { type Posting, postingShape, writePosting } from './posting-rows.ts';
import { type PostedSlice, postedShares } from './queries.ts';

/** How many rows one block takes; a slice is never cut in two. */
const ROWS_PER_BLOCK = 1_000_000;

/** What is to stand for a slice from now on. */
export interface Booking {
  readonly slice: Slice;
  readonly shares: readonly Share[];
  readonly fingerprint: Buffer;
  readonly version: number;
}

/**
 * Collects postings by billing month and writes them in blocks.
 *
 * Holds  a slice's reversal and what takes its place are in one block; a crash between blocks leaves whole slices, each balanced.
 */
export class PostingWriter {
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

  /** Takes back what stands for a slice, and books what is to stand instead; either may be nothing. */
  async rebook(standing: PostedSlice | undefined, booking: Booking | undefined): Promise<void> {
    const shares = standing ? await this.#sharesOf(standing) : [];
    const slice = booking?.slice ?? standing?.slice;
    if (slice === undefined) return;
    const month = this.#month(slice);
    const write = (part: Booking, entry: Posting['entry']) => {
      const posting = { batch: this.#nowMs, postedAtMs: this.#nowMs, version: part.version, entry };
      const rows = writePosting(month.writer, part.slice, part.shares, part.fingerprint, posting);
      month.rows += rows;
      this.rows += rows;
    };
    if (standing) write({ ...standing, shares, fingerprint: Buffer.from(standing.fingerprint, 'hex') }, -1);
    if (booking) write(booking, 1);
    this.reversed += standing ? 1 : 0;
    this.posted += booking ? 1 : 0;
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

  async #sharesOf(standing: PostedSlice): Promise<Share[]> {
    const rows = await postedShares(this.#store.columns, standing);
    return rows.map((row) => ({ ...row, weight: BigInt(row.weight), amountAtto: storedAmount(row.amount) }));
  }

  #month(slice: Slice) {
    const name = monthOf(slice.billingStartMs).month;
    const month = this.#months.get(name) ?? { writer: new RowWriter(1 << 16), rows: 0 };
    this.#months.set(name, month);
    return month;
  }
}
