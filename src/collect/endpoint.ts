import { SpanKind } from '../model/index.ts';
import type { Texts } from '../store/index.ts';
import type { Naming } from './naming/naming.ts';
import { type Slot, textSlot } from './otlp/attributes.ts';
import type { AttributeSlots } from './otlp/span-draft.ts';
import { bareRoute, cut, templateName, templatePath } from './path-template.ts';
import { safeLabel } from './privacy.ts';
import { DerivedTexts } from './table/derived-texts.ts';
import { PairNumbers } from './table/pair-numbers.ts';

const LONGEST_ROUTE = 256;
const LONGEST_METHOD = 64;
const LONGEST_PATH = 8_192;
/** More bytes than the characters that are ever looked at of a name have. */
const LONGEST_NAME_BYTES = 2_048;
/** What kind of name was put together of these texts: the same texts have another name as another kind. */
const NameKind = { route: 0, rpc: 1, graphql: 2 } as const;

const slot = {
  method: textSlot('http.request.method'),
  oldMethod: textSlot('http.method'),
  route: textSlot('http.route'),
  path: textSlot('url.path'),
  target: textSlot('http.target'),
  url: textSlot('http.url'),
  rpcMethod: textSlot('rpc.method'),
  rpcService: textSlot('rpc.service'),
  rpcSystem: textSlot('rpc.system.name'),
  oldRpcSystem: textSlot('rpc.system'),
  destination: textSlot('messaging.destination.name'),
  faas: textSlot('faas.name'),
  graphql: textSlot('graphql.operation.name'),
};

/** Names the endpoints that spans served: method and route template, never a raw path. */
export class EndpointNames {
  readonly #texts: Texts;
  /** Routes come from code, so there are few: each is put together once, and found by kind and texts. */
  readonly #parts = [new PairNumbers(), new PairNumbers(), new PairNumbers()] as const;
  readonly #known: (number | undefined)[] = [];
  readonly #renamed: DerivedTexts;
  readonly #naming: Naming;

  constructor(texts: Texts, naming: Naming) {
    this.#texts = texts;
    this.#naming = naming;
    this.#renamed = new DerivedTexts(texts, (endpoint) => naming.endpoints.renamed(endpoint));
  }

