import { hashSeed } from '../../store/index.ts';

const BITS_PER_KEY = 16;
const HASHES = 6;

/**
 * Answers "could this trace, or event, have been here before?" without asking the store: a Bloom filter that grows by whole layers.
 * A no is certain; a wrong yes (about 1 in 1,000) costs one look into the store and nothing else.
 */
export class SeenTraces {
  readonly #layers: { readonly bits: Uint32Array; readonly capacity: number; count: number }[] = [];
  #first = 0;
  #second = 0;

  constructor(expected = 1_000_000) {
    this.#grow(expected);
  }

  /** Takes  words: four of them from a place on are the trace's id. */
  add(words: Uint32Array, at: number): void {
    if (this.has(words, at)) return;
    if (this.#newest.count >= this.#newest.capacity) this.#grow(this.#newest.capacity * 2);
    const layer = this.#newest;
    layer.count += 1;
    const { bits } = layer;
    const mask = bits.length * 32 - 1;
    for (let i = 0; i < HASHES; i++) {
      const bit = (this.#first + Math.imul(i, this.#second)) & mask;
      bits[bit >>> 5]! |= 1 << (bit & 31);
    }
  }

  has(words: Uint32Array, at: number): boolean {
    this.#hash(words, at);
    for (const { bits } of this.#layers) if (this.#isIn(bits)) return true;
    return false;
  }

  #isIn(bits: Uint32Array): boolean {
    const mask = bits.length * 32 - 1;
    for (let i = 0; i < HASHES; i++) {
      const bit = (this.#first + Math.imul(i, this.#second)) & mask;
      if ((bits[bit >>> 5]! & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }

  get #newest() {
    return this.#layers.at(-1)!;
  }

  #grow(capacity: number): void {
    // The bit number must fit the 31 bits that a masked sum gives.
    const bits = Math.min(2 ** 31, 2 ** Math.ceil(Math.log2(Math.max(1024, capacity) * BITS_PER_KEY)));
    this.#layers.push({ bits: new Uint32Array(bits / 32), capacity: Math.floor(bits / BITS_PER_KEY), count: 0 });
  }

  /** Trace ids are often random but need not be: all four words go into both numbers. */
  #hash(words: Uint32Array, at: number): void {
    let first = hashSeed;
    let second = 0x9e3779b9;
    for (let word = 0; word < 4; word++) {
      first = Math.imul(first ^ words[at + word]!, 0x85ebca6b);
      first ^= first >>> 15;
      second = Math.imul(second + words[at + word]!, 0x2c1b3c6d) ^ (second >>> 13);
    }
    this.#first = Math.imul(first, 0x297a2d39) >>> 0;
    this.#second = (Math.imul(second ^ (second >>> 16), 0x9e3779b1) >>> 0) | 1;
  }
}
