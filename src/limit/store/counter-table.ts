import { LONGEST_WINDOW_US } from '../policy/calendar.ts';
import type { CompiledLimit } from '../policy/compile.ts';
import { type Place, STATE } from './counters.ts';
import type { Path } from './subject-rows.ts';

/**
 * Counters lie side by side in arrays of this many, so that a million keys are not a million objects and growing copies nothing.
 * Where a counter has a count for each of its parts, in smaller ones.
 */
const CHUNK_BITS = { plain: 12, rolling: 9 } as const;

/** A counter as it is kept: which limit, whose (organisation, tenant, consumer, endpoint), its three numbers, and of a rolling window [place, count] of each part that has any. */
export type CounterRecord = [counterId: string, names: string[], state: number[], parts: [number, number][]];

const NOTHING = new Float64Array(0);

interface Chunk {
  readonly state: Float64Array;
  readonly ring: Float64Array | Uint32Array | null;
  /** 1 for those that are among the changed. */
  readonly marks: Uint8Array;
}

/** The counters of one limit, by row. */
export class CounterTable {
  /** As the newest version of its policy says it. */
  limit: CompiledLimit;
  readonly path: Path;
  readonly #chunks: (Chunk | undefined)[] = [];
  readonly #ringSize: number;
  readonly #bits: number;
  #changed: number[] = [];

  constructor(limit: CompiledLimit, path: Path) {
    this.path = path;
    this.limit = limit;
    this.#ringSize = limit.algorithm === 'rolling' ? limit.parts + 1 : 0;
    this.#bits = this.#ringSize === 0 ? CHUNK_BITS.plain : CHUNK_BITS.rolling;
  }

  placeOf(row: number): Place {
    const place = { state: NOTHING, at: 0, ring: null, ringAt: 0 };
    this.find(row, place);
    return place;
  }

  /** Says where a row is, in an object that is there already. */
  find(row: number, place: { -readonly [K in keyof Place]: Place[K] }): void {
    const chunk = this.#chunks[row >>> this.#bits] ?? this.#newChunk(row >>> this.#bits);
    const within = row & ((1 << this.#bits) - 1);
    place.state = chunk.state;
    place.at = within * STATE;
    place.ring = chunk.ring;
    place.ringAt = within * this.#ringSize;
  }

  /** Reads something of a row, so that the rest of it is on its way. */
  touch(row: number): number {
    const chunk = this.#chunks[row >>> this.#bits];
    return chunk === undefined ? 0 : chunk.state[(row & ((1 << this.#bits) - 1)) * STATE]!;
  }

  hasRow(row: number): boolean {
    return row >= 0 && this.#chunks[row >>> this.#bits] !== undefined;
  }

  /** Remembers that a counter changed, until the changed ones are asked for. */
  mark(row: number): void {
    const marks = this.#chunks[row >>> this.#bits]!.marks;
    const within = row & ((1 << this.#bits) - 1);
    if (marks[within] === 1) return;
    marks[within] = 1;
    this.#changed.push(row);
  }

  /** Gives rows that changed since they were given last, so many at most. */
  takeChanged(most: number): number[] {
    const changed = this.#changed.splice(-most);
    for (const row of changed) this.#chunks[row >>> this.#bits]!.marks[row & ((1 << this.#bits) - 1)] = 0;
    return changed;
  }

  /** Rows that there may be something in. */
  *usedRows(nowUs: number): Generator<number> {
    for (const rows of this.usedChunks(nowUs)) yield* rows;
  }

  /** The same, chunk by chunk. */
  *usedChunks(nowUs: number): Generator<number[]> {
    for (let chunk = 0; chunk < this.#chunks.length; chunk++) {
      if (this.#chunks[chunk] === undefined) continue;
      const rows: number[] = [];
      for (let row = chunk << this.#bits; row < (chunk + 1) << this.#bits; row++)
        if (!this.isIdle(row, nowUs)) rows.push(row);
      yield rows;
    }
  }

  record(names: string[], row: number): CounterRecord {
    const { state, at, ring, ringAt } = this.placeOf(row);
    const parts: [number, number][] = [];
    for (let part = 0; ring !== null && part < this.#ringSize; part++)
      if (ring[ringAt + part]! > 0) parts.push([part, ring[ringAt + part]!]);
    return [this.limit.counterId, names, [state[at]!, state[at + 1]!, state[at + 2]!], parts];
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
    // Which window it is depends on who it is of. What is kept too long does no harm.
    if (limit.algorithm === 'calendar') return nowUs >= state[at + 1]! + longestUs(limit);
    return false;
  }

  #newChunk(number: number): Chunk {
    const rows = 1 << this.#bits;
    const ring = this.#ringSize * rows;
    const newRing = () => (this.limit.isNarrow ? new Uint32Array(ring) : new Float64Array(ring));
    const state = new Float64Array(STATE * rows);
    const chunk = { state, ring: ring === 0 ? null : newRing(), marks: new Uint8Array(rows) };
    this.#chunks[number] = chunk;
    return chunk;
  }
}

function longestUs({ spec }: CompiledLimit): number {
  const { calendar, every } = spec.window!;
  return LONGEST_WINDOW_US[calendar === 'anniversary' ? every : calendar!];
}
