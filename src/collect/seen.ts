const BITS_PER_KEY = 16;
const HASHES = 6;

/**
 * Answers "could this trace have been here before?" without asking the store: a Bloom filter that grows by whole layers.
 * A no is certain; a wrong yes (about 1 in 1,000) costs one look into the store and nothing else.
 */
export class SeenTraces {
  readonly #layers: { readonly bits: Uint32Array; readonly capacity: number; count: number }[] = [];

  constructor(expected = 1_000_000) {
    this.#grow(expected);
  }

  /** Takes 16 bytes of a trace id as latin1; the key's first half and second half serve as two hashes. */
  add(key: string): void {
    if (this.#newest.count >= this.#newest.capacity) this.#grow(this.#newest.capacity * 2);
    const layer = this.#newest;
    layer.count += 1;
    const { bits } = layer;
    const mask = bits.length * 32 - 1;
    const [first, second] = hashes(key);
    for (let i = 0; i < HASHES; i++) {
      const bit = (first + Math.imul(i, second)) & mask;
      bits[bit >>> 5]! |= 1 << (bit & 31);
    }
  }

  has(key: string): boolean {
    const [first, second] = hashes(key);
    return this.#layers.some(({ bits }) => {
      const mask = bits.length * 32 - 1;
      for (let i = 0; i < HASHES; i++) {
        const bit = (first + Math.imul(i, second)) & mask;
        if ((bits[bit >>> 5]! & (1 << (bit & 31))) === 0) return false;
      }
      return true;
    });
  }

  get #newest() {
    return this.#layers.at(-1)!;
  }

  #grow(capacity: number): void {
    // The bit number must fit the 31 bits that a masked sum gives.
    const bits = Math.min(2 ** 31, 2 ** Math.ceil(Math.log2(Math.max(1024, capacity) * BITS_PER_KEY)));
    this.#layers.push({ bits: new Uint32Array(bits / 32), capacity: Math.floor(bits / BITS_PER_KEY), count: 0 });
  }
}

/** Trace ids are often random but need not be: mix all 16 bytes into two numbers. */
function hashes(key: string): readonly [number, number] {
  let first = 0x811c9dc5;
  let second = 0x9e3779b9;
  for (let i = 0; i < 16; i++) {
    const byte = key.charCodeAt(i);
    first = Math.imul(first ^ byte, 0x01000193);
    second = Math.imul(second + byte, 0x85ebca6b) ^ (second >>> 13);
  }
  first ^= first >>> 15;
  return [Math.imul(first, 0x2c1b3c6d) >>> 0, (Math.imul(second ^ (second >>> 16), 0x297a2d39) >>> 0) | 1];
}
