/** Below this size a loop is quicker than a call into the runtime. */
const COPIED_BY_HAND = 300;
const SHORT_TEXT = 64;
const LARGEST_I64 = 2n ** 63n - 1n;

/** One number of 128 bits and its bytes: quicker than a call into the runtime for each half. */
const longWords = new BigInt64Array(2);
const longBytes = new Uint8Array(longWords.buffer);

/**
 * Builds RowBinary: the engine's own format of rows. `Block` is for columns.
 * Grows as needed; `bytes()` is a view that the next write may overwrite.
 */
export class RowWriter {
  #buffer: Buffer;
  #end = 0;

  constructor(sizeBytes = 64 * 1024) {
    this.#buffer = Buffer.allocUnsafe(sizeBytes);
  }

  get sizeBytes(): number {
    return this.#end;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#end);
  }

  reset(): void {
    this.#end = 0;
  }

  u8(value: number): void {
    this.#room(1);
    this.#buffer[this.#end++] = value;
  }

  u16(value: number): void {
    this.#room(2);
    this.#end = this.#buffer.writeUInt16LE(value, this.#end);
  }

  u32(value: number): void {
    this.#room(4);
    this.#end = this.#buffer.writeUInt32LE(value, this.#end);
  }

  /** A 64-bit whole number that is not negative and fits a double exactly. */
  u64(value: number): void {
    this.#room(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.#buffer.writeUInt32LE(value - high * 0x1_0000_0000, this.#end);
    this.#buffer.writeUInt32LE(high, this.#end + 4);
    this.#end += 8;
  }

  i64(value: bigint): void {
    this.#room(8);
    this.#end = this.#buffer.writeBigInt64LE(value, this.#end);
  }

  i128(value: bigint): void {
    this.#room(16);
    longWords[0] = value;
    longWords[1] = value >> 64n;
    const target = this.#buffer;
    for (let i = 0; i < 16; i++) target[this.#end + i] = longBytes[i]!;
    this.#end += 16;
  }

  /** A 128-bit number that fits a double exactly. */
  i128whole(value: number): void {
    const high = Math.floor(value / 0x1_0000_0000);
    this.u64halves(value - high * 0x1_0000_0000, high >>> 0);
    const sign = value < 0 ? 0xffff_ffff : 0;
    this.u64halves(sign, sign);
  }

  i256(value: bigint): void {
    if (value >= 0n && value <= LARGEST_I64) {
      this.i64(value);
      this.#room(24);
      this.#buffer.fill(0, this.#end, this.#end + 24);
      this.#end += 24;
      return;
    }
    this.i128(BigInt.asIntN(128, value));
    this.i128(BigInt.asIntN(128, value >> 128n));
  }

  varint(value: number): void {
    this.#room(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#end++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#end++] = rest;
  }

  text(value: string): void {
    if (value.length < SHORT_TEXT && this.#asciiText(value)) return;
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.#room(size);
    this.#end += this.#buffer.write(value, this.#end);
  }

  /** Most texts are short and plain: written by hand they need no call into the runtime. Gives false when this one is not. */
  #asciiText(value: string): boolean {
    const size = value.length;
    this.#room(size + 1);
    const target = this.#buffer;
    const start = this.#end;
    for (let i = 0; i < size; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      target[start + 1 + i] = code;
    }
    target[start] = size;
    this.#end = start + 1 + size;
    return true;
  }

  /** A text given as UTF-8 bytes. */
  textBytes(source: Buffer, start: number, end: number): void {
    const size = end - start;
    this.varint(size);
    this.#room(size);
    // Short texts are copied faster by hand than by a call into the runtime.
    if (size < 24) {
      const target = this.#buffer;
      for (let from = start, to = this.#end; from < end; from++, to++) target[to] = source[from]!;
    } else {
      source.copy(this.#buffer, this.#end, start, end);
    }
    this.#end += size;
  }

  /** Bytes kept as a latin1 text, one character each. */
  latin1(text: string): void {
    this.#room(text.length);
    this.#end += this.#buffer.write(text, this.#end, 'latin1');
  }

  /** Bytes from another buffer as they are. */
  copy(source: Buffer, start: number, end: number): void {
    this.#room(end - start);
    const target = this.#buffer;
    if (end - start > COPIED_BY_HAND) source.copy(target, this.#end, start, end);
    else for (let from = start, to = this.#end; from < end; from++, to++) target[to] = source[from]!;
    this.#end += end - start;
  }

  /** Takes back what was written behind a place. */
  truncate(sizeBytes: number): void {
    this.#end = sizeBytes;
  }

  /** Bytes of a known length: a FixedString. */
  fixed(source: Buffer, start: number, length: number): void {
    this.#room(length);
    const target = this.#buffer;
    for (let from = start, to = this.#end; from < start + length; from++, to++) target[to] = source[from]!;
    this.#end += length;
  }

  /** A 64-bit number given as two halves. */
  u64halves(low: number, high: number): void {
    this.#room(8);
    this.#buffer.writeUInt32LE(low, this.#end);
    this.#buffer.writeUInt32LE(high, this.#end + 4);
    this.#end += 8;
  }

  /** Puts a 32-bit number back at a place that was left open for it. */
  patchU32(at: number, value: number): void {
    this.#buffer.writeUInt32LE(value, at);
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #room(sizeBytes: number): void {
    if (this.#end + sizeBytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#end + sizeBytes));
    this.#buffer.copy(grown, 0, 0, this.#end);
    this.#buffer = grown;
  }
}
