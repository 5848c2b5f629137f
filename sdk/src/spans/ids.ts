import { randomFillSync } from 'node:crypto';

export const TRACE_ID = 16;
export const SPAN_ID = 8;
const IDS_AT_ONCE = 1024;

/**
 * Random ids, drawn many at a time: asking the system for each would cost more than everything else about a span.
 *
 * Where a span begins a trace, its id is the second half of the trace's: half of it is random enough to be the only one of a trace.
 */
export class Ids {
  #pool = Buffer.alloc(0);
  #next = 0;

  /** Gives  where in `pool` the id of a trace is, 16 bytes, and in its second half that of a span. */
  take(): number {
    if (this.#next + TRACE_ID > this.#pool.length) {
      this.#pool = randomFillSync(Buffer.alloc(IDS_AT_ONCE * TRACE_ID));
      this.#next = 0;
    }
    this.#next += TRACE_ID;
    return this.#next - TRACE_ID;
  }

  /** Where the ids are that were taken last; they are never written over. */
  get pool(): Buffer {
    return this.#pool;
  }
}
