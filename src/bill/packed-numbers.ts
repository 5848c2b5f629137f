/** Wider numbers would be those of a dictionary of 16 million values. */
const WIDEST = 24;
const TOO_SHORT = 'a parquet page ends too early';

/**
 * Small whole numbers as Parquet packs them: runs of one number, and groups of eight, each in as few bits as the largest one takes.
 *
 * From   Parquet, encoding RLE / bit-packing hybrid.
 */
export class PackedNumbers {
  readonly #bytes: Uint8Array;
  readonly #width: number;
  #at = 0;
  /** What is left of the run that has begun. */
  #left = 0;
  #isPacked = false;
  /** Of a run of one number: that number; of a packed one: the bit where its next number begins. */
  #value = 0;

  constructor(bytes: Uint8Array, width: number) {
    if (width > WIDEST) throw new Error(`parquet numbers of ${width} bits are not supported`);
    this.#bytes = bytes;
    this.#width = width;
  }

  /** Fails when there are not as many any more. */
  read(into: Uint32Array, count: number): void {
    for (let place = 0; place < count; ) {
      if (this.#left === 0) this.#begin();
      const end = Math.min(place + this.#left, count);
      this.#left -= end - place;
      if (this.#isPacked) this.#unpack(into, place, end);
      else into.fill(this.#value, place, end);
      place = end;
    }
  }

  #begin(): void {
    const header = this.#varint();
    const bytesWide = (this.#width + 7) >> 3;
    this.#isPacked = (header & 1) === 1;
    this.#left = this.#isPacked ? (header >>> 1) * 8 : header >>> 1;
    this.#value = this.#isPacked ? this.#at * 8 : this.#number(bytesWide);
    this.#at += this.#isPacked ? (header >>> 1) * this.#width : bytesWide;
  }

  #unpack(into: Uint32Array, from: number, to: number): void {
    const bytes = this.#bytes;
    const width = this.#width;
    const mask = 2 ** width - 1;
    let bit = this.#value;
    // The last group of a page may be cut: only what is asked for has to be there.
    if ((bit + (to - from) * width + 7) >> 3 > bytes.length) throw new Error(TOO_SHORT);
    for (let place = from; place < to; place++, bit += width) {
      const at = bit >> 3;
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      into[place] = (word >>> (bit & 7)) & mask;
    }
    this.#value = bit;
  }

  #number(sizeBytes: number): number {
    let value = 0;
    if (this.#at + sizeBytes > this.#bytes.length) throw new Error(TOO_SHORT);
    for (let i = 0; i < sizeBytes; i++) value |= this.#bytes[this.#at + i]! << (8 * i);
    return value;
  }

  #varint(): number {
    for (let value = 0, shift = 0; this.#at < this.#bytes.length; shift += 7) {
      const byte = this.#bytes[this.#at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new Error(TOO_SHORT);
  }
}
