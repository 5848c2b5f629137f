import { SpanKind } from '../model/index.ts';
import { type Slot, textSlot } from './attributes.ts';
import { templateName, templatePath } from './path-template.ts';
import type { AttributeSlots } from './span-draft.ts';

const LONGEST_ROUTE = 256;
const MOST_ENDPOINTS = 50_000;
/** What is longer is no route of anybody's code; keeping it would only fill memory. */
const LONGEST_CACHED = 512;

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
};

/** Routes come from code, so there are few: each pair of method and route is joined once. */
const joined = new Map<string, Buffer>();

/**
 * Names the endpoint that a span served: method and route template, never a raw path.
 *
 * Takes  attributes: the span's. kind: SERVER or CONSUMER. name: its safe name, the last resort.
 * Gives  `GET /v1/users/{id}`, `GRPC shop.Cart/AddItem`, `CONSUME orders`, `INVOKE thumbnail`, else the name.
 */
export function ownEndpoint(attributes: AttributeSlots, kind: number, name: Buffer): Buffer {
  const method = first(attributes, slot.method, slot.oldMethod);
  const route = attributes.has(slot.route) ? slot.route : -1;
  if (route >= 0) return join(attributes, method, route);
  const path = rawPath(attributes);
  if (path !== null) return Buffer.from(`${method < 0 ? 'HTTP' : attributes.text(method)} ${templatePath(path)}`);
  const rpc = rpcEndpoint(attributes);
  if (rpc !== null) return Buffer.from(rpc);
  if (kind === SpanKind.CONSUMER && attributes.has(slot.destination)) {
    return Buffer.from(`CONSUME ${templateName(attributes.text(slot.destination))}`);
  }
  if (attributes.has(slot.faas)) return Buffer.from(`INVOKE ${templateName(attributes.text(slot.faas))}`);
  return name;
}

function first(attributes: AttributeSlots, newer: Slot, older: Slot): Slot {
  if (attributes.has(newer)) return newer;
  return attributes.has(older) ? older : -1;
}

function join(attributes: AttributeSlots, method: Slot, route: Slot): Buffer {
  const methodText = method < 0 ? 'HTTP' : raw(attributes, method);
  const key = `${methodText} ${raw(attributes, route)}`;
  const known = joined.get(key);
  if (known) return known;
  const text = `${method < 0 ? 'HTTP' : attributes.text(method)} ${attributes.text(route)}`;
  const endpoint = Buffer.from([...text.slice(0, 2 * LONGEST_ROUTE)].slice(0, LONGEST_ROUTE).join(''));
  if (joined.size >= MOST_ENDPOINTS) joined.clear();
  if (key.length <= LONGEST_CACHED) joined.set(key, endpoint);
  return endpoint;
}

function raw(attributes: AttributeSlots, at: Slot): string {
  return attributes.sources[at]!.toString('latin1', attributes.starts[at], attributes.ends[at]);
}

function rawPath(attributes: AttributeSlots): string | null {
  if (attributes.has(slot.path)) return attributes.text(slot.path);
  if (attributes.has(slot.target)) return attributes.text(slot.target);
  if (!attributes.has(slot.url)) return null;
  return URL.canParse(attributes.text(slot.url)) ? new URL(attributes.text(slot.url)).pathname : null;
}

function rpcEndpoint(attributes: AttributeSlots): string | null {
  const method = attributes.text(slot.rpcMethod);
  const service = attributes.text(slot.rpcService);
  if (method === '' && service === '') return null;
  const system = first(attributes, slot.rpcSystem, slot.oldRpcSystem);
  const qualified = method.includes('/') || service === '' ? method : `${service}/${method}`;
  return `${system < 0 ? 'RPC' : attributes.text(system).toUpperCase()} ${qualified.replace(/^\//, '')}`.slice(
    0,
    LONGEST_ROUTE,
  );
}
