import type { AsyncBuffer, ColumnChunk, ColumnMetaData, PageHeader, SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { PackedNumbers } from './packed-numbers.ts';
import { exactParsers, longNumber } from './parquet-text.ts';
import { unpackers } from './parquet-unpack.ts';
import { SharedValue } from './table.ts';

/** Encodings that are read here; columns with others are left to the library. RLE and BIT_PACKED are those of levels. */
const plainEncodings = new Set(['PLAIN', 'PLAIN_DICTIONARY', 'RLE_DICTIONARY', 'RLE', 'BIT_PACKED']);
/** Read at once to find a header in; most have less than 100 bytes. */
const WINDOW_BYTES = 64 * 1024;
/** What is made of shared values is kept: of a dictionary with more of them that would be too much. */
const MOST_SHARED = 8_192;
/** Bytes of the usual decimal. */
const LONG_DECIMAL = 16;
const LARGEST_PAGE = 256 * 1024 * 1024;

/** Says whether a column is as nearly all are: one value or none in each row, written plainly or through a dictionary. */
export function isPlainColumn({ element, children }: SchemaTree, chunk: ColumnChunk): boolean {
  const { meta_data: meta, file_path: elsewhere } = chunk;
  if (meta === undefined || elsewhere !== undefined || meta.type === 'BOOLEAN') return false;
  const isFlat = children.length === 0 && element.repetition_type !== 'REPEATED';
  return isFlat && meta.encodings.every((encoding) => plainEncodings.has(encoding));
}

type Values = (count: number) => ArrayLike<unknown>;

/**
 * The values of a plain column in one row group. Each page is unpacked once and read as rows are asked for; those of a dictionary are
 * shared values, unless it is a large one.
 *
 * Holds  one page and the dictionary in memory.
 */
export class ColumnPages {
  readonly #file: AsyncBuffer;
  readonly #meta: ColumnMetaData;
  readonly #name: string;
  readonly #isOptional: boolean;
  readonly #convert: (raw: ReturnType<typeof readPlain>) => ArrayLike<unknown>;
  readonly #end: number;
  readonly #length: number | undefined;
  readonly #isLongDecimal: boolean;
  #window = new Uint8Array(0);
  #windowAt = 0;
  #at: number;
  #dictionary: ArrayLike<unknown> | null = null;
  /** Of the page: rows not asked for yet, which of them hold a value, and the values. */
  #left = 0;
  #levels: PackedNumbers | null = null;
  #values: Values = () => [];
  #numbers = new Uint32Array(0);

  constructor(file: AsyncBuffer, tree: SchemaTree, meta: ColumnMetaData) {
    const { element } = tree;
    const start = meta.dictionary_page_offset || meta.data_page_offset;
    this.#file = file;
    this.#meta = meta;
    this.#name = element.name;
    this.#isOptional = element.repetition_type !== 'REQUIRED';
    this.#length = element.type_length;
    this.#isLongDecimal = element.precision !== undefined && element.type_length === LONG_DECIMAL;
    this.#at = Number(start);
    this.#end = Number(start + meta.total_compressed_size);
    const parsers = { ...DEFAULT_PARSERS, ...exactParsers };
    const decoder = { ...meta, pathInSchema: meta.path_in_schema, element, schemaPath: [tree], parsers, utf8: false };
    this.#convert = (raw) => convert(raw, decoder);
  }

  /** The values of the next rows; null where there is none. */
  async take(rows: number): Promise<readonly unknown[]> {
    const values: unknown[] = new Array(rows);
    if (this.#numbers.length < rows) this.#numbers = new Uint32Array(rows);
    for (let at = 0; at < rows; ) {
      while (this.#left === 0) await this.#nextPage();
      const end = Math.min(at + this.#left, rows);
      this.#fill(values, at, end);
      this.#left -= end - at;
      at = end;
    }
    return values;
  }

  #fill(values: unknown[], from: number, to: number): void {
    if (this.#levels === null) {
      const found = this.#values(to - from);
      for (let row = from; row < to; row++) values[row] = found[row - from];
      return;
    }
    const levels = this.#numbers;
    this.#levels.read(levels, to - from);
    let present = 0;
    for (let row = from; row < to; row++) {
      const isThere = levels[row - from]!;
      values[row] = isThere === 0 ? null : undefined;
      present += isThere;
    }
    const found = this.#values(present);
    for (let row = from, next = 0; next < present; row++) if (values[row] !== null) values[row] = found[next++];
  }

  async #nextPage(): Promise<void> {
    if (this.#at >= this.#end) throw new Error(`the column ${this.#name} has fewer values than there are rows`);
    const header = await this.#header();
    const { compressed_page_size: packedBytes, uncompressed_page_size: sizeBytes } = header;
    if (!isSize(packedBytes) || !isSize(sizeBytes)) throw new Error('a parquet page is too large');
    const packed = await this.#bytes(packedBytes);
    this.#at += packedBytes;
    if (header.type === 'DICTIONARY_PAGE') this.#openDictionary(this.#unpacked(packed, sizeBytes), header);
    else if (header.type === 'DATA_PAGE') this.#openPage(this.#unpacked(packed, sizeBytes), header);
    else if (header.type === 'DATA_PAGE_V2') this.#openPageV2(packed, header);
  }

  #openDictionary(bytes: Uint8Array, { dictionary_page_header: head }: PageHeader): void {
    const values = this.#convert(readPlain(readerOf(bytes), this.#meta.type, head!.num_values, this.#length));
    this.#dictionary = values.length > MOST_SHARED ? values : Array.from(values, (raw) => new SharedValue(raw));
  }

  #openPage(bytes: Uint8Array, { data_page_header: head }: PageHeader): void {
    let at = 0;
    if (this.#isOptional) {
      at = 4 + readerOf(bytes).view.getUint32(0, true);
      this.#levels = new PackedNumbers(bytes.subarray(4, at), 1);
    }
    this.#left = this.#countOf(head!.num_values);
    this.#values = this.#valuesOf(bytes.subarray(at), head!.encoding);
  }

  /** Here the levels stand before what is packed. */
  #openPageV2(packed: Uint8Array, { data_page_header_v2: head, uncompressed_page_size: sizeBytes }: PageHeader): void {
    const { repetition_levels_byte_length: before, definition_levels_byte_length: levelBytes } = head!;
    const at = before + levelBytes;
    if (this.#isOptional) this.#levels = new PackedNumbers(packed.subarray(before, at), 1);
    const rest = packed.subarray(at);
    this.#left = this.#countOf(head!.num_rows);
    this.#values = this.#valuesOf(
      head!.is_compressed === false ? rest : this.#unpacked(rest, sizeBytes - at),
      head!.encoding,
    );
  }

  /** A damaged header may say anything. */
  #countOf(values: number): number {
    if (values < 0) throw new Error(`a page of the column ${this.#name} has ${values} values`);
    return values;
  }

  #valuesOf(bytes: Uint8Array, encoding: string): Values {
    const { type } = this.#meta;
    if (encoding === 'PLAIN') {
      const reader = readerOf(bytes);
      if (this.#isLongDecimal) return (count) => longDecimals(reader, count);
      return (count) => this.#convert(readPlain(reader, type, count, this.#length));
    }
    if (!encoding.endsWith('_DICTIONARY')) throw new Error(`parquet encoding ${encoding} where it is not announced`);
    // A page of only nulls has not even the width.
    const places = new PackedNumbers(bytes.subarray(1), bytes[0] ?? 0);
    return (count) => this.#fromDictionary(places, count);
  }

  #fromDictionary(places: PackedNumbers, count: number): ArrayLike<unknown> {
    const dictionary = this.#dictionary ?? [];
    const numbers = this.#numbers;
    const values: unknown[] = new Array(count);
    places.read(numbers, count);
    for (let i = 0; i < count; i++) {
      if (numbers[i]! >= dictionary.length) throw new Error(`the dictionary of column ${this.#name} is too small`);
      values[i] = dictionary[numbers[i]!];
    }
    return values;
  }

  #unpacked(packed: Uint8Array, sizeBytes: number): Uint8Array {
    return decompressPage(packed, sizeBytes, this.#meta.codec, unpackers);
  }

  /** How long a header is shows only when it is read: it is tried in larger and larger windows. */
  async #header(): Promise<PageHeader> {
    for (let sizeBytes = WINDOW_BYTES; ; sizeBytes *= 16) {
      const isAll = this.#at + sizeBytes >= this.#end;
      const reader = readerOf(await this.#bytes(isAll ? this.#end - this.#at : sizeBytes));
      try {
        const header = parquetHeader(reader);
        this.#at += reader.offset;
        return header;
      } catch (cause) {
        if (isAll) throw cause;
      }
    }
  }

  /** Bytes of the file from where the reading is. */
  async #bytes(sizeBytes: number): Promise<Uint8Array> {
    const end = this.#at + sizeBytes;
    if (end > this.#end) throw new Error(`the column ${this.#name} ends too early`);
    if (this.#at < this.#windowAt || end > this.#windowAt + this.#window.length) {
      const upTo = Math.min(Math.max(end, this.#at + WINDOW_BYTES), this.#end);
      this.#window = new Uint8Array(await this.#file.slice(this.#at, upTo));
      this.#windowAt = this.#at;
    }
    return this.#window.subarray(this.#at - this.#windowAt, end - this.#windowAt);
  }
}

/** The whole numbers behind decimals. They hardly repeat: a view of the bytes of each would take longer than to read it. */
function longDecimals(reader: { readonly view: DataView; offset: number }, count: number): readonly bigint[] {
  const values: bigint[] = new Array(count);
  for (let i = 0; i < count; i++, reader.offset += LONG_DECIMAL) values[i] = longNumber(reader.view, reader.offset);
  return values;
}

function isSize(sizeBytes: number): boolean {
  return sizeBytes >= 0 && sizeBytes <= LARGEST_PAGE;
}

function readerOf(bytes: Uint8Array): { view: DataView; offset: number } {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
}
