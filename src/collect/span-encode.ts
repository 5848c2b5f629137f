import { SpanKind } from '../model/index.ts';
import type { RowWriter } from '../store/index.ts';
import { consumerKeys, numberSlot, type Slot, tenantKeys, textSlot } from './attributes.ts';
import { ownEndpoint } from './endpoint.ts';
import { safeConsumer, safeName } from './privacy.ts';
import type { Refusal } from './refusal.ts';
import { type AttributeSlots, MALFORMED_ID, type SpanDraft } from './span-draft.ts';
import { type Weight, weightFromTraceState } from './weight.ts';
import { LINKS_FLAG, Origin } from './work-row.ts';

/** What the spans of one resource share, ready to be copied into rows. */
export interface ResourceFacts {
  readonly service: Buffer;
  readonly pod: Buffer;
  readonly tenant: Buffer;
  readonly resolver: Buffer;
}

// Clocks outside these years are unset or broken; nanoseconds since 1970 in two halves are compared by the upper one.
const OLDEST_HIGH = Math.floor((Date.UTC(2000, 0) * 1e6) / 2 ** 32);
// Minutes are kept as seconds in 32 bits, which end in 2106.
const NEWEST_HIGH = Math.floor((Date.UTC(2106, 0) * 1e6) / 2 ** 32);
/** A longer span could not be measured in whole nanoseconds of a double. */
const LONGEST_HIGH = Math.floor(2 ** 53 / 2 ** 32);
const LONGEST_TEXT = 256;

const tenantSlots = tenantKeys.map((key) => [textSlot(key), Buffer.from(key)] as const);
const consumerSlots = consumerKeys.map(textSlot);
const dbSlots = [textSlot('db.system.name'), textSlot('db.system')];
const peerSlots = [textSlot('server.address'), textSlot('peer.service')];
const statusSlots = [numberSlot('http.response.status_code'), numberSlot('http.status_code')];
const serviceSlot = textSlot('service.name');
const podSlot = textSlot('k8s.pod.name');

/** For each measure, the attributes that give it; the sizes of HTTP bodies only count where they were served. */
const measureSlots: readonly { readonly always: readonly Slot[]; readonly served: readonly Slot[] }[] = [
  { always: [numberSlot('taximeter.cpu_us')], served: [] },
  { always: [numberSlot('taximeter.mem_byte_ms')], served: [] },
  { always: [numberSlot('taximeter.gpu_us')], served: [] },
  {
    always: [numberSlot('taximeter.bytes_in')],
    served: (['http.request.size', 'http.request.body.size', 'http.request_content_length'] as const).map(numberSlot),
  },
  {
    always: [numberSlot('taximeter.bytes_out')],
    served: (['http.response.size', 'http.response.body.size', 'http.response_content_length'] as const).map(
      numberSlot,
    ),
  },
  { always: [numberSlot('taximeter.log_bytes')], served: [] },
  { always: [numberSlot('gen_ai.usage.input_tokens')], served: [] },
  { always: [numberSlot('gen_ai.usage.output_tokens')], served: [] },
  { always: [numberSlot('taximeter.retries')], served: [] },
  { always: [numberSlot('faas.coldstart')], served: [] },
];

/** Takes from a resource's attributes what its spans need. */
export function resourceFacts(attributes: AttributeSlots): ResourceFacts {
  const tenant = tenantSlots.find(([slot]) => attributes.has(slot));
  return {
    service: textOf(attributes, serviceSlot),
    pod: textOf(attributes, podSlot),
    tenant: tenant ? textOf(attributes, tenant[0]) : Buffer.alloc(0),
    resolver: tenant ? tenant[1] : Buffer.alloc(0),
  };
}

function textOf(attributes: AttributeSlots, slot: Slot): Buffer {
  return Buffer.from(attributes.text(slot).slice(0, LONGEST_TEXT));
}

/**
 * Writes one decoded span as the sent part of a work row, with its length in front.
 *
 * Takes  draft: the span. resource: what its resource says. namespace: of the sender's credential, as bytes.
 * Gives  null when it was written, else why it is refused; then nothing was written.
 */
export function encodeSpan(
  writer: RowWriter,
  draft: SpanDraft,
  resource: ResourceFacts,
  namespace: Buffer,
): Refusal | null {
  const refusal = refusalOf(draft);
  if (refusal) return refusal;
  const lengthAt = writer.sizeBytes;
  writer.u32(0);
  writer.textBytes(namespace, 0, namespace.length);
  writeIdentity(writer, draft);
  const weight = draft.traceStateAt < 0 ? null : weightOf(draft);
  writer.u64(weight?.micro ?? 1_000_000);
  writer.u8(weight?.isKnown ? 1 : 0);
  writeDescription(writer, draft, resource);
  writeMeasures(writer, draft);
  writeLinks(writer, draft);
  const hasLinks = draft.linkTraces.length > 0 ? LINKS_FLAG : 0;
  writer.patchU32(lengthAt, (writer.sizeBytes - lengthAt - 4 + hasLinks) >>> 0);
  return null;
}

function refusalOf(draft: SpanDraft): Refusal | null {
  if (isZero(draft.source, draft.traceAt, 16)) return 'trace_id_invalid';
  if (isZero(draft.source, draft.spanAt, 8)) return 'span_id_invalid';
  if (draft.parentAt === MALFORMED_ID) return 'parent_id_invalid';
  if (draft.startHigh < OLDEST_HIGH || draft.startHigh > NEWEST_HIGH) return 'time_invalid';
  if (draft.endHigh > NEWEST_HIGH) return 'time_invalid';
  return draft.endHigh - draft.startHigh >= LONGEST_HIGH ? 'duration_too_long' : null;
}

