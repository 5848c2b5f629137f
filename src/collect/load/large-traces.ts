import type { Work } from '../calls/work.ts';
import { SpanTable } from '../table/span-table.ts';

/** Of so many rows on a trace is large. */
const LARGE_ROWS = 20_000;
/** How long a trace rests for each of its rows before it is decided again: a trace of 200,000 rests 100 seconds. */
const REST_MS_PER_ROW = 0.5;
/** As long as a trace takes to settle. */
const LONGEST_REST_MS = 600_000;
const MOST_KNOWN = 10_000;

/**
 * Traces so large that to decide them anew for each late span would be most of the work there is: they rest in between, and
 * what arrives meanwhile is decided together.
 */
export class LargeTraces {
  readonly #largeRows: number;
  readonly #restUntil = new Map<string, number>();
  /** When the first of the spans that wait is due. */
  #dueMs = 0;

  constructor(largeRows = LARGE_ROWS) {
    this.#largeRows = largeRows;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueMs;
  }

  /** Notes which of the traces that a batch decided are large. */
  note(work: Work, traces: readonly number[], nowMs: number): void {
    for (const trace of traces) {
      const rows = work.to[trace]! - work.from[trace]!;
      if (rows < this.#largeRows) continue;
      const key = keyOf(work.forest.index.idOf(trace).words, 0);
      // The last one decided is the last one forgotten.
      this.#restUntil.delete(key);
      this.#restUntil.set(key, nowMs + Math.min(LONGEST_REST_MS, rows * REST_MS_PER_ROW));
    }
    while (this.#restUntil.size > MOST_KNOWN) this.#restUntil.delete(this.#restUntil.keys().next().value!);
  }

  /** Parts what can be decided now from spans of traces that rest; null when there are none of these. */
  split(table: SpanTable, nowMs: number): { readonly now: SpanTable; readonly later: SpanTable } | null {
    if (this.#restUntil.size === 0) return null;
    const rests = new Uint8Array(table.rows);
    let dueMs = Number.POSITIVE_INFINITY;
    for (let row = 0; row < table.rows; row++) {
      const until = this.#restUntil.get(keyOf(table.trace, row * 4)) ?? 0;
      if (until <= nowMs) continue;
      rests[row] = 1;
      dueMs = Math.min(dueMs, until);
    }
    if (!rests.includes(1)) return null;
    const [now, later] = [new SpanTable(), new SpanTable()];
    for (let row = 0; row < table.rows; row++) (rests[row] === 1 ? later : now).copyRow(table, row);
    this.#dueMs = this.#dueMs <= nowMs ? dueMs : Math.min(this.#dueMs, dueMs);
    return { now, later };
  }
}

function keyOf(words: Uint32Array, at: number): string {
  return `${words[at]}.${words[at + 1]}.${words[at + 2]}.${words[at + 3]}`;
}
