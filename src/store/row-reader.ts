import type { Texts } from './texts.ts';

/** Reads RowBinary, as `queryBytes` gives it, value after value. */
export class RowReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * Counts the rows.
   *
   * Takes  texts: how many texts a row begins with. restBytes: how many bytes follow them.
   */
  static countRows(bytes: Buffer, texts: number, restBytes: number): number {
    const reader = new RowReader(bytes);
    let rows = 0;
    for (; reader.#at < bytes.length; rows++) {
      for (let text = 0; text < texts; text++) reader.#skipText();
      reader.#at += restBytes;
    }
    return rows;
  }

  u8(): number {
    return this.#bytes[this.#at++]!;
  }

  /** Gives the number of a text. */
  text(texts: Texts): number {
    const length = this.#length();
    if (length === 0) return 0;
    const start = this.#at;
    this.#at += length;
    return texts.idOf(this.#bytes, start, this.#at);
  }

  /** Copies 128 bits as four words, the lowest first. */
  words128(target: Uint32Array, place: number): void {
    const bytes = this.#bytes;
    for (let word = 4 * place; word < 4 * place + 4; word++, this.#at += 4) {
      const at = this.#at;
      target[word] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    }
  }

  #skipText(): void {
    const length = this.#length();
    this.#at += length;
  }

  #length(): number {
    let [length, scale] = [0, 1];
    for (; this.#bytes[this.#at]! >= 0x80; scale *= 128) length += (this.#bytes[this.#at++]! & 0x7f) * scale;
    return length + this.#bytes[this.#at++]! * scale;
  }
}