function isZero(source: Buffer, at: number, length: number): boolean {
  if (at < 0) return true;
  for (let i = at; i < at + length; i++) if (source[i] !== 0) return false;
  return true;
}

const noParent = Buffer.alloc(8);

function writeIdentity(writer: RowWriter, draft: SpanDraft): void {
  const source = draft.source;
  writer.fixed(source, draft.traceAt, 16);
  writer.fixed(source, draft.spanAt, 8);
  if (draft.parentAt < 0) writer.fixed(noParent, 0, 8);
  else writer.fixed(source, draft.parentAt, 8);
  writer.u8(Origin.span);
  writer.u8(draft.kind);
  writer.u64halves(draft.startLow, draft.startHigh);
  writer.u64halves(draft.endLow, draft.endHigh);
  writer.u8(1);
}

function writeDescription(writer: RowWriter, draft: SpanDraft, resource: ResourceFacts): void {
  const { attributes } = draft;
  const isServed = draft.kind === SpanKind.SERVER || draft.kind === SpanKind.CONSUMER;
  writer.textBytes(resource.service, 0, resource.service.length);
  writer.textBytes(resource.pod, 0, resource.pod.length);
  const name = draft.nameAt < 0 ? noText : safeName(draft.source, draft.nameAt, draft.nameEnd);
  writer.textBytes(name, 0, name.length);
  writeSlot(writer, attributes, draft.kind === SpanKind.CLIENT ? firstText(attributes, peerSlots) : -1);
  writer.u8(firstText(attributes, dbSlots) >= 0 ? 1 : 0);
  const endpoint = isServed ? ownEndpoint(attributes, draft.kind, name) : noText;
  writer.textBytes(endpoint, 0, endpoint.length);
  const status = firstNumber(attributes, statusSlots);
  writer.u16(status >= 0 && status <= 999 ? status : 0);
  writer.u8(draft.isError || status >= 500 ? 1 : 0);
  const tenant = tenantSlots.find(([slot]) => attributes.has(slot));
  writeSlot(writer, attributes, tenant ? tenant[0] : -1);
  writer.textBytes(tenant ? tenant[1] : noText, 0, tenant ? tenant[1].length : 0);
  writer.textBytes(resource.tenant, 0, resource.tenant.length);
  writer.textBytes(resource.resolver, 0, resource.resolver.length);
  const consumer = firstText(attributes, consumerSlots);
  const named = consumer < 0 ? noText : safeConsumer(attributes.text(consumer));
  writer.textBytes(named, 0, named.length);
}

const noText = Buffer.alloc(0);

function writeSlot(writer: RowWriter, attributes: AttributeSlots, slot: Slot): void {
  if (slot < 0) {
    writer.u8(0);
    return;
  }
  const start = attributes.starts[slot]!;
  const end = attributes.ends[slot]!;
  const source = attributes.sources[slot]!;
  if (end - start <= LONGEST_TEXT && isPlain(source, start, end)) {
    writer.textBytes(source, start, end);
    return;
  }
  // Cutting at a character and replacing what is not UTF-8 keeps every stored text readable.
  const head = source.toString('utf8', start, Math.min(end, start + 4 * LONGEST_TEXT));
  const text = Buffer.from([...head].slice(0, LONGEST_TEXT).join(''));
  writer.textBytes(text, 0, text.length);
}

function isPlain(source: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (source[i]! >= 0x80) return false;
  return true;
}

function firstText(attributes: AttributeSlots, slots: readonly Slot[]): Slot {
  for (const slot of slots) if (attributes.has(slot)) return slot;
  return -1;
}

function firstNumber(attributes: AttributeSlots, slots: readonly Slot[]): number {
  for (const slot of slots) if (attributes.numbers[slot]! >= 0) return attributes.numbers[slot]!;
  return -1;
}

function writeMeasures(writer: RowWriter, draft: SpanDraft): void {
  const isServed = draft.kind === SpanKind.SERVER || draft.kind === SpanKind.CONSUMER;
  for (const { always, served } of measureSlots) {
    let value = firstNumber(draft.attributes, always);
    if (value < 0 && isServed) value = firstNumber(draft.attributes, served);
    writer.u8(value < 0 ? 1 : 0);
    if (value >= 0) writer.u64(value);
  }
}

function writeLinks(writer: RowWriter, draft: SpanDraft): void {
  writer.varint(draft.linkTraces.length);
  for (let i = 0; i < draft.linkTraces.length; i++) {
    writer.fixed(draft.source, draft.linkTraces[i]!, 16);
    writer.fixed(draft.source, draft.linkSpans[i]!, 8);
  }
}

const MOST_WEIGHTS = 10_000;
const weights = new Map<string, Weight>();

/** Senders use a handful of tracestates; the exact division is done once for each. */
function weightOf(draft: SpanDraft): Weight {
  const text = draft.source.toString('latin1', draft.traceStateAt, draft.traceStateEnd);
  const known = weights.get(text);
  if (known) return known;
  const weight = weightFromTraceState(text);
  if (weights.size >= MOST_WEIGHTS) weights.clear();
  if (text.length <= LONGEST_TEXT) weights.set(text, weight);
  return weight;
}
