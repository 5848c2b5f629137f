import { assert, type BillingMonth, grouped, monthOf } from '../model/index.ts';
import { type Store, Texts } from '../store/index.ts';
import { chainTip, nextLink } from './chain.ts';
import { fingerprintOf } from './fingerprint.ts';
import { bookMonth } from './ledger-slice.ts';
import { readPostedShares } from './posted-shares.ts';
import { blockToken, type Posting, postingBlock, rowsOf } from './posting-block.ts';
import type { PostedSlice } from './queries.ts';

/** A block takes this many rows, or postings where these are small; a slice is never cut in two. */
const ROWS_PER_BLOCK = 1_000_000;
const POSTINGS_PER_BLOCK = 50_000;
/** So many changes wait until the shares that they take back are read at once; fewer where what they book is large. */
const CHANGES_AT_ONCE = 256;
const WAITING_ROWS = 500_000;

/** What is to stand for a slice from now on. */
export type Booking = Omit<Posting, 'entry'>;

/** What stands for a slice, and what is to stand instead; either may be nothing. */
interface Change {
  readonly standing: PostedSlice | undefined;
  readonly booking: Booking | undefined;
}

/** Postings of one month's books that wait for their block; their shares have the same texts. */
interface Waiting {
  readonly month: BillingMonth;
  readonly texts: Texts;
  readonly postings: Posting[];
  rows: number;
}

/**
 * Collects postings by month and writes them in blocks, each of which carries the hash of the one before. While the engine takes a
 * block, the slices after it are shared out, so that both have something to do.
 *
 * Holds  a slice's reversal and what takes its place are in one block; a crash between blocks leaves whole slices, each balanced;
 *        no block is written before the one that it follows has arrived.
 */
export class PostingWriter {
  posted = 0;
  reversed = 0;
  rows = 0;
  readonly #store: Store;
  readonly #nowMs: number;
  readonly #waiting = new Map<string, Waiting>();
  #changes: Change[] = [];
  #changeRows = 0;
  #inserting: Promise<void> = Promise.resolve();

  constructor(store: Store, nowMs: number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** Takes back what stands for a slice, and books what is to stand instead; either may be nothing. */
  async rebook(standing: PostedSlice | undefined, booking: Booking | undefined): Promise<void> {
    if (standing === undefined) {
      if (booking !== undefined) await this.#post([{ ...booking, entry: 1 }]);
      return;
    }
    this.#changes.push({ standing, booking });
    this.#changeRows += booking?.shares.accounts.length ?? 0;
    if (this.#changes.length >= CHANGES_AT_ONCE || this.#changeRows >= WAITING_ROWS) await this.#postChanges();
  }

  /** Writes what still waits. Fails  when any block could not be written. */
  async flush(): Promise<void> {
    await this.#postChanges();
    for (const key of [...this.#waiting.keys()]) await this.#insert(key);
    await this.#inserting;
  }

  /** Waits until nothing is on its way any more, whether it arrived or not. */
  async rest(): Promise<void> {
    await Promise.allSettled([this.#inserting]);
  }

  /** Reads the shares of what is taken back by the texts of what takes its place, because a block has the texts of one source only. */
  async #postChanges(): Promise<void> {
    const changes = this.#changes;
    [this.#changes, this.#changeRows] = [[], 0];
    const own = new Texts();
    const byTexts = grouped(changes, ({ booking }) => booking?.shares.texts ?? own);
    for (const [texts, some] of byTexts) {
      const bookings = new Map(some.map(({ standing, booking }) => [standing!.id, booking]));
      const standing = some.map((change) => change.standing!);
      for await (const { posted, shares } of readPostedShares(this.#store.columns, standing, texts)) {
        const { slice, version } = posted;
        const booking = bookings.get(posted.id);
        const reversal = { slice, shares, version, fingerprint: fingerprintOf(slice, shares), entry: -1 } as const;
        await this.#post(booking ? [reversal, { ...booking, entry: 1 }] : [reversal]);
      }
    }
  }

  /** Adds postings of one slice to the same block. */
  async #post(postings: readonly Posting[]): Promise<void> {
    const { slice, shares } = postings[0]!;
    // A block is one part of the table, which is cut by the month in which billing periods begin.
    const key = `${bookMonth(slice).month} ${monthOf(slice.billingStartMs).month}`;
    const known = this.#waiting.get(key);
    if (known && known.texts !== shares.texts) await this.#insert(key);
    const waiting = this.#waiting.get(key) ?? { month: bookMonth(slice), texts: shares.texts, postings: [], rows: 0 };
    this.#waiting.set(key, waiting);
    for (const posting of postings) {
      assert(posting.shares.texts === waiting.texts, 'the postings of a block have the same texts');
      waiting.postings.push(posting);
      waiting.rows += rowsOf(posting);
      this.rows += rowsOf(posting);
      if (posting.entry === 1) this.posted += 1;
      else this.reversed += 1;
    }
    const isFull = waiting.rows >= ROWS_PER_BLOCK || waiting.postings.length >= POSTINGS_PER_BLOCK;
    if (isFull) await this.#insert(key);
  }

  async #insert(key: string): Promise<void> {
    const { month, postings } = this.#waiting.get(key)!;
    this.#waiting.delete(key);
    await this.#inserting;
    // Asked of the table: a server that had this block from an earlier attempt keeps that one, with its hash.
    const link = nextLink(await chainTip(this.#store.columns, month), month, postings, this.#nowMs);
    const block = postingBlock(postings, this.#nowMs, link);
    this.#inserting = this.#store.columns.insertBlock('postings', block, blockToken(postings));
    // Whoever waits for it hears of its failure; until then nobody does.
    this.#inserting.catch(() => undefined);
  }
}
