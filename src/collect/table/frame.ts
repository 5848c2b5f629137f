import { bytesOf } from '../../store/index.ts';
import { plainColumns, textColumns } from './columns.ts';
import { measures, type SpanTable } from './span-table.ts';

/** Payloads whose memory waits for the next ones. */
const MOST_FREE = 16;
const LARGEST_FREE = 2 << 20;

/**
 * Writes the rows of a table as the payload of one journal frame:
 *   rows u32, texts u32, bytes of texts u32, measures u32 (a bit for each column that follows)
 *   same u64 (a bit for each column whose rows are all equal: plain ones first, then texts)
 *   texts    the end of each u32, their bytes
 *   columns  plain ones, text numbers (of this frame, 1 the first), measures; each as it lies in memory, padded to 8 bytes;
 *            of one whose rows are all equal only the first row
 *   links    rows with links u32; for each its row u32, words u32, the words
 */
export class FrameWriter {
  readonly #table: SpanTable;
  /** Of each text of the table: its number in this frame, and in which frame that was. */
  #local = new Uint32Array(1024);
  #frame = new Uint32Array(1024);
  #frames = 0;
  readonly #free: ArrayBuffer[] = [];

  constructor(table: SpanTable) {
    this.#table = table;
  }

  /** Takes back the memory of a payload that nobody reads any more, for the next ones. */
  giveBack({ buffer }: Buffer): void {
    if (this.#free.length < MOST_FREE && buffer.byteLength <= LARGEST_FREE) this.#free.push(buffer as ArrayBuffer);
  }

  /** Memory for a payload, as it comes: every byte of it is written, but those that pad. */
  #memory(size: number): ArrayBuffer {
    const place = this.#free.findIndex(({ byteLength }) => byteLength >= size);
    const [found] = place < 0 ? [] : this.#free.splice(place, 1);
    if (found === undefined && this.#free.length === MOST_FREE) this.#free.shift();
    return found ?? (Buffer.allocUnsafeSlow(size + (size >>> 2)).buffer as ArrayBuffer);
  }

  /** Gives a buffer of its own. */
  payload(): Buffer {
    const table = this.#table;
    const { rows } = table;
    const same = samenessOf(table);
    const texts = this.#localTexts(same);
    const present = measures.flatMap((_, which) => ((table.measured & (1 << which)) !== 0 ? [which] : []));
    const textBytes = texts.reduce((sum, id) => sum + table.texts.endOf(id) - table.texts.startOf(id), 0);
    const size = padded(payloadBytes(table, texts.length, textBytes, present.length, same));
    const writer = new SectionWriter(this.#memory(size));
    writer.words([rows, texts.length, textBytes, table.measured, ...bitsOf(same)]);
    let end = 0;
    writer.words(texts.map((id) => (end += table.texts.endOf(id) - table.texts.startOf(id))));
    for (const id of texts) writer.bytes(table.texts.bytes, table.texts.startOf(id), table.texts.endOf(id));
    writer.pad();
    plainColumns.forEach(({ field, stride }, place) => {
      const column = table[field];
      writer.bytes(bytesOf(column), 0, (same[place] ? 1 : rows) * stride * column.BYTES_PER_ELEMENT);
      writer.pad();
    });
    textColumns.forEach(({ field }, place) => {
      writer.mapped(table[field], same[plainColumns.length + place] ? 1 : rows, this.#local);
    });
    for (const which of present) writer.bytes(bytesOf(table.measures[which]!), 0, rows * 8);
    writer.words([table.links.size]);
    for (const [row, links] of table.links) writer.words([row, links.length, ...links]);
    return writer.buffer;
  }

  /** The texts that rows use, in the order of their first use. */
  #localTexts(same: readonly boolean[]): number[] {
    const { texts, rows } = this.#table;
    if (texts.count > this.#local.length) {
      this.#local = new Uint32Array(texts.count * 2);
      this.#frame = new Uint32Array(texts.count * 2);
    }
    const [local, frame, number] = [this.#local, this.#frame, ++this.#frames];
    const used: number[] = [];
    local[0] = 0;
    textColumns.forEach(({ field }, place) => {
      const column = this.#table[field];
      const differing = same[plainColumns.length + place] ? 1 : rows;
      for (let row = 0; row < differing; row++) {
        const id = column[row]!;
        if (id === 0 || frame[id] === number) continue;
        frame[id] = number;
        used.push(id);
        local[id] = used.length;
      }
    });
    return used;
  }
}

/** Of each column, plain ones first, whether it says the same in every row. */
function samenessOf(table: SpanTable): boolean[] {
  return [
    ...plainColumns.map(({ field, stride }) => isSame(table[field], table.rows * stride, stride)),
    ...textColumns.map(({ field }) => isSame(table[field], table.rows, 1)),
  ];
}

function isSame(column: Uint8Array | Uint16Array | Uint32Array, length: number, stride: number): boolean {
  for (let at = stride; at < length; at++) if (column[at] !== column[at - stride]) return false;
  return length > stride;
}

/** Two words of bits. */
function bitsOf(flags: readonly boolean[]): [number, number] {
  const word = (from: number) =>
    flags.slice(from, from + 32).reduce((bits, flag, at) => bits | (flag ? 1 << at : 0), 0);
  return [word(0) >>> 0, word(32) >>> 0];
}

function payloadBytes(
  table: SpanTable,
  texts: number,
  textBytes: number,
  present: number,
  same: readonly boolean[],
): number {
  let size = 32 + texts * 4 + padded(textBytes) + 8;
  plainColumns.forEach(({ field, stride }, place) => {
    size += padded((same[place] ? 1 : table.rows) * stride * table[field].BYTES_PER_ELEMENT);
  });
  textColumns.forEach((_, place) => {
    size += padded((same[plainColumns.length + place] ? 1 : table.rows) * 4);
  });
  size += present * table.rows * 8;
  for (const links of table.links.values()) size += 8 + links.length * 4;
  return size + 8;
}

function padded(size: number): number {
  return (size + 7) & ~7;
}

class SectionWriter {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(memory: ArrayBuffer) {
    this.#bytes = Buffer.from(memory);
  }

  get buffer(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  words(words: readonly number[]): void {
    for (const word of words) this.#at = this.#bytes.writeUInt32LE(word, this.#at);
  }

  bytes(source: Uint8Array, start: number, end: number): void {
    this.#bytes.set(source.subarray(start, end), this.#at);
    this.#at += end - start;
  }

  pad(): void {
    const end = padded(this.#at);
    this.#bytes.fill(0, this.#at, end);
    this.#at = end;
  }

  mapped(column: Uint32Array, rows: number, map: Uint32Array): void {
    const target = new Uint32Array(this.#bytes.buffer, this.#at, rows);
    for (let row = 0; row < rows; row++) target[row] = map[column[row]!]!;
    this.#at += rows * 4;
    this.pad();
  }
}

/**
 * Adds the rows of a frame to a table.
 *
 * Takes  segment, position: where in the journal its first row stands.
 * Fails  RangeError when the payload is not one that FrameWriter wrote.
 */
export function appendFrame(table: SpanTable, payload: Buffer, segment: number, position: number): void {
  const reader = new SectionReader(payload);
  const [rows, texts, textBytes, present] = [reader.word(), reader.word(), reader.word(), reader.word()];
  const same = [reader.word(), reader.word()];
  const isSame = (place: number) => (same[place >>> 5]! & (1 << (place & 31))) !== 0;
  const numbers = reader.texts(table, texts, textBytes);
  reader.pad();
  const first = table.reserve(rows);
  plainColumns.forEach(({ field, stride }, place) => {
    const column = table[field];
    const [at, size] = [first * stride * column.BYTES_PER_ELEMENT, stride * column.BYTES_PER_ELEMENT];
    if (isSame(place)) reader.repeated(bytesOf(column), at, size, rows);
    else reader.into(bytesOf(column), at, size * rows);
    reader.pad();
  });
  textColumns.forEach(({ field }, place) => {
    const column = table[field];
    if (isSame(plainColumns.length + place)) column.fill(numbers[reader.word()]!, first, first + rows);
    else {
      reader.into(bytesOf(column), first * 4, rows * 4);
      for (let row = first; row < first + rows; row++) column[row] = numbers[column[row]!]!;
    }
    reader.pad();
  });
  for (let which = 0; which < measures.length; which++) {
    if ((present & (1 << which)) !== 0) reader.into(bytesOf(table.measureColumn(which)), first * 8, rows * 8);
  }
  for (let left = reader.word(); left > 0; left--) {
    const row = first + reader.word();
    table.links.set(
      row,
      Uint32Array.from({ length: reader.word() }, () => reader.word()),
    );
  }
  table.segment.fill(segment, first, first + rows);
  for (let row = 0; row < rows; row++) table.position[first + row] = position + row;
}

/** How many rows a frame holds. */
export function rowsOf(payload: Buffer): number {
  return payload.length < 4 ? 0 : payload.readUInt32LE(0);
}

class SectionReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  word(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  pad(): void {
    this.#at = padded(this.#at);
  }

  into(target: Uint8Array, at: number, size: number): void {
    if (this.#at + size > this.#bytes.length) throw new RangeError('a frame breaks off');
    target.set(this.#bytes.subarray(this.#at, this.#at + size), at);
    this.#at += size;
  }

  /** Copies one value into so many places. */
  repeated(target: Uint8Array, at: number, size: number, times: number): void {
    this.into(target, at, size);
    const end = at + size * times;
    for (let done = size; at + done < end; done *= 2) {
      target.copyWithin(at + done, at, Math.min(at + done, end - done));
    }
  }

  /** Gives the table's number for each of the frame's. */
  texts(table: SpanTable, count: number, size: number): Uint32Array {
    const start = this.#at + count * 4;
    if (start + size > this.#bytes.length) throw new RangeError('a frame breaks off');
    const numbers = new Uint32Array(count + 1);
    let from = start;
    for (let text = 1; text <= count; text++) {
      const end = start + this.word();
      numbers[text] = table.texts.idOf(this.#bytes, from, end);
      from = end;
    }
    this.#at = start + size;
    return numbers;
  }
}
