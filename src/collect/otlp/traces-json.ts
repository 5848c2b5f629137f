import { RefusalCount } from '../refusal.ts';
import { type AttributeNames, TEXT_SLOTS } from './attributes.ts';
import { halvesOf, type JsonAttribute, listOf, parseOtlpJson, valueText } from './json.ts';
import { type AttributeSlots, IdState } from './span-draft.ts';
import type { SpanIntake } from './span-intake.ts';
import { type Decoded, LINKS_AT_MOST, setNumberText } from './traces-protobuf.ts';

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
 * Takes  body: UTF-8 JSON. intake: begun for this request; gets one row per accepted span.
 * Gives  how many were accepted, and how many were refused, by reason.
 * Fails  MalformedMessage when the body is not such a message.
 * From   OTLP specification, JSON protobuf encoding: ids are hex, 64-bit integers texts or numbers.
 */
export function decodeTracesJson(body: Buffer, intake: SpanIntake): Decoded {
  const refused = new RefusalCount();
  let accepted = 0;
  for (const resourceSpans of listOf<Record<string, unknown>>(parseOtlpJson(body).resourceSpans, 'resourceSpans')) {
    const resource = resourceSpans.resource as { attributes?: unknown } | undefined;
    intake.resourceSlots.clear();
    fillSlots(intake.resourceSlots, intake.names, resource?.attributes);
    const facts = intake.resource();
    for (const scopeSpans of listOf<Record<string, unknown>>(resourceSpans.scopeSpans, 'scopeSpans')) {
      for (const span of listOf<JsonSpan>(scopeSpans.spans, 'spans')) {
        const refusal = intake.endSpan(beginSpan(intake, span), facts);
        if (refusal) refused.add(refusal);
        else accepted += 1;
      }
    }
  }
  return { accepted, refused };
}

function beginSpan(intake: SpanIntake, span: JsonSpan): number {
  const traceState = Buffer.from(typeof span.traceState === 'string' ? span.traceState : '');
  const name = Buffer.from(typeof span.name === 'string' ? span.name : '');
  const row = intake.beginSpan(Buffer.concat([traceState, name]));
  const { draft, table } = intake;
  draft.traceStateEnd = draft.nameAt = traceState.length;
  draft.nameEnd = traceState.length + name.length;
  draft.hasTrace = writeId(span.traceId, table.trace, row * 4, 4) === IdState.given;
  draft.hasSpan = writeId(span.spanId, table.span, row * 2, 2) === IdState.given;
  draft.parent = writeId(span.parentSpanId, table.parent, row * 2, 2);
  writeTime(span.startTimeUnixNano, table.start, row);
  writeTime(span.endTimeUnixNano, table.end, row);
  draft.kind = kindOf(span.kind);
  draft.isError = span.status?.code === 2 || span.status?.code === 'STATUS_CODE_ERROR';
  for (const link of listOf<{ traceId?: unknown; spanId?: unknown }>(span.links, 'links')) addLink(link, draft.links);
  fillSlots(draft.attributes, intake.names, span.attributes);
  return row;
}

function addLink(link: { traceId?: unknown; spanId?: unknown }, links: number[]): void {
  if (links.length >= LINKS_AT_MOST * 6) return;
  const [trace, span] = [writeId(link.traceId, linkWords, 0, 4), writeId(link.spanId, linkWords, 4, 2)];
  const isWhole = trace === IdState.given && span === IdState.given;
  if (isWhole) links.push(...linkWords);
}

const linkWords = new Uint32Array(6);
const idBytes = Buffer.alloc(16);

/** Writes a hexadecimal id as words in the order of its bytes; says whether it is one. */
function writeId(value: unknown, column: Uint32Array, at: number, words: number): number {
  if (value === undefined || value === null || value === '') return IdState.none;
  if (typeof value !== 'string' || value.length !== words * 8 || !/^[0-9a-fA-F]+$/.test(value))
    return IdState.malformed;
  idBytes.write(value, 0, 'hex');
  for (let word = 0; word < words; word++) column[at + word] = idBytes.readUInt32LE(word * 4);
  return IdState.given;
}

/** A time that is none becomes one that is later than any that is taken. */
function writeTime(value: unknown, column: Uint32Array, row: number): void {
  const halves = halvesOf(value) ?? { low: 0, high: 0xffff_ffff };
  column[row * 2] = halves.low;
  column[row * 2 + 1] = halves.high;
}

function kindOf(kind: unknown): number {
  const number = typeof kind === 'string' ? kindNames.indexOf(kind) : kind;
  return typeof number === 'number' && number >= 0 && number <= 5 ? Math.floor(number) : 0;
}

function fillSlots(slots: AttributeSlots, names: AttributeNames, attributes: unknown): void {
  for (const attribute of listOf<JsonAttribute>(attributes, 'attributes')) {
    const slot = typeof attribute.key === 'string' ? names.slotOf(attribute.key) : -1;
    const text = slot < 0 ? undefined : valueText(attribute.value);
    if (text === undefined) continue;
    if (slot < TEXT_SLOTS) slots.setText(slot, text);
    else if (typeof attribute.value?.doubleValue === 'number') slots.setNumber(slot, attribute.value.doubleValue);
    else setNumberText(slots, slot, text);
  }
}
