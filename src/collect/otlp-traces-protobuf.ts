import type { RowWriter } from '../store/index.ts';
import { slotOfBytes, TEXT_SLOTS } from './attributes.ts';
import { ProtoReader } from './proto-reader.ts';
import { RefusalCount } from './refusal.ts';
import { AttributeSlots, MALFORMED_ID, SpanDraft } from './span-draft.ts';
import { encodeSpan, type ResourceFacts, resourceFacts } from './span-encode.ts';

/** What came out of one request. */
export interface Decoded {
  readonly accepted: number;
  readonly refused: RefusalCount;
}

/** More links than this are some other program's structure; the specification's own senders stay far below. */
export const LINKS_AT_MOST = 1_000;

/**
 * Decodes an OTLP ExportTraceServiceRequest straight into rows, without objects per span.
 *
 * Takes  body: protobuf bytes. namespace: of the sender's credential. writer: gets one sent row per accepted span.
 * Gives  how many were written, and how many were refused, by reason.
 * Fails  MalformedMessage when the bytes are not such a message; the writer may then hold rows that must be thrown away.
 * From   opentelemetry-proto, collector/trace/v1 and trace/v1; tested against another decoder on random messages.
 */
export function decodeTracesProtobuf(body: Buffer, namespace: Buffer, writer: RowWriter): Decoded {
  return new TracesDecoder(body, namespace, writer).decode();
}

// One draft serves all requests: decoding is synchronous, and clearing is cheaper than making.
const draft = new SpanDraft();
const resourceSlots = new AttributeSlots();

class TracesDecoder {
  readonly #reader: ProtoReader;
  readonly #namespace: Buffer;
  readonly #writer: RowWriter;
  readonly #refused = new RefusalCount();
  #accepted = 0;

  constructor(body: Buffer, namespace: Buffer, writer: RowWriter) {
    this.#reader = new ProtoReader(body);
    this.#namespace = namespace;
    this.#writer = writer;
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
    resourceSlots.clear();
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) reader.message(() => this.#resource());
      else reader.skip(tag);
    }
    const resource = resourceFacts(resourceSlots);
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
      if (tag === 10) this.#attribute(resourceSlots);
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
    draft.clear(reader.buffer);
    while (!reader.isDone) this.#spanField(reader.tag());
    reader.limit = outer;
    const refusal = encodeSpan(this.#writer, draft, resource, this.#namespace);
    if (refusal) this.#refused.add(refusal);
    else this.#accepted += 1;
  }

  #spanField(tag: number): void {
    const reader = this.#reader;
    switch (tag) {
      case 10:
        draft.traceAt = this.#id(16);
        return;
      case 18:
        draft.spanAt = this.#id(8);
        return;
      case 26: {
        const end = reader.end();
        draft.traceStateAt = end > reader.at ? reader.at : -1;
        draft.traceStateEnd = reader.at = end;
        return;
      }
      case 34:
        draft.parentAt = this.#id(8);
        return;
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
        reader.fixed64();
        draft.startLow = reader.low;
        draft.startHigh = reader.high;
        return;
      case 65:
        reader.fixed64();
        draft.endLow = reader.low;
        draft.endHigh = reader.high;
        return;
      case 74:
        this.#attribute(draft.attributes);
        return;
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

  /** Gives where an id stands, -1 for an empty one. */
  #id(length: number): number {
    const reader = this.#reader;
    const end = reader.end();
    const found = end - reader.at;
    const at = found === length ? reader.at : found === 0 ? -1 : MALFORMED_ID;
    reader.at = end;
    return at;
  }

  #link(): void {
    const reader = this.#reader;
    const outer = reader.limit;
    reader.limit = reader.end();
    let traceAt = -1;
    let spanAt = -1;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) traceAt = this.#id(16);
      else if (tag === 18) spanAt = this.#id(8);
      else reader.skip(tag);
    }
    reader.limit = outer;
    if (traceAt < 0 || spanAt < 0 || draft.linkTraces.length >= LINKS_AT_MOST) return;
    draft.linkTraces.push(traceAt);
    draft.linkSpans.push(spanAt);
  }

  #status(): void {
    const reader = this.#reader;
    const outer = reader.limit;
    reader.limit = reader.end();
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 24) draft.isError = reader.varint() === 2;
      else reader.skip(tag);
    }
    reader.limit = outer;
  }

  /** KeyValue { 1: key, 2: AnyValue }; on the wire the value may come first. */
  #attribute(into: AttributeSlots): void {
    const reader = this.#reader;
    const outer = reader.limit;
    reader.limit = reader.end();
    let slot = -1;
    let valueAt = -1;
    let valueEnd = 0;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) {
        const end = reader.end();
        slot = slotOfBytes(reader.buffer, reader.at, end);
        reader.at = end;
      } else if (tag === 18) {
        valueEnd = reader.end();
        valueAt = reader.at;
        reader.at = valueEnd;
      } else reader.skip(tag);
    }
    const end = reader.limit;
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
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) {
        const end = reader.end();
        if (slot < TEXT_SLOTS) into.setBytes(slot, reader.buffer, reader.at, end);
        else setNumberText(into, slot, reader.buffer.toString('latin1', reader.at, Math.min(end, reader.at + 40)));
        reader.at = end;
      } else if (tag === 16) {
        const flag = reader.varint();
        if (slot < TEXT_SLOTS) into.setText(slot, flag ? 'true' : 'false');
        else into.setNumber(slot, flag ? 1 : 0);
      } else if (tag === 24) {
        if (slot < TEXT_SLOTS) into.setText(slot, reader.varintExact().toString());
        else into.setNumber(slot, reader.varint());
      } else if (tag === 33) {
        const number = reader.double();
        if (slot < TEXT_SLOTS) into.setText(slot, String(number));
        else into.setNumber(slot, number);
      } else reader.skip(tag);
    }
  }
}

function clampKind(kind: number): number {
  return kind >= 0 && kind <= 5 ? kind : 0;
}

/** Some senders write numbers as text. */
export function setNumberText(into: AttributeSlots, slot: number, text: string): void {
  if (/^\d{1,16}(\.\d+)?$/.test(text)) into.setNumber(slot, Number(text));
  else if (text === 'true' || text === 'false') into.setNumber(slot, text === 'true' ? 1 : 0);
}
