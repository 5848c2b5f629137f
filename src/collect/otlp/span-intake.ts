import { SpanKind } from '../../model/index.ts';
import { callKindOf } from '../call-kind.ts';
import { EndpointNames } from '../endpoint.ts';
import { feeFrom } from '../fee.ts';
import { type Naming, newNaming } from '../naming/naming.ts';
import { requestHash, safeConsumer, safeLabel, safeName, safePeer, safeVersion } from '../privacy.ts';
import type { Refusal } from '../refusal.ts';
import { rpcStatusOf } from '../success-class.ts';
import { DerivedTexts } from '../table/derived-texts.ts';
import { FrameWriter } from '../table/frame.ts';
import { LINK_WORDS, measures, SpanTable } from '../table/span-table.ts';
import { type Weight, type WeightFallback, weightFromPower, weightFromRate, weightFromTraceState } from '../weight.ts';
import { AttributeNames, consumerKeys, numberSlot, type Slot, tenantKeys, textSlot } from './attributes.ts';
import { AttributeSlots, IdState, SpanDraft } from './span-draft.ts';

/** What the spans of one resource share, as numbers of texts. */
export interface ResourceFacts {
  readonly service: number;
  readonly pod: number;
  readonly tenant: number;
  readonly resolver: number;
  readonly region: number;
  readonly version: number;
}

// Clocks outside these years are unset or broken; nanoseconds since 1970 in two halves are compared by the upper one.
const OLDEST_HIGH = Math.floor((Date.UTC(2000, 0) * 1e6) / 2 ** 32);
// Minutes are kept as seconds in 32 bits, which end in 2106.
const NEWEST_HIGH = Math.floor((Date.UTC(2106, 0) * 1e6) / 2 ** 32);
/** A longer span could not be measured in whole nanoseconds of a double. */
const LONGEST_HIGH = Math.floor(2 ** 53 / 2 ** 32);
const LONGEST_TEXT = 256;
const LONGEST_NAME = 512;
const LONGEST_CODE = 32;
const SHORTEST_REQUEST_ID = 8;
const LONGEST_FEE = 60;
/** Texts are kept from request to request, so that names are worked out once; beyond this they are forgotten. */
const MOST_TEXTS = 100_000;
const MOST_TEXT_BYTES = 32 << 20;

const tenantSlots = tenantKeys.map(textSlot);
const consumerSlots = consumerKeys.map(textSlot);
const dbSlots = [textSlot('db.system.name'), textSlot('db.system')];
const peerSlots = [textSlot('server.address'), textSlot('peer.service')];
const statusSlots = [numberSlot('http.response.status_code'), numberSlot('http.status_code')];
const rpcStatusSlots = (['rpc.grpc.status_code', 'rpc.response.status_code', 'rpc.status_code'] as const).map(textSlot);
const serviceSlot = textSlot('service.name');
const rateSlot = numberSlot('SampleRate');
const hostSlot = textSlot('server.address');
const pathSlots = (['url.path', 'http.target'] as const).map(textSlot);
const regionSlot = textSlot('cloud.region');
const versionSlot = textSlot('service.version');
const flagSlot = textSlot('feature_flag.key');
const variantSlots = [textSlot('feature_flag.result.variant'), textSlot('feature_flag.variant')];
const chargeSlot = textSlot('taximeter.charge');
const chargeCurrencySlot = textSlot('taximeter.charge_currency');
const feePico = measures.indexOf('fee_pico');
const feeCurrency = measures.indexOf('fee_currency');
const podSlots = [textSlot('k8s.pod.name'), textSlot('container.name')];

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
  { always: [numberSlot('taximeter.records')], served: [numberSlot('messaging.batch.message_count')] },
];

/**
 * Takes decoded spans into a table: checked, named and stripped of what must not be stored.
 * One serves all requests of a process: decoding is synchronous, and what it has learned about texts stays.
 */
export class SpanIntake {
  readonly names: AttributeNames;
  readonly table = new SpanTable(1024);
  readonly draft = new SpanDraft();
  readonly resourceSlots = new AttributeSlots();
  readonly #frames = new FrameWriter(this.table);
  readonly #names = new DerivedTexts(this.table.texts, safeName);
  readonly #peers = new DerivedTexts(this.table.texts, safePeer);
  readonly #labels = new DerivedTexts(this.table.texts, safeLabel);
  readonly #versions = new DerivedTexts(this.table.texts, safeVersion);
  readonly #consumers = new DerivedTexts(this.table.texts, safeConsumer);
  readonly #endpoints: EndpointNames;
  readonly #tenants: DerivedTexts;
  readonly #naming: Naming;
  readonly #tenantSlots: readonly Slot[];
  readonly #weights: (Weight | undefined)[] = [];
  readonly #resolvers: (number | undefined)[] = [];
  readonly #fallbacks: ReadonlySet<WeightFallback>;
  #namespace = 0;

