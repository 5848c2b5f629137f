import { SpanKind, UNKNOWN_TENANT } from '../model/index.ts';
import type { Texts } from '../store/index.ts';
import { OTHER_ENDPOINT } from './naming/endpoint-budget.ts';
import type { Naming } from './naming/naming.ts';
import { type Slot, textSlot } from './otlp/attributes.ts';
import type { AttributeSlots } from './otlp/span-draft.ts';
import { templateName, templatePath } from './path-template.ts';
import { safeLabel } from './privacy.ts';

const LONGEST_ROUTE = 256;
/** Three numbers of texts below this fit one exact number. */
const IDS = 2 ** 17;

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
  /** Routes come from code, so there are few: each is put together once. */
  readonly #known = new Map<number, number>();

  /** Pairs of tenant and endpoint that were asked about: what may be counted there. */
  readonly #admitted = new Map<number, number>();
  readonly #naming: Naming;

  constructor(texts: Texts, naming: Naming) {
    this.#texts = texts;
    this.#naming = naming;
  }

  /** To be called whenever the texts are cleared. */
  clear(): void {
    this.#known.clear();
    this.#admitted.clear();
  }

  /**
   * Takes  attributes: the span's. kind: SERVER or CONSUMER. name: number of its safe name, the last resort. tenant: who pays.
   * Gives  the number of `GET /v1/users/{id}`, `GRPC shop.Cart/AddItem`, `CONSUME orders`, `INVOKE thumbnail`, else the name.
   */
  of(attributes: AttributeSlots, kind: number, name: number, tenant: number): number {
    return this.admitted(tenant, this.#named(attributes, kind, name));
  }

  /** The endpoint itself under the name that it goes by, or `other` where a tenant has its fill. */
  admitted(tenant: number, endpoint: number): number {
    const key = tenant * IDS + endpoint;
    const known = this.#admitted.get(key);
    if (known !== undefined) return known;
    const name = this.#naming.endpoints.renamed(this.#texts.string(endpoint));
    const isIn = this.#naming.budget.admits(this.#texts.string(tenant) || UNKNOWN_TENANT, name);
    const id = this.#texts.idOfString(isIn ? name : OTHER_ENDPOINT);
    // What overflows is asked every time, so that it is counted.
    if (isIn && this.#texts.count < IDS) this.#admitted.set(key, id);
    return id;
  }

  /** The endpoint of a raw path: a route of the API, else a template. */
  fromPath(method: string, path: string): string {
    const { routes } = this.#naming.endpoints;
    const route = routes.isEmpty ? null : routes.match(method, path);
    return shortened(safeLabel(`${method} ${route ?? templatePath(path)}`));
  }

  #named(attributes: AttributeSlots, kind: number, name: number): number {
    const method = first(attributes, slot.method, slot.oldMethod);
    if (attributes.has(slot.route) && !attributes.has(slot.graphql))
      return this.#once(attributes, method, slot.route, -1, routed);
    if (attributes.has(slot.graphql)) return this.#once(attributes, slot.graphql, -1, -1, graphqlEndpoint);
    const path = rawPath(attributes);
    if (path !== null) return this.#texts.idOfString(this.fromPath(methodOf(attributes, method), path));
    if (attributes.has(slot.rpcMethod) || attributes.has(slot.rpcService)) {
      const system = first(attributes, slot.rpcSystem, slot.oldRpcSystem);
      return this.#once(attributes, system, slot.rpcService, slot.rpcMethod, rpcEndpoint);
    }
    const text = unrouted(attributes, kind);
    return text === null ? name : this.#texts.idOfString(safeLabel(text));
  }

  /** Works an endpoint out once for the values of up to three attributes. */
  #once(attributes: AttributeSlots, one: Slot, two: Slot, three: Slot, name: (of: AttributeSlots) => string): number {
    const key = (this.#raw(attributes, one) * IDS + this.#raw(attributes, two)) * IDS + this.#raw(attributes, three);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const id = this.#texts.idOfString(shortened(safeLabel(name(attributes))));
    if (this.#texts.count < IDS) this.#known.set(key, id);
    return id;
  }

  #raw(attributes: AttributeSlots, at: Slot): number {
    if (at < 0 || !attributes.has(at)) return 0;
    return this.#texts.idOf(attributes.sources[at]!, attributes.starts[at]!, attributes.ends[at]!);
  }
}

function methodOf(attributes: AttributeSlots, method: Slot): string {
  return method < 0 ? 'HTTP' : attributes.text(method);
}

function routed(attributes: AttributeSlots): string {
  return `${methodOf(attributes, first(attributes, slot.method, slot.oldMethod))} ${attributes.text(slot.route)}`;
}

/** All operations of GraphQL come in at one route: what tells them apart is their name. */
function graphqlEndpoint(attributes: AttributeSlots): string {
  return `GRAPHQL ${templateName(attributes.text(slot.graphql))}`;
}

function unrouted(attributes: AttributeSlots, kind: number): string | null {
  if (kind === SpanKind.CONSUMER && attributes.has(slot.destination)) {
    return `CONSUME ${templateName(attributes.text(slot.destination))}`;
  }
  return attributes.has(slot.faas) ? `INVOKE ${templateName(attributes.text(slot.faas))}` : null;
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
  if (attributes.has(slot.path)) return attributes.text(slot.path);
  if (attributes.has(slot.target)) return attributes.text(slot.target);
  if (!attributes.has(slot.url)) return null;
  return URL.canParse(attributes.text(slot.url)) ? new URL(attributes.text(slot.url)).pathname : null;
}

function rpcEndpoint(attributes: AttributeSlots): string {
  const method = attributes.text(slot.rpcMethod);
  const service = attributes.text(slot.rpcService);
  const system = first(attributes, slot.rpcSystem, slot.oldRpcSystem);
  const qualified = method.includes('/') || service === '' ? method : `${service}/${method}`;
  return `${system < 0 ? 'RPC' : attributes.text(system).toUpperCase()} ${qualified.replace(/^\//, '')}`;
}
