import { hashSeed } from '../../store/index.ts';
import type { SpanTable } from '../table/span-table.ts';

const FIRST_PLACES = 1024;
const NOWHERE = -1;

/** A trace, wherever it is: its id as four words, and the number of its namespace's text in the table at hand. */
export interface TraceId {
  readonly words: Uint32Array;
  readonly namespace: number;
}

/** Tells traces apart in sets and maps. */
export function traceKey({ words, namespace }: TraceId): string {
  return `${words[0]}.${words[1]}.${words[2]}.${words[3]}.${namespace}`;
}

/** The rows of a table by trace: each trace has a number, its rows hang together in the order in which they were added. */
export class TraceIndex {
  traces = 0;
  /** Of each trace its first and its last row. */
  first = new Int32Array(FIRST_PLACES / 2);
  last = new Int32Array(FIRST_PLACES / 2);
  /** Of each row the next one of its trace, -1 behind the last. */
  next: Int32Array;
  traceOf: Int32Array;
  readonly #table: SpanTable;
  /** Open addressing: trace numbers plus one. */
  #places = new Int32Array(FIRST_PLACES);
  #rows = 0;

  constructor(table: SpanTable) {
    this.#table = table;
    this.next = new Int32Array(table.rows);
    this.traceOf = new Int32Array(table.rows);
    this.addNew();
  }

  /** Takes in the rows that the table got since the last time. */
  addNew(): void {
    const { rows } = this.#table;
    if (rows > this.next.length) {
      this.next = grown(this.next, Math.max(rows, this.next.length * 2));
      this.traceOf = grown(this.traceOf, this.next.length);
    }
    for (; this.#rows < rows; this.#rows++) this.#add(this.#rows);
  }

  /** The number of the trace whose id stands at a place among words, of a namespace of this table. */
  findId(words: Uint32Array, at: number, namespace: number): number {
    return this.#places[this.#placeOf(words, at, namespace)]! - 1;
  }

  /** The id of a trace by its number. */
  idOf(trace: number): TraceId {
    const row = this.first[trace]!;
    return { words: this.#table.trace.subarray(row * 4, row * 4 + 4), namespace: this.#table.namespace[row]! };
  }

  #add(row: number): void {
    const { trace, namespace } = this.#table;
    this.next[row] = -1;
    // The spans of a trace most often stand together.
    const isNext = row > 0 && this.#isOfTraceBefore(row);
    const place = isNext ? NOWHERE : this.#placeOf(trace, row * 4, namespace[row]!);
    const found = isNext ? this.traceOf[row - 1]! : this.#places[place]! - 1;
    if (found >= 0) {
      this.next[this.last[found]!] = row;
      this.last[found] = row;
      this.traceOf[row] = found;
      return;
    }
    const number = this.traces++;
    if (number === this.first.length) {
      this.first = grown(this.first, number * 2);
      this.last = grown(this.last, number * 2);
    }
    this.first[number] = this.last[number] = row;
    this.traceOf[row] = number;
    this.#places[place] = number + 1;
    if (this.traces * 2 > this.#places.length) this.#growPlaces();
  }

  #isOfTraceBefore(row: number): boolean {
    const { trace, namespace } = this.#table;
    const at = row * 4;
    if (trace[at] !== trace[at - 4] || trace[at + 1] !== trace[at - 3]) return false;
    return trace[at + 2] === trace[at - 2] && trace[at + 3] === trace[at - 1] && namespace[row] === namespace[row - 1];
  }

  /** Where a trace stands, or the free place where it would. */
  #placeOf(words: Uint32Array, at: number, namespace: number): number {
    const { trace, namespace: namespaces } = this.#table;
    const mask = this.#places.length - 1;
    const [a, b, c, d] = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!];
    let place = mixed(a, b, c, d) & mask;
    for (let found = this.#places[place]!; found !== 0; place = (place + 1) & mask, found = this.#places[place]!) {
      const row = this.first[found - 1]!;
      const from = row * 4;
      if (trace[from] !== a || trace[from + 1] !== b || trace[from + 2] !== c || trace[from + 3] !== d) continue;
      if (namespaces[row] === namespace) break;
    }
    return place;
  }

  #growPlaces(): void {
    const { trace } = this.#table;
    const places = new Int32Array(this.#places.length * 2);
    const mask = places.length - 1;
    for (let number = 0; number < this.traces; number++) {
      const at = this.first[number]! * 4;
      let place = mixed(trace[at]!, trace[at + 1]!, trace[at + 2]!, trace[at + 3]!) & mask;
      while (places[place] !== 0) place = (place + 1) & mask;
      places[place] = number + 1;
    }
    this.#places = places;
  }
}

/** Trace ids are often random but need not be. */
function mixed(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a ^ Math.imul(b ^ hashSeed, 0x85ebca6b), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ c, 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 13) ^ d, 0x297a2d39);
  return hash ^ (hash >>> 16);
}

export function grown(numbers: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(numbers);
  return larger;
}
