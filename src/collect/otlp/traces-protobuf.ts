import { RefusalCount } from '../refusal.ts';
import { type AttributeNames, TEXT_SLOTS } from './attributes.ts';
import { ProtoReader } from './proto-reader.ts';
import { type AttributeSlots, IdState } from './span-draft.ts';
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
  readonly #names: AttributeNames;
  readonly #refused = new RefusalCount();
  #accepted = 0;

  constructor(body: Buffer, intake: SpanIntake) {
    this.#reader = new ProtoReader(body);
    this.#intake = intake;
    this.#names = intake.names;
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
      if (tag === 10) this.#attribute(this.#intake.resourceSlots);
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
    const { draft, table } = this.#intake;
    switch (tag) {
      case 74:
        this.#attribute(draft.attributes);
        return;
      case 10:
        draft.hasTrace = this.#id(table.trace, row * 4, 4);
        return;
      case 18:
        draft.hasSpan = this.#id(table.span, row * 2, 2);
        return;
      case 34: {
        const isEmpty = reader.peek() === 0;
        const isWhole = this.#id(table.parent, row * 2, 2);
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

  /** Copies an id of so many words; false when what stands there is of another length. */
  #id(column: Uint32Array, at: number, words: number): boolean {
    const reader = this.#reader;
    const end = reader.end();
    const isWhole = end - reader.at === words * 4;
    if (isWhole) for (let word = 0; word < words; word++) column[at + word] = reader.wordAt(reader.at + word * 4);
    else column.fill(0, at, at + words);
    reader.at = end;
    return isWhole;
  }

  #link(): void {
    const reader = this.#reader;
    const { links } = this.#intake.draft;
    const outer = reader.limit;
    reader.limit = reader.end();
    let [hasTrace, hasSpan] = [false, false];
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) hasTrace = this.#id(linkWords, 0, 4);
      else if (tag === 18) hasSpan = this.#id(linkWords, 4, 2);
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

  /** KeyValue { 1: key, 2: AnyValue }; on the wire the value may come first. */
  #attribute(into: AttributeSlots): void {
    const reader = this.#reader;
    const outer = reader.limit;
    const end = reader.end();
    reader.limit = end;
    let slot = -1;
    let valueAt = -1;
    let valueEnd = 0;
    while (reader.at < end) {
      const tag = reader.tag();
      if (tag === 10) {
        const keyEnd = reader.end();
        slot = this.#names.slotOfBytes(reader.buffer, reader.at, keyEnd);
        reader.at = keyEnd;
      } else if (tag === 18) {
        valueEnd = reader.end();
        valueAt = reader.at;
        reader.at = valueEnd;
      } else reader.skip(tag);
    }
    if (slot >= 0 && valueAt >= 0) {
      reader.at = valueAt;
      reader.limit = valueEnd;
      this.#value(into, slot);
    }
    reader.at = end;
    reader.limit = outer;
  }

  /** Lists and maps inside a value are passed over: nothing that we need has one. */
  #value(into: AttributeSlots, slot: number): void {
    const reader = this.#reader;
    while (reader.at < reader.limit) {
      const tag = reader.tag();
      if (tag === 10) {
        const end = reader.end();
        if (slot < TEXT_SLOTS) into.setBytes(slot, reader.buffer, reader.at, end);
        else setNumberText(into, slot, reader.buffer.toString('latin1', reader.at, Math.min(end, reader.at + 40)));
        reader.at = end;
      } else if (tag === 24) {
        if (slot < TEXT_SLOTS) into.setText(slot, reader.varintExact().toString());
        else into.setNumber(slot, reader.varint());
      } else if (tag === 16) {
        const flag = reader.varint();
        if (slot < TEXT_SLOTS) into.setText(slot, flag ? 'true' : 'false');
        else into.setNumber(slot, flag ? 1 : 0);
      } else if (tag === 33) {
        const number = reader.double();
        if (slot < TEXT_SLOTS) into.setText(slot, String(number));
        else into.setNumber(slot, number);
      } else reader.skip(tag);
    }
  }
}

const linkWords = new Uint32Array(6);

function clampKind(kind: number): number {
  return kind >= 0 && kind <= 5 ? kind : 0;
}

/** Some senders write numbers as text. */
export function setNumberText(into: AttributeSlots, slot: number, text: string): void {
  if (/^\d{1,16}(\.\d+)?$/.test(text)) into.setNumber(slot, Number(text));
  else if (text === 'true' || text === 'false') into.setNumber(slot, text === 'true' ? 1 : 0);
}
