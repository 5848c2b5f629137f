/**
 * Writes protobuf from the end of a buffer to its start, so that the length of a nested message is known when it is needed.
 * Fields are therefore written in reverse order, and positions are counted from the end.
 */
export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(65_536);
  #used = 0;

  /** Bytes written so far: the distance of the next byte's successor from the end of the message. */
  get length(): number {
    return this.#used;
  }

  /** Gives the finished message; the writer starts anew. */
  finish(): Buffer {
    const message = Buffer.from(this.#buffer.subarray(this.#buffer.length - this.#used));
    this.#used = 0;
    return message;
  }

  /** A nested message: whatever `write` adds, with its length and tag before it. */
  message(field: number, write: () => void): void {
    const before = this.#used;
    write();
    this.#varint(this.#used - before);
    this.#tag(field, LENGTH_DELIMITED);
  }

  text(field: number, text: string): void {
    const size = Buffer.byteLength(text);
    const at = this.#reserve(size);
    this.#buffer.write(text, at, size);
    this.#varint(size);
    this.#tag(field, LENGTH_DELIMITED);
  }

  /** Bytes given as hexadecimal digits. */
  hex(field: number, digits: string): void {
    const size = digits.length / 2;
    const at = this.#reserve(size);
    this.#buffer.write(digits, at, size, 'hex');
    this.#varint(size);
    this.#tag(field, LENGTH_DELIMITED);
  }

  fixed64(field: number, value: bigint): void {
    const at = this.#reserve(8);
    this.#buffer.writeBigUInt64LE(value, at);
    this.#tag(field, FIXED64);
  }

  /** Whole numbers from 0 to 2^53. */
  uint(field: number, value: number): void {
    this.#varint(value);
    this.#tag(field, VARINT);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    let size = 1;
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
    let at = this.#reserve(size);
    for (let rest = value; size > 0; rest = Math.floor(rest / 128), size--) {
      this.#buffer[at++] = (rest % 128) | (size > 1 ? 128 : 0);
    }
  }

  /** Gives the position of the first of so many free bytes before what is written; may replace the buffer. */
  #reserve(size: number): number {
    while (this.#used + size > this.#buffer.length) this.#grow();
    this.#used += size;
    return this.#buffer.length - this.#used;
  }

  #grow(): void {
    const larger = Buffer.allocUnsafe(this.#buffer.length * 2);
    this.#buffer.copy(larger, larger.length - this.#used, this.#buffer.length - this.#used);
    this.#buffer = larger;
  }
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
