import { randomBytes } from 'node:crypto';

const BITS_PER_KEY = 16;
const HASHES = 6;
/** Beyond this a layer does not get larger, only others are added: the oldest can be forgotten one by one. */
const LARGEST_LAYER = 2 ** 30;

/** A part of the filter: bits, and until which day of receipt ids were added. */
export interface Layer {
  readonly bits: Uint32Array;
  readonly capacity: number;
  count: number;
  lastDay: number;
}

/**
 * Answers "could this id, of a trace or an event, have been here before?" without asking the store: a Bloom filter that
 * grows by whole layers. A no is certain; a wrong yes (about 1 in 1,000) costs one look into the store and nothing else.
 */
export class SeenIds {
  /** Kept with the layers, so that what was written down can be read in another process. */
  readonly seed: number;
  readonly #layers: Layer[] = [];
  #first = 0;
  #second = 0;

  constructor(expected = 1_000_000, seed = randomBytes(4).readInt32LE()) {
    this.seed = seed;
    this.#grow(expected);
  }

  /** Takes up what was written down. Takes  layers: oldest first, one at least. */
  static of(seed: number, layers: readonly Layer[]): SeenIds {
    const seen = new SeenIds(1, seed);
    seen.#layers.splice(0, 1, ...layers);
    return seen;
  }

  get layers(): readonly Layer[] {
    return this.#layers;
  }

  /** How many ids were added, those that are forgotten not counted. */
  get count(): number {
    return this.#layers.reduce((sum, { count }) => sum + count, 0);
  }

  /** Takes  words: four of them from a place on are the id. day: of receipt, since 1970. */
  add(words: Uint32Array, at: number, day = 0): void {
    this.#hash(words, at);
    // Only the newest layer is asked: an older one may be wrong, and is forgotten before this id may be.
    if (this.#isIn(this.#newest.bits)) return;
    if (this.#newest.count >= this.#newest.capacity) this.#grow(this.#newest.capacity * 2);
    const layer = this.#newest;
    layer.count += 1;
    if (day > layer.lastDay) layer.lastDay = day;
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

  /** Lets go of layers to which nothing was added since a day. */
  forgetBefore(day: number): void {
    while (this.#layers.length > 1 && this.#layers[0]!.lastDay < day) this.#layers.shift();
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
    const bits = Math.min(LARGEST_LAYER, 2 ** Math.ceil(Math.log2(Math.max(1024, capacity) * BITS_PER_KEY)));
    this.#layers.push({
      bits: new Uint32Array(bits / 32),
      capacity: Math.floor(bits / BITS_PER_KEY),
      count: 0,
      lastDay: 0,
    });
  }

  /** Ids are often random but need not be: all four words go into both numbers. */
  #hash(words: Uint32Array, at: number): void {
    let first = this.seed;
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
