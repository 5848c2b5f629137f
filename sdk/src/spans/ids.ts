import { randomFillSync } from 'node:crypto';

const TRACE_ID = 16;
const SPAN_ID = 8;
const IDS_AT_ONCE = 256;
const WIDTH = TRACE_ID + SPAN_ID;

/** Random ids, drawn many at a time: asking the system for each would cost more than everything else about a span. */
export class Ids {
  #pool = Buffer.alloc(0);
  #at = 0;

  /** Gives  a trace id and a span id, 24 bytes of `pool` from `at`; they are never written over. */
  next(): { readonly pool: Buffer; readonly at: number } {
    if (this.#at + WIDTH > this.#pool.length) {
      this.#pool = randomFillSync(Buffer.alloc(IDS_AT_ONCE * WIDTH));
      this.#at = 0;
    }
    const at = this.#at;
    this.#at += WIDTH;
    return { pool: this.#pool, at };
  }
}
