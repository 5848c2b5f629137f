import { randomFillSync } from 'node:crypto';

const TRACE_ID = 16;
const SPAN_ID = 8;
const IDS_AT_ONCE = 1024;
const WIDTH = TRACE_ID + SPAN_ID;

/** Random ids, drawn many at a time: asking the system for each would cost more than everything else about a span. */
export class Ids {
  #pool = Buffer.alloc(0);
  #next = 0;

  /** Gives  where in `pool` a trace id and a span id are, 24 bytes. */
  take(): number {
    if (this.#next + WIDTH > this.#pool.length) {
      this.#pool = randomFillSync(Buffer.alloc(IDS_AT_ONCE * WIDTH));
      this.#next = 0;
    }
    this.#next += WIDTH;
    return this.#next - WIDTH;
  }

  /** Where the ids are that were taken last; they are never written over. */
  get pool(): Buffer {
    return this.#pool;
  }
}