  /** Takes  requestIds: names of attributes that hold the id of a request; the usual ones where it is left out. */
  constructor(naming: Naming = newNaming(), fallbacks: readonly WeightFallback[] = [], requestIds?: readonly string[]) {
    this.#naming = naming;
    this.#fallbacks = new Set(fallbacks);
    this.names = new AttributeNames(naming.tenants.attributes, requestIds);
    this.#tenantSlots = [...new Set([...this.names.custom, ...tenantSlots])];
    this.#endpoints = new EndpointNames(this.table.texts, naming);
    this.#tenants = new DerivedTexts(this.table.texts, (tenant) => safeConsumer(naming.tenants.renamed(tenant)));
  }

  /** Whether what nobody is said to pay for is to be refused. */
  get refusesUnknown(): boolean {
    return this.#naming.tenants.refusesUnknown;
  }

  /** Begins a request. Takes  namespace: of the sender's credential. */
  begin(namespace: Uint8Array): void {
    const { table } = this;
    table.truncate(0);
    if (table.texts.count > MOST_TEXTS || table.texts.sizeBytes > MOST_TEXT_BYTES) this.forgetTexts();
    this.#namespace = table.texts.idOf(namespace, 0, namespace.length);
  }

  forgetTexts(): void {
    this.table.texts.clear();
    this.#names.clear();
    this.#peers.clear();
    this.#labels.clear();
    this.#versions.clear();
    this.#consumers.clear();
    this.#endpoints.clear();
    this.#tenants.clear();
    this.#weights.length = 0;
    this.#resolvers.length = 0;
  }

  /** The accepted rows as a journal payload, a buffer of its own. */
  payload(): Buffer {
    return this.#frames.payload();
  }

  /** Begins a span and gives its row: ids and times are to be written there, everything else into the draft. */
  beginSpan(source: Uint8Array): number {
    const { table } = this;
    this.draft.clear(source);
    const row = table.reserve(1);
    table.parent[row * 2] = table.parent[row * 2 + 1] = 0;
    table.start[row * 2] = table.start[row * 2 + 1] = 0;
    table.end[row * 2] = table.end[row * 2 + 1] = 0;
    return row;
  }

  /** Takes from a resource's attributes what its spans need. */
  resource(): ResourceFacts {
    const slots = this.resourceSlots;
    const tenant = firstText(slots, this.#tenantSlots);
    return {
      service: this.#labels.of(this.#textOf(slots, serviceSlot)),
      pod: this.#labels.of(this.#textOf(slots, firstText(slots, podSlots))),
      tenant: this.#tenants.of(this.#textOf(slots, tenant)),
      resolver: this.#resolver(tenant),
      region: this.#labels.of(this.#textOf(slots, regionSlot)),
      version: this.#versions.of(this.#textOf(slots, versionSlot)),
    };
  }

  /** Ends a span. Gives  null when it is in the table, else why it is refused; then it is not. */
  endSpan(row: number, resource: ResourceFacts): Refusal | null {
    const refusal = this.#refusalOf(row);
    if (refusal !== null) {
      this.table.truncate(row);
      return refusal;
    }
    this.#describe(row, resource);
    this.#name(row);
    this.#addDimensions(row, resource);
    this.#measure(row);
    if (this.draft.attributes.has(chargeSlot)) this.#addFee(row);
    this.#link(row);
    return null;
  }

  /** Keeps what a row says of other traces; most say nothing. */
  #link(row: number): void {
    const { links, kind, attributes } = this.draft;
    const isTop = this.#isTop(row);
    const request = isTop || isServed(kind) ? firstText(attributes, this.names.requests) : -1;
    if (links.length === 0 && request < 0) return;
    // Only of a consumer without a parent do links say whose work it is.
    const kept = kind === SpanKind.CONSUMER && isTop ? spanLinks(links) : [];
    if (request >= 0) kept.push(...this.#requestLink(request));
    if (kept.length > 0) this.table.links.set(row, Uint32Array.from(kept));
  }

  /** An id of a few characters is likely another thing, such as a number in a session; so is one that goes on and on. */
  #requestLink(slot: Slot): readonly number[] {
    const { sources, starts, ends } = this.draft.attributes;
    const [start, end] = [starts[slot]!, ends[slot]!];
    if (end - start < SHORTEST_REQUEST_ID || end - start > LONGEST_TEXT) return [];
    const hash = requestHash(sources[slot]!.subarray(start, end));
    return [0, 4, 8, 12].map((at) => hash.readUInt32LE(at)).concat(0, 0);
  }

