import { SpanKind } from '../../model/index.ts';
import { Intervals } from './busy.ts';
import { type Forest, NOBODY } from './forest.ts';
import { markRepeatedTokens } from './repeated-tokens.ts';
import { markRetries } from './retries.ts';

/** What every span of a forest is worth: its own time, or the time it waited for others. By row. */
export class WorkMeasure {
  readonly busyUs: Float64Array;
  /** How long a database was waited for, and whether it was one. */
  readonly dbUs: Float64Array;
  readonly isDbCall: Uint8Array;
  readonly extUs: Float64Array;
  readonly isExternal: Uint8Array;
  /** Whether its end lies before its start. */
  readonly isReversed: Uint8Array;
  /** Which tokens spans below it gave as well: 1 in, 2 out. */
  readonly repeatsTokens: Uint8Array;
  /** Whether it is an outbound call like an earlier one that failed. */
  readonly isRetry: Uint8Array;
  readonly #forest: Forest;
  readonly #children = new Intervals();

  constructor(forest: Forest) {
    const { rows } = forest.table;
    this.#forest = forest;
    this.busyUs = new Float64Array(rows);
    this.dbUs = new Float64Array(rows);
    this.extUs = new Float64Array(rows);
    this.isDbCall = new Uint8Array(rows);
    this.isExternal = new Uint8Array(rows);
    this.isReversed = new Uint8Array(rows);
    this.repeatsTokens = new Uint8Array(rows);
    this.isRetry = new Uint8Array(rows);
  }

  measure(row: number): void {
    if (this.#forest.firstChild[row] !== NOBODY) markRetries(this.#forest, row, this.isRetry);
    const { kind, isDb, isTimed, start, end } = this.#forest.table;
    const durationNs = nanosBetween(start, row, end, row);
    if (durationNs < 0) this.isReversed[row] = 1;
    if (kind[row] !== SpanKind.CLIENT) {
      this.busyUs[row] = isTimed[row] === 1 ? Math.floor(this.#busyNs(row, durationNs) / 1000) : 0;
      return;
    }
    const durationUs = durationNs > 0 ? Math.floor(durationNs / 1000) : 0;
    if (isDb[row] === 1) {
      this.isDbCall[row] = 1;
      this.dbUs[row] = durationUs;
    } else if (!this.#reachesOwnHouse(row)) {
      this.isExternal[row] = 1;
      this.extUs[row] = durationUs;
    }
  }

  /** Compares the spans of a trace, which are all in the forest, with each other. Takes  from, to: places in its order. */
  compare(from: number, to: number): void {
    markRepeatedTokens(this.#forest, from, to, this.repeatsTokens);
  }

  #busyNs(row: number, durationNs: number): number {
    const { firstChild, nextSibling, table } = this.#forest;
    let child = firstChild[row]!;
    if (child === NOBODY) return Math.max(0, durationNs);
    this.#children.clear();
    for (; child !== NOBODY; child = nextSibling[child]!) {
      this.#children.add(
        nanosBetween(table.start, row, table.start, child),
        nanosBetween(table.start, row, table.end, child),
      );
    }
    return this.#children.busyNanos(durationNs);
  }

  /** Whether one of our own services answered: then the wait is no call to a vendor. */
  #reachesOwnHouse(row: number): boolean {
    const { firstChild, nextSibling, table } = this.#forest;
    for (let child = firstChild[row]!; child !== NOBODY; child = nextSibling[child]!) {
      if (table.service[child] !== table.service[row]) return true;
    }
    return false;
  }
}

/** Exact while the two lie within 104 days; further apart only the order matters, and that stays right. */
function nanosBetween(from: Uint32Array, row: number, to: Uint32Array, other: number): number {
  return (to[other * 2 + 1]! - from[row * 2 + 1]!) * 2 ** 32 + (to[other * 2]! - from[row * 2]!);
}
