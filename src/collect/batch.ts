import { RowWriter } from '../store/index.ts';
import { type FindSpan, type IsBoundary, type Trace, traceOf, type Work, workOf } from './assemble.ts';
import type { RowsInBatch } from './recent-traces.ts';
import { writeBody } from './row-body.ts';
import { RecordReader, type SpanRecord } from './span-record.ts';
import { VERSION_BYTES } from './work-row.ts';

/** The rows to insert for one batch, and what the traces look like afterwards. */
export interface BatchRows {
  readonly rows: number;
  readonly bytes: Buffer;
  /** The rows of each changed trace, for the next time. */
  readonly traces: ReadonlyMap<string, RowsInBatch>;
}

export interface BatchInput {
  readonly batch: number;
  readonly receivedDay: number;
  /** Traces to decide anew. */
  readonly changed: ReadonlySet<string>;
  /** Spans that are new in this batch. */
  readonly arrived: { get(traceKey: string): readonly SpanRecord[] | undefined };
  /** Bodies of rows in force, by trace: of the changed traces, and of those that their links lead to. */
  readonly stored: ReadonlyMap<string, readonly Buffer[]>;
  /** Traces that links lead to: they are asked for more than once. */
  readonly linked: ReadonlySet<string>;
  readonly isBoundary: IsBoundary;
}

/**
 * Decides what a batch of spans changes: rows that are new with sign +1, rows that are no longer right with sign -1.
 *
 * Holds  applied to the stored rows, the result is what assembling all spans at once would give;
 *        a batch of duplicates changes nothing.
 */
export function batchRows(input: BatchInput): BatchRows {
  const table = new TraceTable(input);
  const writer = new RowWriter(1 << 20);
  const places = new Map<string, readonly [start: number, end: number]>();
  const corrected = new Map<string, RowsInBatch>();
  let rows = 0;
  for (const traceKey of input.changed) {
    const trace = table.get(traceKey);
    if (trace === undefined) continue;
    const stored = input.stored.get(traceKey);
    const start = writer.sizeBytes;
    if (stored !== undefined && stored.length > 0) {
      const correction = correctedRows(input, workOf(trace, table.find), stored);
      writer.raw(correction.bytes);
      rows += correction.rows;
      corrected.set(traceKey, correction.inForce);
      continue;
    }
    for (const work of workOf(trace, table.find)) {
      writeVersion(writer, input, 1);
      writeBody(writer, work);
      rows += 1;
    }
    places.set(traceKey, [start, writer.sizeBytes]);
  }
  const bytes = writer.bytes();
  for (const [traceKey, [start, end]] of places) corrected.set(traceKey, { buffer: bytes, start, end });
  return { rows, bytes, traces: corrected };
}

function writeVersion(writer: RowWriter, input: BatchInput, sign: 1 | -1): void {
  writer.u64(input.batch);
  writer.u8(sign & 0xff);
  writer.u16(input.receivedDay);
}

/** A trace that has rows already gets only those that differ; what is no longer said is taken back. */
function correctedRows(input: BatchInput, works: readonly Work[], stored: readonly Buffer[]) {
  const outdated = new BodyBag(stored);
  const inForce = new RowWriter(4096);
  const changes = new RowWriter(1024);
  let rows = 0;
  for (const work of works) {
    const start = inForce.sizeBytes;
    writeVersion(inForce, input, 1);
    writeBody(inForce, work);
    const row = inForce.bytes().subarray(start);
    if (outdated.take(row.subarray(VERSION_BYTES))) continue;
    changes.raw(row);
    rows += 1;
  }
  for (const body of outdated.left()) {
    writeVersion(changes, input, -1);
    changes.raw(body);
    rows += 1;
  }
  const buffer = Buffer.from(inForce.bytes());
  return { rows, bytes: changes.bytes(), inForce: { buffer, start: 0, end: buffer.length } };
}

/** Rows in force before the batch; those that come again need no new version. */
class BodyBag {
  readonly #counts = new Map<string, { count: number; readonly bytes: Buffer }>();

  constructor(bodies: readonly Buffer[]) {
    for (const bytes of bodies) {
      const key = bytes.toString('latin1');
      const entry = this.#counts.get(key);
      if (entry) entry.count += 1;
      else this.#counts.set(key, { count: 1, bytes });
    }
  }

  take(bytes: Buffer): boolean {
    if (this.#counts.size === 0) return false;
    const entry = this.#counts.get(bytes.toString('latin1'));
    if (entry === undefined || entry.count === 0) return false;
    entry.count -= 1;
    return true;
  }

  *left(): Iterable<Buffer> {
    for (const { count, bytes } of this.#counts.values()) for (let i = 0; i < count; i++) yield bytes;
  }
}

/** All traces of a batch, worked out when they are first asked for. */
class TraceTable {
  readonly #input: BatchInput;
  readonly #traces = new Map<string, Trace | undefined>();

  constructor(input: BatchInput) {
    this.#input = input;
  }

  get(traceKey: string): Trace | undefined {
    if (this.#traces.has(traceKey)) return this.#traces.get(traceKey);
    const arrived = this.#input.arrived.get(traceKey) ?? [];
    const stored = (this.#input.stored.get(traceKey) ?? []).map((bytes) => new RecordReader(bytes).body());
    const spans = stored.length === 0 ? arrived : [...stored, ...arrived];
    const trace = spans.length === 0 ? undefined : traceOf(spans, this.#input.isBoundary);
    // Keeping every trace of a batch until its end would make the garbage collector carry them all.
    if (this.#input.linked.has(traceKey)) this.#traces.set(traceKey, trace);
    return trace;
  }

  readonly find: FindSpan = (link) => {
    const trace = this.get(link.traceKey);
    const node = trace?.bySpan.get(link.spanKey);
    return trace === undefined || node === undefined ? undefined : { trace, node };
  };
}

/** Gives the bodies of rows that stand one behind the other with their versions. */
export function bodiesOf(rows: RowsInBatch): Buffer[] {
  const bodies: Buffer[] = [];
  const reader = new RecordReader(rows.buffer, rows.start);
  while (reader.at < rows.end) {
    reader.at += VERSION_BYTES;
    const start = reader.at;
    reader.body();
    bodies.push(rows.buffer.subarray(start, reader.at));
  }
  return bodies;
}

/** Nets stored versions, given as sign and body: gives the bodies in force, by trace. */
export function netVersions(answers: readonly Buffer[]): Map<string, Buffer[]> {
  const counts = new Map<string, { net: number; readonly bytes: Buffer; readonly traceKey: string }>();
  for (const bytes of answers) {
    const reader = new RecordReader(bytes);
    while (!reader.isDone) {
      const sign = bytes.readInt8(reader.at);
      reader.at += 1;
      const start = reader.at;
      const { traceKey } = reader.body();
      const body = bytes.subarray(start, reader.at);
      const key = body.toString('latin1');
      const entry = counts.get(key) ?? { net: 0, bytes: body, traceKey };
      entry.net += sign;
      counts.set(key, entry);
    }
  }
  const inForce = new Map<string, Buffer[]>();
  for (const { net, bytes, traceKey } of counts.values()) {
    if (net <= 0) continue;
    const bodies = inForce.get(traceKey) ?? [];
    for (let i = 0; i < net; i++) bodies.push(bytes);
    inForce.set(traceKey, bodies);
  }
  return inForce;
}
