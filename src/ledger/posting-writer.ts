import { monthOf } from '../model/index.ts';
import { type Store, Texts } from '../store/index.ts';
import { blockToken, type Posting, postingBlock, rowsOf } from './posting-block.ts';
import { type PostedSlice, postedShares } from './queries.ts';

/** A block takes this many rows, or postings where these are small; a slice is never cut in two. */
const ROWS_PER_BLOCK = 1_000_000;
const POSTINGS_PER_BLOCK = 50_000;

/** What is to stand for a slice from now on. */
export type Booking = Omit<Posting, 'entry'>;

/** Postings of one billing month that wait for their block; their shares have the same texts. */
interface Waiting {
  readonly texts: Texts;
  readonly postings: Posting[];
  rows: number;
}

/**
 * Collects postings by billing month and writes them in blocks. While the engine takes a block, the next is made ready and
 * the slices after it are shared out, so that both have something to do; there are never more than these two.
 *
 * Holds  a slice's reversal and what takes its place are in one block; a crash between blocks leaves whole slices, each balanced.
 */
export class PostingWriter {
  posted = 0;
  reversed = 0;
  rows = 0;
  readonly #store: Store;
  readonly #nowMs: number;
  readonly #months = new Map<string, Waiting>();
  #inserting: Promise<void> = Promise.resolve();

  constructor(store: Store, nowMs: number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** Takes back what stands for a slice, and books what is to stand instead; either may be nothing. */
  async rebook(standing: PostedSlice | undefined, booking: Booking | undefined): Promise<void> {
    const slice = booking?.slice ?? standing?.slice;
    if (slice === undefined) return;
    const month = monthOf(slice.billingStartMs).month;
    const waiting = await this.#waitingFor(month, booking?.shares.texts);
    if (standing) {
      const shares = await postedShares(this.#store.columns, standing, waiting.texts);
      const fingerprint = Buffer.from(standing.fingerprint, 'hex');
      this.#add(waiting, { slice: standing.slice, shares, fingerprint, version: standing.version, entry: -1 });
      this.reversed += 1;
    }
    if (booking) {
      this.#add(waiting, { ...booking, entry: 1 });
      this.posted += 1;
    }
    const isFull = waiting.rows >= ROWS_PER_BLOCK || waiting.postings.length >= POSTINGS_PER_BLOCK;
    if (isFull) await this.#insert(month);
  }

  /** Writes what still waits. Fails  when any block could not be written. */
  async flush(): Promise<void> {
    for (const month of this.#months.keys()) await this.#insert(month);
    await this.#inserting;
  }

  /** Waits until nothing is on its way any more, whether it arrived or not. */
  async rest(): Promise<void> {
    await Promise.allSettled([this.#inserting]);
  }

  #add(waiting: Waiting, posting: Posting): void {
    waiting.postings.push(posting);
    waiting.rows += rowsOf(posting);
    this.rows += rowsOf(posting);
  }

  /** Takes  texts: of what is to be added, if that is known; a block has the texts of one source only. */
  async #waitingFor(month: string, texts: Texts | undefined): Promise<Waiting> {
    const known = this.#months.get(month);
    if (known && (texts === undefined || texts === known.texts)) return known;
    if (known) await this.#insert(month);
    const waiting: Waiting = { texts: texts ?? new Texts(), postings: [], rows: 0 };
    this.#months.set(month, waiting);
    return waiting;
  }

  async #insert(month: string): Promise<void> {
    const { postings } = this.#months.get(month)!;
    this.#months.delete(month);
    const before = this.#inserting;
    this.#inserting = this.#store.columns.insertBlock(
      'postings',
      postingBlock(postings, this.#nowMs),
      blockToken(postings),
    );
    // Whoever waits for it hears of its failure; until then nobody does.
    this.#inserting.catch(() => undefined);
    await before;
  }
}
