/** Numbers for texts, with their bytes: 0 is the empty text. */
export interface TextSource {
  readonly count: number;
  readonly bytes: Uint8Array;
  startOf(id: number): number;
  endOf(id: number): number;
}

/** One column of a block: its name, its type, and its bytes in as many pieces as it takes. */
interface BlockColumn {
  readonly name: string;
  readonly type: string;
  readonly pieces: readonly Uint8Array[];
}

// From the engine's Native format: shared dictionaries; additional keys, and all of them in this block.
const DICTIONARY_VERSION = 1n;
const DICTIONARY_FLAGS = 0x600n;

/**
 * Rows for one insert, by columns, as the engine keeps them itself: its Native format, the cheapest it can read.
 * Memory of typed arrays goes out as it is, so this needs a little-endian machine, which all of ours are.
 *
 * Holds  every column has as many rows as the block.
 * From   ClickHouse, Native format; the layout of LowCardinality as in its serialisation.
 */
export class Block {
  readonly rows: number;
  readonly #columns: BlockColumn[] = [];

  constructor(rows: number) {
    this.rows = rows;
  }

  /** The names of its columns, in their order. */
  get columns(): readonly string[] {
    return this.#columns.map(({ name }) => name);
  }

  /** Adds a column of values of a fixed size: numbers, times, ids, Decimals. Takes  values: as they lie in memory. */
  fixed(name: string, type: string, values: ArrayBufferView): void {
    this.#columns.push({ name, type, pieces: [bytesOf(values)] });
  }

  /** Adds a column that has the same value in every row. */
  constant(name: string, type: string, value: Uint8Array): void {
    const values = new Uint8Array(this.rows * value.length);
    for (let at = 0; at < values.length; at += value.length) values.set(value, at);
    this.fixed(name, type, values);
  }

  /** Adds a column that may be null. Takes  nulls: 1 where it is. */
  nullable(name: string, type: string, nulls: Uint8Array, values: ArrayBufferView): void {
    this.#columns.push({ name, type: `Nullable(${type})`, pieces: [nulls, bytesOf(values)] });
  }

  /** Adds a column of texts. Takes  ids: of each row. Each text is sent once, whatever type the table's column has. */
  texts(name: string, texts: TextSource, ids: Uint32Array): void {
    const places = new Uint32Array(texts.count);
    const used: number[] = [0];
    const keys = new Uint32Array(this.rows);
    for (let row = 0; row < this.rows; row++) {
      const id = ids[row]!;
      let place = places[id]!;
      if (place === 0 && id !== 0) {
        place = used.push(id) - 1;
        places[id] = place;
      }
      keys[row] = place;
    }
    this.#dictionary(name, textBytes(texts, used), used.length, keys);
  }

  /** Adds a column of texts that hardly repeat. Takes  values: of all rows, each with its length in front, as RowWriter writes them. */
  strings(name: string, values: Uint8Array): void {
    this.#columns.push({ name, type: 'String', pieces: [bytesOf(values)] });
  }

  /** Adds a column of one text. */
  text(name: string, value: string): void {
    const bytes = Buffer.from(value);
    const hasValue = bytes.length > 0;
    const entries = Buffer.concat([Buffer.of(0), ...(hasValue ? [varint(bytes.length), bytes] : [])]);
    this.#dictionary(name, entries, hasValue ? 2 : 1, new Uint32Array(this.rows).fill(hasValue ? 1 : 0));
  }

  /** Adds a column of lists. Takes  ends: of each row, how many items there are up to its last. */
  lists(name: string, type: string, ends: readonly number[], items: Uint8Array): void {
    const pieces = [bytesOf(BigUint64Array.from(ends, BigInt)), items];
    this.#columns.push({ name, type: `Array(${type})`, pieces });
  }

  #dictionary(name: string, entries: Uint8Array, count: number, keys: Uint32Array): void {
    const [width, values] =
      count <= 0x100 ? [0n, Uint8Array.from(keys)] : count <= 0x1_0000 ? [1n, Uint16Array.from(keys)] : [2n, keys];
    const head = BigUint64Array.of(DICTIONARY_VERSION, DICTIONARY_FLAGS | width, BigInt(count));
    const pieces = [bytesOf(head), entries, bytesOf(BigUint64Array.of(BigInt(this.rows))), bytesOf(values)];
    this.#columns.push({ name, type: 'LowCardinality(String)', pieces });
  }

  /** The whole block, in the pieces it is made of. */
  *pieces(): Iterable<Uint8Array> {
    yield Buffer.concat([varint(this.#columns.length), varint(this.rows)]);
    for (const { name, type, pieces } of this.#columns) {
      yield Buffer.concat([named(name), named(type)]);
      if (this.rows > 0) yield* pieces;
    }
  }
}

function textBytes(texts: TextSource, ids: readonly number[]): Uint8Array {
  let size = 0;
  for (const id of ids) size += texts.endOf(id) - texts.startOf(id) + 5;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const id of ids) {
    const [start, end] = [texts.startOf(id), texts.endOf(id)];
    let length = end - start;
    for (; length >= 0x80; length >>>= 7) bytes[at++] = (length & 0x7f) | 0x80;
    bytes[at++] = length;
    bytes.set(texts.bytes.subarray(start, end), at);
    at += end - start;
  }
  return bytes.subarray(0, at);
}

function named(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