  /** To be called whenever the texts are cleared. */
  clear(): void {
    for (const part of this.#parts) part.clear();
    this.#known.length = 0;
    this.#renamed.clear();
  }

  /**
   * Takes  attributes: the span's. kind: SERVER or CONSUMER. name: number of its safe name, the last resort.
   * Gives  the number of `GET /v1/users/{id}`, `GRPC shop.Cart/AddItem`, `CONSUME orders`, `INVOKE thumbnail`, else the name.
   */
  of(attributes: AttributeSlots, kind: number, name: number): number {
    return this.renamed(this.#named(attributes, kind, name));
  }

  /** The name that an endpoint goes by. */
  renamed(endpoint: number): number {
    return this.#renamed.of(endpoint);
  }

  /** The endpoint of a raw path: a route of the API, else a template. */
  fromPath(method: string, path: string): string {
    const { routes } = this.#naming.endpoints;
    const [verb, bare] = [cut(method, LONGEST_METHOD), cut(path, LONGEST_PATH)];
    const route = routes.isEmpty ? null : routes.match(verb, bare);
    return shortened(safeLabel(`${verb} ${route ?? templatePath(bare)}`));
  }

  /** The endpoint of a route that a sender names. */
  fromRoute(method: string, route: string): string {
    return shortened(safeLabel(`${cut(method, LONGEST_METHOD)} ${bareRoute(cut(route, LONGEST_PATH))}`));
  }

  #named(attributes: AttributeSlots, kind: number, name: number): number {
    const method = first(attributes, slot.method, slot.oldMethod);
    if (attributes.has(slot.graphql)) return this.#once(attributes, NameKind.graphql, slot.graphql, -1, -1);
    if (attributes.has(slot.route)) return this.#once(attributes, NameKind.route, method, slot.route, -1);
    const path = rawPath(attributes);
    if (path !== null) return this.#texts.idOfString(this.fromPath(methodOf(attributes, method), path));
    if (attributes.has(slot.rpcMethod) || attributes.has(slot.rpcService)) {
      const system = first(attributes, slot.rpcSystem, slot.oldRpcSystem);
      return this.#once(attributes, NameKind.rpc, system, slot.rpcService, slot.rpcMethod);
    }
    const text = unrouted(attributes, kind);
    return text === null ? name : this.#texts.idOfString(safeLabel(text));
  }

  /** Works an endpoint out once for the values of up to three attributes. */
  #once(attributes: AttributeSlots, kind: number, one: Slot, two: Slot, three: Slot): number {
    const [firsts, seconds, thirds] = this.#parts;
    const head = firsts.of(kind, this.#raw(attributes, one));
    const parts = thirds.of(seconds.of(head, this.#raw(attributes, two)), this.#raw(attributes, three));
    this.#known[parts] ??= this.#texts.idOfString(shortened(safeLabel(this.#nameOf(attributes, kind, one))));
    return this.#known[parts]!;
  }

  #nameOf(attributes: AttributeSlots, kind: number, method: Slot): string {
    if (kind === NameKind.graphql) return graphqlEndpoint(attributes);
    if (kind === NameKind.rpc) return rpcEndpoint(attributes);
    return this.fromRoute(methodOf(attributes, method), shortText(attributes, slot.route));
  }

  #raw(attributes: AttributeSlots, at: Slot): number {
    if (at < 0 || !attributes.has(at)) return 0;
    const start = attributes.starts[at]!;
    const end = Math.min(attributes.ends[at]!, start + LONGEST_NAME_BYTES);
    return this.#texts.idOf(attributes.sources[at]!, start, end);
  }
}

function methodOf(attributes: AttributeSlots, method: Slot): string {
  return method < 0 ? 'HTTP' : shortText(attributes, method);
}

function shortText(attributes: AttributeSlots, at: Slot): string {
  return attributes.text(at, LONGEST_NAME_BYTES);
}

/** All operations of GraphQL come in at one route: what tells them apart is their name. */
function graphqlEndpoint(attributes: AttributeSlots): string {
  return `GRAPHQL ${templateName(shortText(attributes, slot.graphql))}`;
}

function unrouted(attributes: AttributeSlots, kind: number): string | null {
  if (kind === SpanKind.CONSUMER && attributes.has(slot.destination)) {
    return `CONSUME ${templateName(shortText(attributes, slot.destination))}`;
  }
  return attributes.has(slot.faas) ? `INVOKE ${templateName(shortText(attributes, slot.faas))}` : null;
}

/** Cut between characters. */
function shortened(text: string): string {
  return text.length <= LONGEST_ROUTE ? text : [...text.slice(0, 2 * LONGEST_ROUTE)].slice(0, LONGEST_ROUTE).join('');
}

function first(attributes: AttributeSlots, newer: Slot, older: Slot): Slot {
  if (attributes.has(newer)) return newer;
  return attributes.has(older) ? older : -1;
}

function rawPath(attributes: AttributeSlots): string | null {
  if (attributes.has(slot.path)) return attributes.text(slot.path, LONGEST_PATH);
  if (attributes.has(slot.target)) return attributes.text(slot.target, LONGEST_PATH);
  if (!attributes.has(slot.url)) return null;
  const url = attributes.text(slot.url, LONGEST_PATH);
  return URL.canParse(url) ? new URL(url).pathname : null;
}

function rpcEndpoint(attributes: AttributeSlots): string {
  const method = shortText(attributes, slot.rpcMethod);
  const service = shortText(attributes, slot.rpcService);
  const system = first(attributes, slot.rpcSystem, slot.oldRpcSystem);
  const qualified = method.includes('/') || service === '' ? method : `${service}/${method}`;
  return `${system < 0 ? 'RPC' : cut(shortText(attributes, system), LONGEST_METHOD).toUpperCase()} ${qualified.replace(/^\//, '')}`;
}
