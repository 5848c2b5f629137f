import { SpanKind } from '../../model/index.ts';
import { callKindOf } from '../call-kind.ts';
import { EndpointNames } from '../endpoint.ts';
import { type Naming, newNaming } from '../naming/naming.ts';
import type { Refusal } from '../refusal.ts';
import { rpcStatusOf } from '../success-class.ts';
import { FrameWriter } from '../table/frame.ts';
import { SpanTable } from '../table/span-table.ts';
import type { WeightFallback } from '../weight.ts';
import { AttributeNames, consumerKeys, numberSlot, type Slot, tenantKeys, textSlot } from './attributes.ts';
import { firstNumber, firstText } from './first-slot.ts';
import { refusalOf } from './span-checks.ts';
import { AttributeSlots, SpanDraft } from './span-draft.ts';
import { linksOf } from './span-links.ts';
import { addQuantities, isServed } from './span-quantities.ts';
import { LONGEST_TEXT, SpanTexts } from './span-texts.ts';
import { SpanWeights } from './span-weights.ts';

/** What the spans of one resource share, as numbers of texts. */
export interface ResourceFacts {
  readonly service: number;
  readonly pod: number;
  readonly tenant: number;
  readonly resolver: number;
  readonly region: number;
  readonly version: number;
}

const LONGEST_NAME = 512;
const LONGEST_CODE = 32;
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
const hostSlot = textSlot('server.address');
const pathSlots = (['url.path', 'http.target'] as const).map(textSlot);
const regionSlot = textSlot('cloud.region');
const versionSlot = textSlot('service.version');
const flagSlot = textSlot('feature_flag.key');
const variantSlots = [textSlot('feature_flag.result.variant'), textSlot('feature_flag.variant')];
const podSlots = [textSlot('k8s.pod.name'), textSlot('container.name')];

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
  readonly #texts: SpanTexts;
  readonly #endpoints: EndpointNames;
  readonly #naming: Naming;
  readonly #tenantSlots: readonly Slot[];
  readonly #weights: SpanWeights;
  readonly #resolvers: (number | undefined)[] = [];
  #namespace = 0;

  /** Takes  requestIds: names of attributes that hold the id of a request; the usual ones where it is left out. */
  constructor(naming: Naming = newNaming(), fallbacks: readonly WeightFallback[] = [], requestIds?: readonly string[]) {
    this.#naming = naming;
    this.names = new AttributeNames(naming.tenants.attributes, requestIds);
    this.#tenantSlots = [...new Set([...this.names.custom, ...tenantSlots])];
    this.#texts = new SpanTexts(this.table.texts, naming);
    this.#endpoints = new EndpointNames(this.table.texts, naming);
    this.#weights = new SpanWeights(this.table.texts, fallbacks);
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
    this.#texts.clear();
    this.#endpoints.clear();
    this.#weights.clear();
    this.#resolvers.length = 0;
  }

  /** The accepted rows as a journal payload, a buffer of its own. */
  payload(): Buffer {
    return this.#frames.payload();
  }

  /** Takes back a payload that is journalled. */
  giveBack(payload: Buffer): void {
    this.#frames.giveBack(payload);
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
    const texts = this.#texts;
    const tenant = firstText(slots, this.#tenantSlots);
    return {
      service: texts.labels.of(texts.of(slots, serviceSlot)),
      pod: texts.labels.of(texts.of(slots, firstText(slots, podSlots))),
      tenant: texts.tenants.of(texts.of(slots, tenant)),
      resolver: this.#resolver(tenant),
      region: texts.labels.of(texts.of(slots, regionSlot)),
      version: texts.versions.of(texts.of(slots, versionSlot)),
    };
  }

  /** Ends a span. Gives  null when it is in the table, else why it is refused; then it is not. */
  endSpan(row: number, resource: ResourceFacts): Refusal | null {
    const { draft, table } = this;
    const refusal = refusalOf(table, row, draft);
    if (refusal !== null) {
      table.truncate(row);
      return refusal;
    }
    this.#describe(row, resource);
    this.#name(row);
    this.#addDimensions(row, resource);
    addQuantities(table, row, draft);
    const isTop = (table.parent[row * 2]! | table.parent[row * 2 + 1]!) === 0;
    const links = linksOf(draft, isTop, this.names.requests);
    if (links !== null) table.links.set(row, links);
    return null;
  }

  #describe(row: number, resource: ResourceFacts): void {
    const { draft, table } = this;
    const { attributes } = draft;
    table.namespace[row] = this.#namespace;
    table.origin[row] = 0;
    table.kind[row] = draft.kind;
    table.isTimed[row] = 1;
    const weight = this.#weights.of(draft);
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
    const texts = this.#texts;
    const nameEnd = Math.min(draft.nameEnd, draft.nameAt + LONGEST_NAME);
    const name = texts.names.of(table.texts.idOf(draft.source, draft.nameAt, nameEnd));
    table.name[row] = name;
    table.peer[row] =
      kind === SpanKind.CLIENT ? texts.peers.of(texts.of(attributes, firstText(attributes, peerSlots))) : 0;
    const tenant = firstText(attributes, this.#tenantSlots);
    table.tenant[row] = texts.tenants.of(texts.of(attributes, tenant));
    table.resolver[row] = this.#resolver(tenant);
    const consumer = firstText(attributes, consumerSlots);
    table.consumer[row] = consumer < 0 ? 0 : texts.consumers.of(texts.raw(attributes, consumer));
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
    const path = firstText(attributes, pathSlots);
    const found = this.#naming.tenants.find({
      ...(attributes.has(hostSlot) ? { host: attributes.text(hostSlot) } : {}),
      ...(consumer < 0 ? {} : { consumer: attributes.text(consumer) }),
      path: path < 0 ? '' : attributes.text(path),
    });
    if (found === null) return;
    this.table.tenant[row] = this.#texts.tenants.of(texts.idOfString(found.tenant.slice(0, LONGEST_TEXT)));
    this.table.resolver[row] = texts.idOfString(found.resolver);
  }

  #addDimensions(row: number, resource: ResourceFacts): void {
    const { draft, table } = this;
    const { attributes, kind } = draft;
    const texts = this.#texts;
    const callKind = isServed(kind) ? callKindOf(attributes, kind, this.#textAt) : '';
    table.callKind[row] = table.texts.idOfString(callKind);
    table.region[row] = attributes.has(regionSlot)
      ? texts.labels.of(texts.of(attributes, regionSlot))
      : resource.region;
    table.version[row] = resource.version;
    table.flags[row] = attributes.has(flagSlot) ? this.#flag(attributes) : 0;
  }

  /** Texts that were seen before are at hand as strings. */
  readonly #textAt = (slot: Slot): string => this.table.texts.string(this.#texts.raw(this.draft.attributes, slot));

  #flag(attributes: AttributeSlots): number {
    const variant = firstText(attributes, variantSlots);
    const text = `${attributes.text(flagSlot)}=${variant < 0 ? '' : attributes.text(variant)}`;
    return this.#texts.labels.of(this.table.texts.idOfString(text.slice(0, LONGEST_TEXT)));
  }

  #resolver(slot: Slot): number {
    if (slot < 0) return 0;
    this.#resolvers[slot] ??= this.table.texts.idOfString(this.names.nameAt(slot));
    return this.#resolvers[slot]!;
  }
}