  #isTop(row: number): boolean {
    const { parent } = this.table;
    return (parent[row * 2]! | parent[row * 2 + 1]!) === 0;
  }

  #refusalOf(row: number): Refusal | null {
    const { draft, table } = this;
    const { trace, span, start, end } = table;
    const at = row * 4;
    if (!draft.hasTrace || (trace[at]! | trace[at + 1]! | trace[at + 2]! | trace[at + 3]!) === 0)
      return 'trace_id_invalid';
    if (!draft.hasSpan || (span[row * 2]! | span[row * 2 + 1]!) === 0) return 'span_id_invalid';
    if (draft.parent === IdState.malformed) return 'parent_id_invalid';
    const [startHigh, endHigh] = [start[row * 2 + 1]!, end[row * 2 + 1]!];
    if (startHigh < OLDEST_HIGH || startHigh > NEWEST_HIGH || endHigh > NEWEST_HIGH) return 'time_invalid';
    return endHigh - startHigh >= LONGEST_HIGH ? 'duration_too_long' : null;
  }

  #describe(row: number, resource: ResourceFacts): void {
    const { draft, table } = this;
    const { attributes } = draft;
    table.namespace[row] = this.#namespace;
    table.origin[row] = 0;
    table.kind[row] = draft.kind;
    table.isTimed[row] = 1;
    const weight = this.#weightOf();
    const micro = weight?.micro ?? 1_000_000;
    table.weight[row * 2] = micro >>> 0;
    table.weight[row * 2 + 1] = micro / 2 ** 32;
    table.isWeightKnown[row] = weight?.isKnown ? 1 : 0;
    table.service[row] = resource.service;
    table.pod[row] = resource.pod;
    table.isDb[row] = firstText(attributes, dbSlots) >= 0 ? 1 : 0;
    const status = firstNumber(attributes, statusSlots);
    table.status[row] = this.#rpcStatus() || (status >= 0 && status <= 999 ? status : 0);
    table.isError[row] = draft.isError || status >= 500 ? 1 : 0;
    table.resourceTenant[row] = resource.tenant;
    table.resourceResolver[row] = resource.resolver;
  }

  /** A call of gRPC that failed is a success to HTTP. */
  #rpcStatus(): number {
    const slot = firstText(this.draft.attributes, rpcStatusSlots);
    return slot < 0 ? 0 : rpcStatusOf(this.draft.attributes.text(slot, LONGEST_CODE));
  }

  #name(row: number): void {
    const { draft, table } = this;
    const { attributes, kind } = draft;
    const nameEnd = Math.min(draft.nameEnd, draft.nameAt + LONGEST_NAME);
    const name = this.#names.of(table.texts.idOf(draft.source, draft.nameAt, nameEnd));
    table.name[row] = name;
    table.peer[row] =
      kind === SpanKind.CLIENT ? this.#peers.of(this.#textOf(attributes, firstText(attributes, peerSlots))) : 0;
    const tenant = firstText(attributes, this.#tenantSlots);
    table.tenant[row] = this.#tenants.of(this.#textOf(attributes, tenant));
    table.resolver[row] = this.#resolver(tenant);
    const consumer = firstText(attributes, consumerSlots);
    table.consumer[row] = consumer < 0 ? 0 : this.#consumers.of(this.#rawTextOf(attributes, consumer));
    if (!isServed(kind)) {
      table.endpoint[row] = 0;
      return;
    }
    if (tenant < 0 && table.resourceTenant[row] === 0 && this.#naming.tenants.isAskable)
      this.#findTenant(row, consumer);
    table.endpoint[row] = this.#endpoints.of(attributes, kind, name);
  }

  /** Asks the operator's rules whose call it is where no attribute says so. */
  #findTenant(row: number, consumer: Slot): void {
    const { attributes } = this.draft;
    const { texts } = this.table;
    const found = this.#naming.tenants.find({
      ...(attributes.has(hostSlot) ? { host: attributes.text(hostSlot) } : {}),
      ...(consumer < 0 ? {} : { consumer: attributes.text(consumer) }),
      path: firstOf(attributes, pathSlots),
    });
    if (found === null) return;
    this.table.tenant[row] = this.#tenants.of(texts.idOfString(found.tenant.slice(0, LONGEST_TEXT)));
    this.table.resolver[row] = texts.idOfString(found.resolver);
  }

  #addDimensions(row: number, resource: ResourceFacts): void {
    const { draft, table } = this;
    const { attributes, kind } = draft;
    const callKind = isServed(kind) ? callKindOf(attributes, kind, this.#textAt) : '';
    table.callKind[row] = table.texts.idOfString(callKind);
    table.region[row] = attributes.has(regionSlot)
      ? this.#labels.of(this.#textOf(attributes, regionSlot))
      : resource.region;
    table.version[row] = resource.version;
    table.flags[row] = attributes.has(flagSlot) ? this.#flag(attributes) : 0;
  }

  /** Texts that were seen before are at hand as strings. */
  readonly #textAt = (slot: Slot): string => this.table.texts.string(this.#rawTextOf(this.draft.attributes, slot));

  #flag(attributes: AttributeSlots): number {
    const variant = firstText(attributes, variantSlots);
    const text = `${attributes.text(flagSlot)}=${variant < 0 ? '' : attributes.text(variant)}`;
    return this.#labels.of(this.table.texts.idOfString(text.slice(0, LONGEST_TEXT)));
  }

  #measure(row: number): void {
    const { attributes, kind } = this.draft;
    if (!attributes.hasQuantities) return;
    for (let which = 0; which < measureSlots.length; which++) {
      const { always, served } = measureSlots[which]!;
      let value = firstNumber(attributes, always);
      if (value < 0 && isServed(kind)) value = firstNumber(attributes, served);
      if (value >= 0) this.table.measure(which, row, value);
    }
  }

  /** What a span says to have cost elsewhere, in 10^-12 of a currency; of one that is no fee nothing is kept. */
  #addFee(row: number): void {
    const { attributes } = this.draft;
    const fee = feeFrom(attributes.text(chargeSlot, LONGEST_FEE), attributes.text(chargeCurrencySlot, LONGEST_FEE));
    if (fee === null) return;
    this.table.measure(feePico, row, fee.pico);
    if (fee.currency > 0) this.table.measure(feeCurrency, row, fee.currency);
  }

  #resolver(slot: Slot): number {
    if (slot < 0) return 0;
    this.#resolvers[slot] ??= this.table.texts.idOfString(this.names.nameAt(slot));
    return this.#resolvers[slot]!;
  }

  #rawTextOf(attributes: AttributeSlots, slot: Slot): number {
    return this.table.texts.idOf(attributes.sources[slot]!, attributes.starts[slot]!, attributes.ends[slot]!);
  }

  /** The text of an attribute, cut at a character, with what is not UTF-8 replaced: every stored text is readable. */
  #textOf(attributes: AttributeSlots, slot: Slot): number {
    if (slot < 0 || !attributes.has(slot)) return 0;
    const [source, start, end] = [attributes.sources[slot]!, attributes.starts[slot]!, attributes.ends[slot]!];
    if (end - start <= LONGEST_TEXT && isPlain(source, start, end)) return this.table.texts.idOf(source, start, end);
    return this.table.texts.idOfString(
      [...attributes.text(slot).slice(0, 2 * LONGEST_TEXT)].slice(0, LONGEST_TEXT).join(''),
    );
  }

  #weightOf(): Weight | null {
    const { draft } = this;
    const length = draft.traceStateEnd - draft.traceStateAt;
    // W3C ends a tracestate at 512 characters; half of a longer one might say something else.
    const said = length > 0 && length <= LONGEST_NAME ? this.#traceStateWeight() : null;
    if (said?.isKnown || !this.#fallbacks.has('SampleRate')) return said;
    return weightFromRate(draft.attributes.number(rateSlot)) ?? said;
  }

  /** Senders use a handful of tracestates; the exact division is done once for each. */
  #traceStateWeight(): Weight {
    const { source, traceStateAt, traceStateEnd } = this.draft;
    const { texts } = this.table;
    const id = texts.idOf(source, traceStateAt, traceStateEnd);
    this.#weights[id] ??= this.#weightFrom(texts.string(id));
    return this.#weights[id]!;
  }

  #weightFrom(traceState: string): Weight {
    const said = weightFromTraceState(traceState);
    return said.isKnown || !this.#fallbacks.has('p') ? said : (weightFromPower(traceState) ?? said);
  }
}

/** A link to no span leads nowhere, whatever trace it names; the form is that of a request's id otherwise. */
function spanLinks(links: readonly number[]): number[] {
  const kept = [...links];
  for (let at = 0; at < kept.length; at += LINK_WORDS) {
    if ((kept[at + 4]! | kept[at + 5]!) === 0) kept.fill(0, at, at + LINK_WORDS);
  }
  return kept;
}

function firstOf(attributes: AttributeSlots, slots: readonly Slot[]): string {
  const slot = firstText(attributes, slots);
  return slot < 0 ? '' : attributes.text(slot);
}

function isServed(kind: number): boolean {
  return kind === SpanKind.SERVER || kind === SpanKind.CONSUMER;
}

function isPlain(source: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (source[i]! >= 0x80) return false;
  return true;
}

function firstText(attributes: AttributeSlots, slots: readonly Slot[]): Slot {
  for (let i = 0; i < slots.length; i++) if (attributes.has(slots[i]!)) return slots[i]!;
  return -1;
}

function firstNumber(attributes: AttributeSlots, slots: readonly Slot[]): number {
  for (let i = 0; i < slots.length; i++) {
    const value = attributes.number(slots[i]!);
    if (value >= 0) return value;
  }
  return -1;
}
