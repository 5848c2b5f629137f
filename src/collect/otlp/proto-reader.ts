/** A protobuf message that breaks off or contradicts itself. A refusal of the whole request, not a bug. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

/**
 * Walks protobuf wire format over one buffer without making objects or strings.
 * `limit` is the end of the message being read; nested messages narrow it and put it back.
 */
export class ProtoReader {
  readonly buffer: Buffer;
  readonly #view: DataView;
  at = 0;
  limit: number;
  /** The last fixed64, as two halves: nanoseconds do not fit a double. */
  low = 0;
  high = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    this.limit = buffer.length;
  }

  get isDone(): boolean {
    return this.at >= this.limit;
  }

  /** A field's tag: number << 3 | wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag < 8 || tag > 0xffff_ffff) throw new MalformedMessage('a field number is not valid');
    return tag;
  }

  /** A varint as a double: exact up to 2^53; a negative int64 comes out negative. */
  varint(): number {
    const buffer = this.buffer;
    let at = this.at;
    const first = buffer[at]!;
    if (first < 0x80 && at < this.limit) {
      this.at = at + 1;
      return first;
    }
    // Two parts of 28 and 35 bits: a small negative number has 64 bits, and one double would round it to 0.
    let low = 0;
    let high = 0;
    let scale = 1;
    for (let i = 0; i < 9; i++) {
      if (at >= this.limit) throw new MalformedMessage('a number breaks off');
      const byte = buffer[at++]!;
      if (i < 4) low += (byte & 0x7f) * scale;
      else high += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.at = at;
        return high * 2 ** 28 + low;
      }
      scale = i === 3 ? 1 : scale * 128;
    }
    // The tenth byte holds the sign bit.
    if (at >= this.limit) throw new MalformedMessage('a number breaks off');
    const sign = buffer[at++]!;
    if (sign > 1) throw new MalformedMessage('a number is too long');
    this.at = at;
    return (sign === 1 ? high - 2 ** 35 : high) * 2 ** 28 + low;
  }

  /** A varint as an exact signed 64-bit number, for values. */
  varintExact(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.at >= this.limit) throw new MalformedMessage('a number breaks off');
      const byte = this.buffer[this.at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new MalformedMessage('a number is too long');
  }

  /** Reads a length and checks that so many bytes are there; gives the end of the field. */
  end(): number {
    const length = this.varint();
    const end = this.at + length;
    if (length < 0 || end > this.limit) throw new MalformedMessage('a field is longer than its message');
    return end;
  }

  fixed64(): void {
    if (this.at + 8 > this.limit) throw new MalformedMessage('a number breaks off');
    this.low = this.wordAt(this.at);
    this.high = this.wordAt(this.at + 4);
    this.at += 8;
  }

  /** Four bytes as they lie in memory; the caller knows that they are there. */
  wordAt(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** The next byte, which stays unread. */
  peek(): number {
    return this.at < this.limit ? this.buffer[this.at]! : -1;
  }

  double(): number {
    if (this.at + 8 > this.limit) throw new MalformedMessage('a number breaks off');
    const value = this.buffer.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }

  /** Passes over a field that we do not need. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.varint();
        return;
      case 1:
        this.advance(8);
        return;
      case 2:
        this.at = this.end();
        return;
      case 5:
        this.advance(4);
        return;
      default:
        throw new MalformedMessage('a field has an unknown wire type');
    }
  }

  /** Reads a nested message: `read` is called with the limit narrowed to it. */
  message(read: () => void): void {
    const outer = this.limit;
    this.limit = this.end();
    read();
    if (this.at !== this.limit) throw new MalformedMessage('a message is longer than its field');
    this.limit = outer;
  }

  text(): string {
    const end = this.end();
    const text = this.buffer.toString('utf8', this.at, end);
    this.at = end;
    return text;
  }

  private advance(sizeBytes: number): void {
    if (this.at + sizeBytes > this.limit) throw new MalformedMessage('a field breaks off');
    this.at += sizeBytes;
  }
}
