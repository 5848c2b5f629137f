/** Numbers for texts, with their bytes: 0 is the empty text. */
export interface TextSource {
  readonly count: number;
  readonly bytes: Uint8Array;
  startOf(id: number): number;
  endOf(id: number): number;
}

/** A value and the number of rows, one behind the other, that have it. */
export interface Run<Value> {
  readonly value: Value;
  readonly rows: number;
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
    this.runs(name, type, [{ value, rows: this.rows }]);
  }

  /** Adds a column of values of a fixed size that stay the same over runs of rows. Takes  runs: as many rows as the block. */
  runs(name: string, type: string, runs: readonly Run<Uint8Array>[]): void {
    const values = new Uint8Array(this.rows * (runs[0]?.value.length ?? 0));
    let at = 0;
    for (const { value, rows } of runs) {
      const end = at + rows * value.length;
      if (at < end) values.set(value, at);
      // What is there already is copied behind itself: few large copies instead of one for every row.
      for (let size = value.length; size > 0 && at + size < end; size *= 2) {
        values.copyWithin(at + size, at, Math.min(at + size, end - size));
      }
      at = end;
    }
    this.fixed(name, type, values);
  }

  /** Adds a column that may be null. Takes  nulls: 1 where it is. */
  nullable(name: string, type: string, nulls: Uint8Array, values: ArrayBufferView): void {
    this.#columns.push({ name, type: `Nullable(${type})`, pieces: [nulls, bytesOf(values)] });
  }

  /**
   * Adds a column of texts. Each text is sent once, whatever type the table's column has.
   *
   * Takes  ids: of each row; where `places` is given, of each row at its place.
   */
  texts(name: string, texts: TextSource, ids: Uint32Array, places?: Int32Array): void {
    if (scratch.length < this.rows) scratch = new Uint32Array(this.rows);
    const keys = scratch.subarray(0, this.rows);
    const { entries, count } = pack(texts, ids, places, keys);
    this.#dictionary(name, entries, count, keys);
  }

  /** Adds a column of texts that hardly repeat. Takes  values: of all rows, each with its length in front, as RowWriter writes them. */
  strings(name: string, values: Uint8Array): void {
    this.#columns.push({ name, type: 'String', pieces: [bytesOf(values)] });
  }

  /** Adds a column of one text. */
  text(name: string, value: string): void {
    this.textRuns(name, [{ value, rows: this.rows }]);
  }

  /** Adds a column of texts that stay the same over runs of rows. Takes  runs: as many rows as the block. */
  textRuns(name: string, runs: readonly Run<string>[]): void {
    const places = new Map([['', 0]]);
    const keys = new Uint32Array(this.rows);
    let at = 0;
    for (const { value, rows } of runs) {
      let place = places.get(value);
      if (place === undefined) {
        place = places.size;
        places.set(value, place);
      }
      keys.fill(place, at, at + rows);
      at += rows;
    }
    this.#dictionary(name, Buffer.concat([...places.keys()].map(named)), places.size, keys);
  }

  /** Adds a column of lists. Takes  ends: of each row, how many items there are up to its last. */
  lists(name: string, type: string, ends: ArrayLike<number>, items: Uint8Array): void {
    const pieces = [wholeNumbers(ends), items];
    this.#columns.push({ name, type: `Array(${type})`, pieces });
  }

  /**
   * Adds a column of maps of texts that repeat.
   *
   * Takes  ends: of each row, how many items there are up to its last. names: of keys. texts: of values, each behind its length, the
   *        empty one first, and their number. keys, values: of all items, places among the names, from 1, and among the texts.
   */
  namedTexts(
    name: string,
    ends: readonly number[],
    names: readonly string[],
    keys: Uint32Array,
    texts: { readonly count: number; readonly bytes: Uint8Array },
    values: Uint32Array,
  ): void {
    // The empty text comes first in a dictionary.
    const nameBytes = Buffer.concat(['', ...names].map(named));
    const versions = BigUint64Array.of(DICTIONARY_VERSION, DICTIONARY_VERSION);
    const pieces = [bytesOf(versions), wholeNumbers(ends)];
    const items = [...dictionary(nameBytes, names.length + 1, keys), ...dictionary(texts.bytes, texts.count, values)];
    const type = 'Map(LowCardinality(String), LowCardinality(String))';
    this.#columns.push({ name, type, pieces: [...pieces, ...(keys.length > 0 ? items : [])] });
  }

  /** Adds a column of maps of any texts. Takes  ends: as above. keys, values: of all items, each with its length in front. */
  textMaps(name: string, ends: readonly number[], keys: Uint8Array, values: Uint8Array): void {
    const pieces = [wholeNumbers(ends), bytesOf(keys), bytesOf(values)];
    this.#columns.push({ name, type: 'Map(String, String)', pieces });
  }

  #dictionary(name: string, entries: Uint8Array, count: number, keys: Uint32Array): void {
    const pieces = [bytesOf(BigUint64Array.of(DICTIONARY_VERSION)), ...dictionary(entries, count, keys)];
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

/**
 * Packs a column of texts: every text once, in the order of first use, and which of them each row has.
 *
 * Takes  ids: of each row.
 * Gives  entries: each text behind its length, the empty one first. count: of entries. keys: the place of each row's entry.
 * Holds  equal columns of texts are packed alike, whatever their numbers are.
 */
export function packTexts(
  texts: TextSource,
  ids: Uint32Array,
): { entries: Uint8Array; count: number; keys: Uint32Array } {
  const keys = new Uint32Array(ids.length);
  return { ...pack(texts, ids, undefined, keys), keys };
}

/** Keys on their way to as few bytes as they need; used again for column after column. */
let scratch = new Uint32Array(0);

function pack(
  texts: TextSource,
  ids: Uint32Array,
  at: Int32Array | undefined,
  keys: Uint32Array,
): { entries: Uint8Array; count: number } {
  const places = new Uint32Array(texts.count);
  const used: number[] = [0];
  for (let row = 0; row < keys.length; row++) {
    const id = at === undefined ? ids[row]! : ids[at[row]!]!;
    let place = places[id]!;
    if (place === 0 && id !== 0) {
      place = used.push(id) - 1;
      places[id] = place;
    }
    keys[row] = place;
  }
  return { entries: textBytes(texts, used), count: used.length };
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

/** Texts as a dictionary, and the place of each item in it. */
function dictionary(entries: Uint8Array, count: number, keys: Uint32Array): readonly Uint8Array[] {
  const [width, places] = placesOf(count, keys);
  const head = BigUint64Array.of(DICTIONARY_FLAGS | width, BigInt(count));
  return [bytesOf(head), bytesOf(entries), bytesOf(BigUint64Array.of(BigInt(keys.length))), bytesOf(places)];
}

/** Places in a dictionary, in as few bytes as its size allows and in an array of their own, and the mark that says how many. */
function placesOf(count: number, keys: Uint32Array): readonly [width: bigint, places: ArrayBufferView] {
  if (count <= 0x100) return [0n, new Uint8Array(keys)];
  return count <= 0x1_0000 ? [1n, new Uint16Array(keys)] : [2n, keys.slice()];
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

/** Whole numbers of 64 bits. */
function wholeNumbers(values: ArrayLike<number>): Uint8Array {
  const words = new Uint32Array(values.length * 2);
  for (let at = 0; at < values.length; at++) {
    words[at * 2] = values[at]!;
    words[at * 2 + 1] = values[at]! / 2 ** 32;
  }
  return bytesOf(words);
}

/** The bytes of a typed array, in place. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
