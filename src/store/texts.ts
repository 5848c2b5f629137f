import type { TextSource } from './block.ts';

/** Numbers texts in the order in which they come, each text once: 0 is the empty one. A number stays what it is. */
export class Texts implements TextSource {
  readonly #numbers = new Map<string, number>([['', 0]]);
  #bytes = Buffer.allocUnsafe(4096);
  #ends = new Uint32Array(64);

  get count(): number {
    return this.#numbers.size;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  startOf(id: number): number {
    return id === 0 ? 0 : this.#ends[id - 1]!;
  }

  endOf(id: number): number {
    return this.#ends[id]!;
  }

  /** Gives the number of a text. */
  add(text: string): number {
    const bytes = Buffer.from(text);
    return this.addBytes(bytes, 0, bytes.length);
  }

  /** Gives the number of a text, if it has one. */
  find(text: string): number | undefined {
    return this.#numbers.get(Buffer.from(text).toString('latin1'));
  }

  /** Gives the number of a text that stands somewhere as UTF-8 bytes. */
  addBytes(source: Buffer, start: number, end: number): number {
    // One character for each byte: a key is made without decoding, and no two texts have the same.
    const key = source.toString('latin1', start, end);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const id = this.#numbers.size;
    this.#numbers.set(key, id);
    const from = this.startOf(id);
    this.#grow(id, from + end - start);
    source.copy(this.#bytes, from, start, end);
    this.#ends[id] = from + end - start;
    return id;
  }

  textOf(id: number): string {
    return this.#bytes.toString('utf8', this.startOf(id), this.endOf(id));
  }

  #grow(id: number, sizeBytes: number): void {
    if (sizeBytes > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(sizeBytes, this.#bytes.length * 2));
      this.#bytes.copy(grown);
      this.#bytes = grown;
    }
    if (id >= this.#ends.length) {
      const grown = new Uint32Array(this.#ends.length * 2);
      grown.set(this.#ends);
      this.#ends = grown;
    }
  }
}
