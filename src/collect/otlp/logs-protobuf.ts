import { RefusalCount } from '../refusal.ts';
import { readAttribute } from './attribute-protobuf.ts';
import type { LogRecords, RecordDraft } from './log-records.ts';
import { ProtoReader } from './proto-reader.ts';
import type { SpanIntake } from './span-intake.ts';
import type { Decoded } from './traces-protobuf.ts';

/** What came out of one request of logs. */
export interface DecodedLogs extends Decoded {
  /** Records that tell of no call. They are no fault of the sender's. */
  readonly others: number;
}

/** Longer bodies are no lines of a log, and need not become texts. */
const LONGEST_BODY_BYTES = 1 << 18;

/**
 * Decodes an OTLP ExportLogsServiceRequest: one row for each record that tells of a call.
 *
 * Takes  body: protobuf bytes. intake: begun for this request. records: on that intake.
 * Fails  MalformedMessage when the bytes are not such a message; what the intake then holds must not be used.
 * From   opentelemetry-proto, collector/logs/v1 and logs/v1; tested against another decoder on random messages.
 */
export function decodeLogsProtobuf(body: Buffer, intake: SpanIntake, records: LogRecords): DecodedLogs {
  return new LogsDecoder(body, intake, records).decode();
}

class LogsDecoder {
  readonly #reader: ProtoReader;
  readonly #intake: SpanIntake;
  readonly #records: LogRecords;
  readonly #refused = new RefusalCount();
  readonly #record: RecordDraft;
  #bodyAt = 0;
  #bodyEnd = 0;
  #accepted = 0;
  #others = 0;

  constructor(body: Buffer, intake: SpanIntake, records: LogRecords) {
    this.#reader = new ProtoReader(body);
    this.#intake = intake;
    this.#records = records;
    this.#record = { observedLow: 0, observedHigh: 0, hasSpan: false, body: () => this.#body() };
  }

  decode(): DecodedLogs {
    const reader = this.#reader;
    this.#records.begin();
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) reader.message(() => this.#resourceLogs());
      else reader.skip(tag);
    }
    return { accepted: this.#accepted, refused: this.#refused, others: this.#others };
  }

  /** The resource may stand behind its records on the wire, so it is read first. */
  #resourceLogs(): void {
    const reader = this.#reader;
    const start = reader.at;
    const raw: Uint8Array[] = [];
    this.#intake.resourceSlots.clear();
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) reader.message(() => raw.push(this.#resource()));
      else reader.skip(tag);
    }
    this.#records.resource(Buffer.concat(raw));
    reader.at = start;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 18) reader.message(() => this.#scopeLogs());
      else reader.skip(tag);
    }
  }

  #resource(): Uint8Array {
    const reader = this.#reader;
    const start = reader.at;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) readAttribute(reader, this.#intake.names, this.#intake.resourceSlots);
      else reader.skip(tag);
    }
    return reader.buffer.subarray(start, reader.limit);
  }

  #scopeLogs(): void {
    const reader = this.#reader;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 18) this.#logRecord();
      else reader.skip(tag);
    }
  }

  #logRecord(): void {
    const reader = this.#reader;
    const outer = reader.limit;
    reader.limit = reader.end();
    const start = reader.at;
    const row = this.#intake.beginSpan(reader.buffer);
    this.#bodyAt = this.#bodyEnd = 0;
    this.#record.observedLow = this.#record.observedHigh = 0;
    this.#record.hasSpan = false;
    while (reader.at < reader.limit) this.#field(reader.tag(), row);
    const raw = reader.buffer.subarray(start, reader.limit);
    reader.limit = outer;
    const outcome = this.#records.end(row, this.#record, raw);
    if (outcome === 'call') this.#accepted += 1;
    else if (outcome === 'other') this.#others += 1;
    else this.#refused.add(outcome);
  }

  #field(tag: number, row: number): void {
    const reader = this.#reader;
    const { draft, names, table } = this.#intake;
    switch (tag) {
      case 50:
        readAttribute(reader, names, draft.attributes);
        return;
      case 9:
        reader.fixed64();
        table.start[row * 2] = reader.low;
        table.start[row * 2 + 1] = reader.high;
        return;
      case 89:
        reader.fixed64();
        this.#record.observedLow = reader.low;
        this.#record.observedHigh = reader.high;
        return;
      case 42:
        this.#anyValue();
        return;
      case 82:
        this.#record.hasSpan = reader.peek() > 0;
        reader.skip(tag);
        return;
      case 98: {
        const end = reader.end();
        draft.nameAt = reader.at;
        draft.nameEnd = reader.at = end;
        return;
      }
      default:
        reader.skip(tag);
        return;
    }
  }

  /** The body: only a text is of use; of several values the last one counts. */
  #anyValue(): void {
    const reader = this.#reader;
    const outer = reader.limit;
    reader.limit = reader.end();
    while (reader.at < reader.limit) {
      const tag = reader.tag();
      if (tag >> 3 >= 1 && tag >> 3 <= 7) this.#bodyAt = this.#bodyEnd = 0;
      if (tag === 10) {
        const end = reader.end();
        this.#bodyAt = reader.at;
        this.#bodyEnd = reader.at = end;
      } else reader.skip(tag);
    }
    reader.limit = outer;
  }

  #body(): string {
    const isLong = this.#bodyEnd - this.#bodyAt > LONGEST_BODY_BYTES;
    return isLong ? '' : this.#reader.buffer.toString('utf8', this.#bodyAt, this.#bodyEnd);
  }
}
