import { type AsyncBuffer, type FileMetaData, parquetRead } from 'hyparquet';
import { exactParsers } from './parquet-text.ts';
import { unpackers } from './parquet-unpack.ts';

/** Rows unpacked at a time. More need more memory; fewer read the pages of a large row group more often. */
const SLICE_ROWS = 100_000;

/**
 * The values of any field in one row group, lists and structs among them, as the library reads them.
 *
 * Holds  one slice of the field in memory.
 */
export class FieldSlices {
  readonly #file: AsyncBuffer;
  readonly #metadata: FileMetaData;
  readonly #field: string;
  readonly #end: number;
  #next: number;
  #slice: readonly unknown[] = [];
  #taken = 0;

  /** Takes  start, end: the rows of the row group. */
  constructor(file: AsyncBuffer, metadata: FileMetaData, field: string, start: number, end: number) {
    this.#file = file;
    this.#metadata = metadata;
    this.#field = field;
    this.#next = start;
    this.#end = end;
  }

  /** The values of the next rows. */
  async take(rows: number): Promise<readonly unknown[]> {
    const values: unknown[] = [];
    while (values.length < rows) {
      if (this.#taken === this.#slice.length) await this.#nextSlice();
      const end = Math.min(this.#taken + rows - values.length, this.#slice.length);
      for (; this.#taken < end; this.#taken++) values.push(this.#slice[this.#taken]);
    }
    return values;
  }

  async #nextSlice(): Promise<void> {
    const [rowStart, rowEnd] = [this.#next, Math.min(this.#next + SLICE_ROWS, this.#end)];
    this.#slice = await readField(this.#file, this.#metadata, this.#field, rowStart, rowEnd);
    this.#next = rowEnd;
    this.#taken = 0;
  }
}

async function readField(
  file: AsyncBuffer,
  metadata: FileMetaData,
  field: string,
  rowStart: number,
  rowEnd: number,
): Promise<readonly unknown[]> {
  const values: unknown[] = new Array(rowEnd - rowStart).fill(null);
  let found = 0;
  await parquetRead({
    ...{ file, metadata, columns: [field], rowStart, rowEnd, compressors: unpackers, parsers: exactParsers },
    ...{ useOffsetIndex: true, utf8: false, geoparquet: false },
    onChunk: ({ columnName, columnData, rowStart: first }) => {
      if (columnName !== field) return;
      const from = Math.max(rowStart, first);
      const to = Math.min(rowEnd, first + columnData.length);
      for (let row = from; row < to; row++) values[row - rowStart] = columnData[row - first];
      found += Math.max(to - from, 0);
    },
  });
  if (found !== values.length) throw new Error(`the column ${field} has ${found} values for ${values.length} rows`);
  return values;
}
