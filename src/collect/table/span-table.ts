import { measuredDrivers } from '../../model/index.ts';
import { Texts } from '../../store/index.ts';
import { plainColumns, type TableColumns, textColumns } from './columns.ts';

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Quantities that are absent unless somebody measured them, in row order. */
export const measures = [...measuredDrivers, 'records', 'fee_pico', 'fee_currency'] as const;

/** Where a row comes from: what the sender gave us. */
export const Origin = { span: 0, log: 1, event: 2 } as const;

const FIRST_ROWS = 256;
const GROWTH = 1.6;
/** Of a link: four of a trace id, two of a span id. */
export const LINK_WORDS = 6;

/**
 * Received spans by columns: what decoders fill, the journal keeps, assembly decides by, and the store takes.
 *
 * Columns lie in memory as the engine wants them (little-endian), so nearly all of the way they are copied as blocks of bytes.
 * Ids, times and weights are 32-bit words, several for a row, lower half first: `columns.ts` lists them all. Texts are numbers
 * in `texts`. A measure that no row has takes no room; NaN is absent.
 */
export interface SpanTable extends TableColumns {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor makes every column of the list
export class SpanTable {
  readonly texts = new Texts();
  rows = 0;
  /** Where in the journal a span was first seen. */
  segment: Float64Array;
  position: Uint32Array;
  readonly measures: (Float64Array | null)[] = measures.map(() => null);
  /** A bit for each measure that some row has. */
  measured = 0;
  /** For rows with links: trace and span id of each, six words. */
  readonly links = new Map<number, Uint32Array>();
  #capacity: number;

  constructor(capacity = FIRST_ROWS) {
    this.#capacity = capacity;
    const columns = this as Record<string, unknown>;
    for (const { field, array: Column, stride } of plainColumns) columns[field] = new Column(capacity * stride);
    for (const { field } of textColumns) columns[field] = new Uint32Array(capacity);
    this.segment = new Float64Array(capacity);
    this.position = new Uint32Array(capacity);
  }

  /** Makes room for more rows and gives the number of the first of them. What stands there is of no meaning yet. */
  reserve(rows: number): number {
    const first = this.rows;
    this.rows += rows;
    if (this.rows > this.#capacity) this.#grow(Math.max(this.rows, Math.ceil(this.#capacity * GROWTH)));
    return first;
  }

  /** Takes back rows from one on. */
  truncate(rows: number): void {
    if (rows === 0) this.links.clear();
    else if (this.links.size > 0) for (let row = rows; row < this.rows; row++) this.links.delete(row);
    for (const measure of this.measures) measure?.fill(Number.NaN, rows, this.rows);
    if (rows === 0) this.measured = 0;
    this.rows = rows;
  }

  /** Sets a measure of a row. */
  measure(which: number, row: number, value: number): void {
    this.measureColumn(which)[row] = value;
  }

  measureColumn(which: number): Float64Array {
    this.measured |= 1 << which;
    let column = this.measures[which];
    if (column) return column;
    column = new Float64Array(this.#capacity).fill(Number.NaN);
    this.measures[which] = column;
    return column;
  }

  /** Copies what the sender gave of a row of another table; gives its number here. */
  copyRow(from: SpanTable, source: number): number {
    const row = this.reserve(1);
    for (const { field, stride } of plainColumns) {
      const [column, other] = [this[field], from[field]];
      for (let word = 0; word < stride; word++) column[row * stride + word] = other[source * stride + word]!;
    }
    for (const { field } of textColumns) this[field][row] = this.texts.idFrom(from.texts, from[field][source]!);
    from.measures.forEach((measure, which) => {
      const value = measure?.[source] ?? Number.NaN;
      if (value >= 0) this.measure(which, row, value);
    });
    const links = from.links.get(source);
    if (links) this.links.set(row, links);
    this.segment[row] = from.segment[source]!;
    this.position[row] = from.position[source]!;
    return row;
  }

  #grow(capacity: number): void {
    this.#capacity = capacity;
    const columns = this as Record<string, unknown>;
    for (const { field, stride } of plainColumns) columns[field] = grown(this[field], capacity * stride);
    for (const { field } of textColumns) columns[field] = grown(this[field], capacity);
    this.segment = grown(this.segment, capacity);
    this.position = grown(this.position, capacity);
    this.measures.forEach((measure, which) => {
      if (measure !== null) this.measures[which] = grown(measure, capacity, Number.NaN);
    });
  }
}

function grown<C extends Column>(column: C, length: number, absent = 0): C {
  const larger = new (column.constructor as new (length: number) => C)(length);
  larger.set(column);
  if (absent !== 0) larger.fill(absent, column.length);
  return larger;
}
