import { measuredDrivers } from '../../model/index.ts';
import { Texts } from '../../store/index.ts';

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Quantities that are absent unless somebody measured them, in row order. */
export const measures = [...measuredDrivers, 'records'] as const;

/** Where a row comes from: what the sender gave us. */
export const Origin = { span: 0, log: 1, event: 2 } as const;

const FIRST_ROWS = 256;
/** Of a link: four of a trace id, two of a span id. */
export const LINK_WORDS = 6;

/**
 * Received spans by columns: what decoders fill, the journal keeps, assembly decides by, and the store takes.
 *
 * Columns lie in memory as the engine wants them (little-endian), so nearly all of the way they are copied as blocks of bytes.
 * Ids, times and weights are 32-bit words, several for a row: `trace` 4, `span`, `parent`, `start`, `end`, `weight` 2, lower half first.
 * Texts are numbers in `texts`. A measure that no row has takes no room; NaN is absent.
 */
export class SpanTable {
  readonly texts = new Texts();
  rows = 0;
  trace: Uint32Array;
  span: Uint32Array;
  /** Zero for no parent. */
  parent: Uint32Array;
  /** Nanoseconds since 1970. */
  start: Uint32Array;
  end: Uint32Array;
  /** Whole millionths. */
  weight: Uint32Array;
  namespace: Uint32Array;
  service: Uint32Array;
  pod: Uint32Array;
  name: Uint32Array;
  peer: Uint32Array;
  endpoint: Uint32Array;
  tenant: Uint32Array;
  resolver: Uint32Array;
  resourceTenant: Uint32Array;
  resourceResolver: Uint32Array;
  consumer: Uint32Array;
  callKind: Uint32Array;
  region: Uint32Array;
  version: Uint32Array;
  /** Feature flags, as `key=variant`. */
  flags: Uint32Array;
  status: Uint16Array;
  origin: Uint8Array;
  kind: Uint8Array;
  isTimed: Uint8Array;
  isWeightKnown: Uint8Array;
  isDb: Uint8Array;
  isError: Uint8Array;
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
    this.trace = new Uint32Array(capacity * 4);
    this.span = new Uint32Array(capacity * 2);
    this.parent = new Uint32Array(capacity * 2);
    this.start = new Uint32Array(capacity * 2);
    this.end = new Uint32Array(capacity * 2);
    this.weight = new Uint32Array(capacity * 2);
    this.namespace = new Uint32Array(capacity);
    this.service = new Uint32Array(capacity);
    this.pod = new Uint32Array(capacity);
    this.name = new Uint32Array(capacity);
    this.peer = new Uint32Array(capacity);
    this.endpoint = new Uint32Array(capacity);
    this.tenant = new Uint32Array(capacity);
    this.resolver = new Uint32Array(capacity);
    this.resourceTenant = new Uint32Array(capacity);
    this.resourceResolver = new Uint32Array(capacity);
    this.consumer = new Uint32Array(capacity);
    this.callKind = new Uint32Array(capacity);
    this.region = new Uint32Array(capacity);
    this.version = new Uint32Array(capacity);
    this.flags = new Uint32Array(capacity);
    this.status = new Uint16Array(capacity);
    this.origin = new Uint8Array(capacity);
    this.kind = new Uint8Array(capacity);
    this.isTimed = new Uint8Array(capacity);
    this.isWeightKnown = new Uint8Array(capacity);
    this.isDb = new Uint8Array(capacity);
    this.isError = new Uint8Array(capacity);
    this.segment = new Float64Array(capacity);
    this.position = new Uint32Array(capacity);
  }

  /** Columns of numbers that a sender gave, with the number of elements of one row. */
  plainColumns(): readonly (readonly [column: Column, stride: number])[] {
    const { trace, span, parent, start, end, weight } = this;
    const { status, origin, kind, isTimed, isWeightKnown, isDb, isError } = this;
    const ids = [[trace, 4] as const, ...[span, parent, start, end, weight].map((column) => [column, 2] as const)];
    return [
      ...ids,
      ...[status, origin, kind, isTimed, isWeightKnown, isDb, isError].map((column) => [column, 1] as const),
    ];
  }

  /** Columns of numbers of texts. */
  textColumns(): readonly Uint32Array[] {
    const { namespace, service, pod, name, peer, endpoint, tenant } = this;
    const { resolver, resourceTenant, resourceResolver, consumer, callKind, region, version, flags } = this;
    return [
      ...[namespace, service, pod, name, peer, endpoint, tenant],
      ...[resolver, resourceTenant, resourceResolver, consumer, callKind, region, version, flags],
    ];
  }

  /** Makes room for more rows and gives the number of the first of them. What stands there is of no meaning yet. */
  reserve(rows: number): number {
    const first = this.rows;
    this.rows += rows;
    if (this.rows > this.#capacity) this.#grow(Math.max(this.rows, this.#capacity * 2));
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
    const [plain, others] = [this.plainColumns(), from.plainColumns()];
    for (let i = 0; i < plain.length; i++) {
      const [column, stride] = plain[i]!;
      for (let word = 0; word < stride; word++) column[row * stride + word] = others[i]![0][source * stride + word]!;
    }
    const [texts, otherTexts] = [this.textColumns(), from.textColumns()];
    for (let i = 0; i < texts.length; i++) texts[i]![row] = this.texts.idFrom(from.texts, otherTexts[i]![source]!);
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
    this.trace = grown(this.trace, capacity * 4);
    this.span = grown(this.span, capacity * 2);
    this.parent = grown(this.parent, capacity * 2);
    this.start = grown(this.start, capacity * 2);
    this.end = grown(this.end, capacity * 2);
    this.weight = grown(this.weight, capacity * 2);
    this.namespace = grown(this.namespace, capacity);
    this.service = grown(this.service, capacity);
    this.pod = grown(this.pod, capacity);
    this.name = grown(this.name, capacity);
    this.peer = grown(this.peer, capacity);
    this.endpoint = grown(this.endpoint, capacity);
    this.tenant = grown(this.tenant, capacity);
    this.resolver = grown(this.resolver, capacity);
    this.resourceTenant = grown(this.resourceTenant, capacity);
    this.resourceResolver = grown(this.resourceResolver, capacity);
    this.consumer = grown(this.consumer, capacity);
    this.callKind = grown(this.callKind, capacity);
    this.region = grown(this.region, capacity);
    this.version = grown(this.version, capacity);
    this.flags = grown(this.flags, capacity);
    this.status = grown(this.status, capacity);
    this.origin = grown(this.origin, capacity);
    this.kind = grown(this.kind, capacity);
    this.isTimed = grown(this.isTimed, capacity);
    this.isWeightKnown = grown(this.isWeightKnown, capacity);
    this.isDb = grown(this.isDb, capacity);
    this.isError = grown(this.isError, capacity);
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
