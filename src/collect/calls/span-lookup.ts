import { hashSeed } from '../../store/index.ts';
import type { SpanTable } from '../table/span-table.ts';

const NONE = -1;

/**
 * Who stands above whom where spans of several kinds share one id: a server is its client's child and the parent of the rest.
 * By kind: unspecified, internal, server, client, producer, consumer.
 */
const RANKS = [5, 4, 2, 0, 1, 3] as const;

/** The spans of one trace by their ids; used again for trace after trace. */
export class SpanLookup {
  readonly #table: SpanTable;
  /** First row of each bucket, and of each row the next one in its bucket. */
  #heads = new Int32Array(64);
  readonly #chain: Int32Array;
  #mask = 0;

  constructor(table: SpanTable) {
    this.#table = table;
    this.#chain = new Int32Array(table.rows);
  }

  /** Begins a trace of so many rows. */
  of(rows: number): this {
    let size = 4;
    while (size < rows * 2) size *= 2;
    if (size > this.#heads.length) this.#heads = new Int32Array(size);
    this.#heads.fill(NONE, 0, size);
    this.#mask = size - 1;
    return this;
  }

  /** Adds a row; gives the earlier one with the same id and kind where there is one, which then stays. */
  addOrFind(row: number): number {
    const { span, kind } = this.#table;
    const [a, b] = [span[row * 2]!, span[row * 2 + 1]!];
    const bucket = hashed(a, b) & this.#mask;
    for (let other = this.#heads[bucket]!; other !== NONE; other = this.#chain[other]!) {
      if (span[other * 2] === a && span[other * 2 + 1] === b && kind[other] === kind[row]) return other;
    }
    this.#chain[row] = this.#heads[bucket]!;
    this.#heads[bucket] = row;
    return row;
  }

  /** The row above another: of those that share its id the next higher, else the lowest of its parent's id; -1 is none. */
  parentOf(row: number): number {
    const { span, parent, kind } = this.#table;
    const [a, b] = [span[row * 2]!, span[row * 2 + 1]!];
    const above = this.#closest(a, b, RANKS[kind[row]! as 0]);
    if (above !== NONE) return above;
    const [c, d] = [parent[row * 2]!, parent[row * 2 + 1]!];
    if ((c | d) === 0 || (c === a && d === b)) return NONE;
    return this.#closest(c, d, RANKS.length);
  }

  /** Of the rows with an id the lowest that stands above a rank. */
  #closest(a: number, b: number, below: number): number {
    const { span, kind } = this.#table;
    let found = NONE;
    let rank = -1;
    for (let row = this.#heads[hashed(a, b) & this.#mask]!; row !== NONE; row = this.#chain[row]!) {
      if (span[row * 2] !== a || span[row * 2 + 1] !== b) continue;
      const own = RANKS[kind[row]! as 0];
      if (own >= below || own <= rank) continue;
      rank = own;
      found = row;
    }
    return found;
  }
}

/** Which of two rows with one id is the lower one, the one that children find. */
export function isLower(table: SpanTable, row: number, than: number): boolean {
  return RANKS[table.kind[row]! as 0] > RANKS[table.kind[than]! as 0];
}

function hashed(a: number, b: number): number {
  const hash = Math.imul(a ^ Math.imul(b ^ hashSeed, 0x85ebca6b), 0x9e3779b1);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 8;
}
