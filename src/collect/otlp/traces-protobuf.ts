import { RefusalCount } from '../refusal.ts';
import { readAttribute, readId } from './attribute-protobuf.ts';
import { ProtoReader } from './proto-reader.ts';
import { IdState } from './span-draft.ts';
import type { ResourceFacts, SpanIntake } from './span-intake.ts';

/** What came out of one request. */
export interface Decoded {
  readonly accepted: number;
  readonly refused: RefusalCount;
}

/** More links than this are some other program's structure; the specification's own senders stay far below. */
export const LINKS_AT_MOST = 1_000;

/**
 * Decodes an OTLP ExportTraceServiceRequest straight into rows, without objects or strings per span.
 *
 * Takes  body: protobuf bytes. intake: begun for this request; gets one row per accepted span.
 * Gives  how many were accepted, and how many were refused, by reason.
 * Fails  MalformedMessage when the bytes are not such a message; what the intake then holds must not be used.
 * From   opentelemetry-proto, collector/trace/v1 and trace/v1; tested against another decoder on random messages.
 */
export function decodeTracesProtobuf(body: Buffer, intake: SpanIntake): Decoded {
  return new TracesDecoder(body, intake).decode();
}

class TracesDecoder {
  readonly #reader: ProtoReader;
  readonly #intake: SpanIntake;
  readonly #refused = new RefusalCount();
  #accepted = 0;

  constructor(body: Buffer, intake: SpanIntake) {
    this.#reader = new ProtoReader(body);
    this.#intake = intake;
  }

  decode(): Decoded {
    const reader = this.#reader;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) reader.message(() => this.#resourceSpans());
      else reader.skip(tag);
    }
    return { accepted: this.#accepted, refused: this.#refused };
  }

  /** The resource may stand behind its spans on the wire, so it is read first. */
  #resourceSpans(): void {
    const reader = this.#reader;
    const start = reader.at;
    this.#intake.resourceSlots.clear();
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) reader.message(() => this.#resource());
      else reader.skip(tag);
    }
    const resource = this.#intake.resource();
    reader.at = start;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 18) reader.message(() => this.#scopeSpans(resource));
      else reader.skip(tag);
    }
  }

  #resource(): void {
    const reader = this.#reader;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) readAttribute(reader, this.#intake.names, this.#intake.resourceSlots);
      else reader.skip(tag);
    }
  }

  #scopeSpans(resource: ResourceFacts): void {
    const reader = this.#reader;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 18) this.#span(resource);
      else reader.skip(tag);
    }
  }

  #span(resource: ResourceFacts): void {
    const reader = this.#reader;
    const outer = reader.limit;
    reader.limit = reader.end();
    const row = this.#intake.beginSpan(reader.buffer);
    while (reader.at < reader.limit) this.#spanField(reader.tag(), row);
    reader.limit = outer;
    const refusal = this.#intake.endSpan(row, resource);
    if (refusal === null) this.#accepted += 1;
    else this.#refused.add(refusal);
  }

  #spanField(tag: number, row: number): void {
    const reader = this.#reader;
    const { draft, names, table } = this.#intake;
    switch (tag) {
      case 74:
        readAttribute(reader, names, draft.attributes);
        return;
      case 10:
        draft.hasTrace = readId(reader, table.trace, row * 4, 4);
        return;
      case 18:
        draft.hasSpan = readId(reader, table.span, row * 2, 2);
        return;
      case 34: {
        const isEmpty = reader.peek() === 0;
        const isWhole = readId(reader, table.parent, row * 2, 2);
        draft.parent = isWhole ? IdState.given : isEmpty ? IdState.none : IdState.malformed;
        return;
      }
      case 42: {
        const end = reader.end();
        draft.nameAt = reader.at;
        draft.nameEnd = reader.at = end;
        return;
      }
      case 48:
        draft.kind = clampKind(reader.varint());
        return;
      case 57:
        this.#time(table.start, row);
        return;
      case 65:
        this.#time(table.end, row);
        return;
      case 26: {
        const end = reader.end();
        draft.traceStateAt = reader.at;
        draft.traceStateEnd = reader.at = end;
        return;
      }
      case 106:
        this.#link();
        return;
      case 122:
        this.#status();
        return;
      default:
        reader.skip(tag);
        return;
    }
  }

  #time(column: Uint32Array, row: number): void {
    const reader = this.#reader;
    reader.fixed64();
    column[row * 2] = reader.low;
    column[row * 2 + 1] = reader.high;
  }

  #link(): void {
    const reader = this.#reader;
    const { links } = this.#intake.draft;
    const outer = reader.limit;
    reader.limit = reader.end();
    let [hasTrace, hasSpan] = [false, false];
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) hasTrace = readId(reader, linkWords, 0, 4);
      else if (tag === 18) hasSpan = readId(reader, linkWords, 4, 2);
      else reader.skip(tag);
    }
    reader.limit = outer;
    if (hasTrace && hasSpan && links.length < LINKS_AT_MOST * 6) links.push(...linkWords);
  }

  #status(): void {
    const reader = this.#reader;
    const outer = reader.limit;
    reader.limit = reader.end();
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 24) this.#intake.draft.isError = reader.varint() === 2;
      else reader.skip(tag);
    }
    reader.limit = outer;
  }
}

const linkWords = new Uint32Array(6);

function clampKind(kind: number): number {
  return kind >= 0 && kind <= 5 ? kind : 0;
}
