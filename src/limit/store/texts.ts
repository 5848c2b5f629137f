import { assert } from '../../model/index.ts';

/** Units of an array, but for the first one, which begins small: most have few names. */
const CHUNK_BITS = 18;
const CHUNK = 1 << CHUNK_BITS;
const FIRST = 1 << 10;

/**
 * Texts, one behind the other in flat arrays, each with its length in front: a million of them are not a million objects that the collector
 * walks over, and comparing one reads one place of the memory. Nothing is ever taken out.
 */
export class Texts {
  readonly #chunks: Uint16Array[] = [new Uint16Array(FIRST)];
  #end = 0;

  /** Gives the place where it is kept. */
  add(text: string): number {
    assert(text.length < 2 ** 16, 'a name is shorter than its length can be said');
    const size = text.length + 1;
    // None lies in two arrays.
    if ((this.#end & (CHUNK - 1)) + size > CHUNK) this.#end = this.#chunks.length << CHUNK_BITS;
    const at = this.#end;
    const chunk = this.#chunkWith(at, size);
    let unit = at & (CHUNK - 1);
    chunk[unit] = text.length;
    for (let i = 0; i < text.length; i++) chunk[++unit] = text.charCodeAt(i);
    this.#end += size;
    return at;
  }

  isAt(at: number, text: string): boolean {
    const chunk = this.#chunks[at >>> CHUNK_BITS]!;
    let unit = at & (CHUNK - 1);
    if (chunk[unit] !== text.length) return false;
    for (let i = 0; i < text.length; i++) if (chunk[++unit] !== text.charCodeAt(i)) return false;
    return true;
  }

  textAt(at: number): string {
    const chunk = this.#chunks[at >>> CHUNK_BITS]!;
    const first = (at & (CHUNK - 1)) + 1;
    const units = chunk.subarray(first, first + chunk[first - 1]!);
    // A list made by its iterator would take several times as long.
    return String.fromCharCode.apply(null, units as unknown as number[]);
  }

  /** Reads something of a text, so that the rest of it is on its way. */
  touch(at: number): number {
    return this.#chunks[at >>> CHUNK_BITS]![at & (CHUNK - 1)]!;
  }

  #chunkWith(at: number, size: number): Uint16Array {
    const number = at >>> CHUNK_BITS;
    const chunk = this.#chunks[number];
    const end = (at & (CHUNK - 1)) + size;
    if (chunk !== undefined && end <= chunk.length) return chunk;
    const grown = new Uint16Array(number === 0 ? Math.max(FIRST, 2 ** Math.ceil(Math.log2(end))) : CHUNK);
    if (chunk !== undefined) grown.set(chunk);
    this.#chunks[number] = grown;
    return grown;
  }
}
