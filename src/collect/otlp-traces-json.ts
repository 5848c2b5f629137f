import type { RowWriter } from '../store/index.ts';
import { slotOfKey, TEXT_SLOTS } from './attributes.ts';
import { halvesOf, type JsonAttribute, listOf, parseOtlpJson, valueText } from './otlp-json.ts';
import { type Decoded, LINKS_AT_MOST, setNumberText } from './otlp-traces-protobuf.ts';
import { RefusalCount } from './refusal.ts';
import { AttributeSlots, MALFORMED_ID, SpanDraft } from './span-draft.ts';
import { encodeSpan, resourceFacts } from './span-encode.ts';

interface JsonSpan {
  traceId?: unknown;
  spanId?: unknown;
  parentSpanId?: unknown;
  traceState?: unknown;
  name?: unknown;
  kind?: unknown;
  startTimeUnixNano?: unknown;
  endTimeUnixNano?: unknown;
  attributes?: unknown;
  links?: unknown;
  status?: { code?: unknown } | null;
}

const kindNames = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(
  (kind) => `SPAN_KIND_${kind}`,
);

/**
 * Decodes an OTLP/JSON ExportTraceServiceRequest into the same rows as its protobuf form.
 *
 * Takes  body: UTF-8 JSON. namespace: of the sender's credential. writer: gets one sent row per accepted span.
 * Gives  how many were written, and how many were refused, by reason.
 * Fails  MalformedMessage when the body is not such a message.
 * From   OTLP specification, JSON protobuf encoding: ids are hex, 64-bit integers texts or numbers.
 */
export function decodeTracesJson(body: Buffer, namespace: Buffer, writer: RowWriter): Decoded {
  const refused = new RefusalCount();
  const slots = new AttributeSlots();
  let accepted = 0;
  for (const resourceSpans of listOf<Record<string, unknown>>(parseOtlpJson(body).resourceSpans, 'resourceSpans')) {
    const resource = resourceSpans.resource as { attributes?: unknown } | undefined;
    slots.clear();
    fillSlots(slots, resource?.attributes);
    const facts = resourceFacts(slots);
    for (const scopeSpans of listOf<Record<string, unknown>>(resourceSpans.scopeSpans, 'scopeSpans')) {
      for (const span of listOf<JsonSpan>(scopeSpans.spans, 'spans')) {
        fillDraft(span);
        const refusal = encodeSpan(writer, draft, facts, namespace);
        if (refusal) refused.add(refusal);
        else accepted += 1;
      }
    }
  }
  return { accepted, refused };
}

const draft = new SpanDraft();
const TRACE_AT = 0;
const SPAN_AT = 16;
const PARENT_AT = 24;
const TEXT_AT = 32;

function fillDraft(span: JsonSpan): void {
  const links = listOf<{ traceId?: unknown; spanId?: unknown }>(span.links, 'links');
  const traceState = Buffer.from(typeof span.traceState === 'string' ? span.traceState : '');
  const name = Buffer.from(typeof span.name === 'string' ? span.name : '');
  const linksAt = TEXT_AT + traceState.length + name.length;
  draft.clear(Buffer.alloc(linksAt + links.length * 24));
  draft.traceAt = writeId(span.traceId, TRACE_AT, 16);
  draft.spanAt = writeId(span.spanId, SPAN_AT, 8);
  draft.parentAt = writeId(span.parentSpanId, PARENT_AT, 8);
  const start = halvesOf(span.startTimeUnixNano) ?? noTime;
  const end = halvesOf(span.endTimeUnixNano) ?? noTime;
  draft.startLow = start.low;
  draft.startHigh = start.high;
  draft.endLow = end.low;
  draft.endHigh = end.high;
  draft.kind = kindOf(span.kind);
  draft.isError = span.status?.code === 2 || span.status?.code === 'STATUS_CODE_ERROR';
  draft.traceStateAt = traceState.length > 0 ? TEXT_AT : -1;
  draft.traceStateEnd = TEXT_AT + traceState.copy(draft.source, TEXT_AT);
  draft.nameAt = draft.traceStateEnd;
  draft.nameEnd = draft.nameAt + name.copy(draft.source, draft.nameAt);
  links.forEach((link, place) => {
    const at = linksAt + place * 24;
    if (draft.linkTraces.length >= LINKS_AT_MOST) return;
    if (writeId(link.traceId, at, 16) < 0 || writeId(link.spanId, at + 16, 8) < 0) return;
    draft.linkTraces.push(at);
    draft.linkSpans.push(at + 16);
  });
  fillSlots(draft.attributes, span.attributes);
}

/** A time that is none: later than any that is taken. */
const noTime = { low: 0, high: 0xffff_ffff };

/** Writes a hexadecimal id and gives its place, -1 for an absent one. */
function writeId(value: unknown, at: number, length: number): number {
  if (value === undefined || value === null || value === '') return -1;
  if (typeof value !== 'string' || value.length !== length * 2 || !/^[0-9a-fA-F]+$/.test(value)) return MALFORMED_ID;
  draft.source.write(value, at, 'hex');
  return at;
}

function kindOf(kind: unknown): number {
  const number = typeof kind === 'string' ? kindNames.indexOf(kind) : kind;
  return typeof number === 'number' && number >= 0 && number <= 5 ? Math.floor(number) : 0;
}

function fillSlots(slots: AttributeSlots, attributes: unknown): void {
  for (const attribute of listOf<JsonAttribute>(attributes, 'attributes')) {
    const slot = typeof attribute.key === 'string' ? slotOfKey(attribute.key) : undefined;
    const text = slot === undefined ? undefined : valueText(attribute.value);
    if (slot === undefined || text === undefined) continue;
    if (slot < TEXT_SLOTS) slots.setText(slot, text);
    else if (typeof attribute.value?.doubleValue === 'number') slots.setNumber(slot, attribute.value.doubleValue);
    else setNumberText(slots, slot, text);
  }
}
