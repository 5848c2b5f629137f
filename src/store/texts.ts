import { randomBytes } from 'node:crypto';
import type { TextSource } from './block.ts';

const GOLDEN = 0x9e3779b1;
/** Of each process its own, so that nobody outside can choose texts or ids that fall together. */
export const hashSeed = randomBytes(4).readInt32LE();
/** The same for a factor, which is odd: no difference between two texts leads to a difference of hashes that is known. */
const hashFactor = randomBytes(4).readInt32LE() | 1;

/** Longer texts are found by their bytes only: they are rare, and would be kept twice. */
const LONGEST_KEY = 256;

/**
 * Numbers for texts: equal bytes have equal numbers, in the order of their first use; 0 is the empty text.
 * Rows keep numbers instead of texts, so that reading, comparing and copying them needs no string.
 */
export class Texts implements TextSource {
  #bytes = Buffer.allocUnsafe(1 << 12);
  #size = 0;
  #ends = new Uint32Array(256);
  #hashes = new Int32Array(256);
  /** Open addressing: numbers, 0 where a place is free. */
  #places = new Uint32Array(1 << 10);
  #count = 1;
  readonly #strings: (string | undefined)[] = [''];
  readonly #ids = new Map<string, number>();

  /** How many there are, the empty one included. */
  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#size;
  }

  clear(): void {
    this.#size = 0;
    this.#count = 1;
    this.#places.fill(0);
    this.#strings.length = 1;
    this.#ids.clear();
  }

  /** The number of a text given as UTF-8 bytes. */
  idOf(source: Uint8Array, start: number, end: number): number {
    if (end === start) return 0;
    const hash = hashOf(source, start, end);
    const place = this.#placeOf(source, start, end, hash);
    return this.#places[place]! || this.#add(source, start, end, hash, place);
  }

  idOfString(text: string): number {
    if (text === '') return 0;
    const isShort = text.length <= LONGEST_KEY;
    const known = isShort ? this.#ids.get(text) : undefined;
    if (known !== undefined) return known;
    const bytes = Buffer.from(text);
    const id = this.idOf(bytes, 0, bytes.length);
    // A copy, made from the bytes: a text may be a part of a large one, and would keep all of it in memory.
    if (isShort) this.#ids.set(this.string(id), id);
    return id;
  }

  /** The number of a text, if it has one. */
  find(text: string): number | undefined {
    if (text === '') return 0;
    const bytes = Buffer.from(text);
    return this.#places[this.#placeOf(bytes, 0, bytes.length, hashOf(bytes, 0, bytes.length))] || undefined;
  }

  /** The number in these texts of one of others. */
  idFrom(others: Texts, id: number): number {
    return others === this ? id : this.idOf(others.#bytes, others.startOf(id), others.endOf(id));
  }

  string(id: number): string {
    const known = this.#strings[id];
    if (known !== undefined) return known;
    const text = this.#bytes.toString('utf8', this.startOf(id), this.endOf(id));
    this.#strings[id] = text;
    return text;
  }

  /** All bytes, one text behind the other in the order of their numbers; the next new text may replace the buffer. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  startOf(id: number): number {
    return id === 0 ? 0 : this.#ends[id - 1]!;
  }

  endOf(id: number): number {
    return this.#ends[id]!;
  }

  /** Where a text's number stands, or the free place where it would. */
  #placeOf(source: Uint8Array, start: number, end: number, hash: number): number {
    const mask = this.#places.length - 1;
    let place = hash & mask;
    for (let id = this.#places[place]!; id !== 0; place = (place + 1) & mask, id = this.#places[place]!) {
      if (this.#hashes[id] === hash && this.#isAt(id, source, start, end - start)) break;
    }
    return place;
  }

  #isAt(id: number, source: Uint8Array, start: number, length: number): boolean {
    const from = this.#ends[id - 1]!;
    if (this.#ends[id]! - from !== length) return false;
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) if (bytes[from + i] !== source[start + i]) return false;
    return true;
  }

  #add(source: Uint8Array, start: number, end: number, hash: number, place: number): number {
    const id = this.#count++;
    if (id === this.#ends.length) this.#growNumbers();
    if (this.#size + end - start > this.#bytes.length) this.#growBytes(end - start);
    this.#bytes.set(source.subarray(start, end), this.#size);
    this.#size += end - start;
    this.#ends[id] = this.#size;
    this.#hashes[id] = hash;
    this.#places[place] = id;
    if (this.#count * 2 > this.#places.length) this.#growPlaces();
    return id;
  }

  #growNumbers(): void {
    const [ends, hashes] = [new Uint32Array(this.#ends.length * 2), new Int32Array(this.#ends.length * 2)];
    ends.set(this.#ends);
    hashes.set(this.#hashes);
    this.#ends = ends;
    this.#hashes = hashes;
  }

  #growBytes(more: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#size + more));
    this.#bytes.copy(grown, 0, 0, this.#size);
    this.#bytes = grown;
  }

  #growPlaces(): void {
    const places = new Uint32Array(this.#places.length * 2);
    const mask = places.length - 1;
    for (let id = 1; id < this.#count; id++) {
      let place = this.#hashes[id]! & mask;
      while (places[place] !== 0) place = (place + 1) & mask;
      places[place] = id;
    }
    this.#places = places;
  }
}

/** Four bytes at a time. */
function hashOf(source: Uint8Array, start: number, end: number): number {
  let hash = hashSeed ^ (end - start);
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    const word = source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24);
    hash = mixed(hash ^ word);
  }
  let rest = 0;
  for (; at < end; at++) rest = (rest << 8) | source[at]!;
  return mixed(hash ^ rest);
}

function mixed(hash: number): number {
  const once = Math.imul(hash, GOLDEN);
  const twice = Math.imul(once ^ (once >>> 16), hashFactor);
  return twice ^ (twice >>> 15);
}
