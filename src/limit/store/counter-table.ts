import type { CompiledLimit } from '../policy/compile.ts';
import { type Place, STATE } from './counters.ts';

/** Counters lie side by side in arrays of this many, so that a million keys are not a million objects and growing copies nothing. */
const CHUNK_BITS = 9;
const CHUNK = 1 << CHUNK_BITS;

/** A counter as it is kept: which limit, whose, its three numbers, and of a rolling window [place, count] of each part that has any. */
export type CounterRecord = [counterId: string, key: string, state: number[], parts: [number, number][]];

const NOTHING = new Float64Array(0);

interface Chunk {
  readonly state: Float64Array;
  readonly ring: Float64Array | Uint32Array | null;
}

/** Gives every key of one level a row, the same one for all limits of that level. */
export class KeyRows {
  readonly #rows = new Map<string, number>();
  readonly #free: number[] = [];

  get size(): number {
    return this.#rows.size;
  }

  rowOf(key: string): number | undefined {
    return this.#rows.get(key);
  }

  add(key: string): number {
    const row = this.#free.pop() ?? this.#rows.size;
    this.#rows.set(key, row);
    return row;
  }

  remove(key: string): void {
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.delete(key);
    this.#free.push(row);
  }

  entries(): IterableIterator<[string, number]> {
    return this.#rows.entries();
  }
}

/** The counters of one limit, by row. */
export class CounterTable {
  /** As the newest version of its policy says it. */
  limit: CompiledLimit;
  readonly rows: KeyRows;
  readonly #chunks: (Chunk | undefined)[] = [];
  readonly #ringSize: number;

  constructor(limit: CompiledLimit, rows: KeyRows) {
    this.limit = limit;
    this.rows = rows;
    this.#ringSize = limit.algorithm === 'rolling' ? limit.parts + 1 : 0;
  }

  placeOf(row: number): Place {
    const place = { state: NOTHING, at: 0, ring: null, ringAt: 0 };
    this.find(row, place);
    return place;
  }

  /** Says where a row is, in an object that is there already. */
  find(row: number, place: { -readonly [K in keyof Place]: Place[K] }): void {
    const chunk = (this.#chunks[row >>> CHUNK_BITS] ??= this.#newChunk());
    const within = row & (CHUNK - 1);
    place.state = chunk.state;
    place.at = within * STATE;
    place.ring = chunk.ring;
    place.ringAt = within * this.#ringSize;
  }

  hasRow(row: number): boolean {
    return this.#chunks[row >>> CHUNK_BITS] !== undefined;
  }

  record(key: string, row: number): CounterRecord {
    const { state, at, ring, ringAt } = this.placeOf(row);
    const parts: [number, number][] = [];
    for (let part = 0; ring !== null && part < this.#ringSize; part++)
      if (ring[ringAt + part]! > 0) parts.push([part, ring[ringAt + part]!]);
    return [this.limit.counterId, key, [...state.subarray(at, at + STATE)], parts];
  }

  put(row: number, [, , numbers, parts]: CounterRecord): void {
    this.clear(row);
    const { state, at, ring, ringAt } = this.placeOf(row);
    state.set(numbers.slice(0, STATE), at);
    for (const [part, count] of parts) if (part < this.#ringSize) ring![ringAt + part] = count;
  }

  clear(row: number): void {
    if (!this.hasRow(row)) return;
    const { state, at, ring, ringAt } = this.placeOf(row);
    state.fill(0, at, at + STATE);
    ring?.fill(0, ringAt, ringAt + this.#ringSize);
  }

  /** Whether the counter says what a new one would say. */
  isIdle(row: number, nowUs: number): boolean {
    if (!this.hasRow(row)) return true;
    const { state, at } = this.placeOf(row);
    const { limit } = this;
    if (state[at] === 0) return true;
    if (limit.algorithm === 'rate') return Math.floor(nowUs / limit.tickUs) - state[at + 1]! > state[at]!;
    if (limit.algorithm === 'fixed') return nowUs >= state[at + 1]! + limit.length;
    if (limit.algorithm === 'rolling') return nowUs >= (state[at + 1]! + limit.parts + 1) * limit.partUs;
    return false;
  }

  #newChunk(): Chunk {
    const ring = this.#ringSize * CHUNK;
    const newRing = () => (this.limit.isNarrow ? new Uint32Array(ring) : new Float64Array(ring));
    return { state: new Float64Array(STATE * CHUNK), ring: ring === 0 ? null : newRing() };
  }
}
