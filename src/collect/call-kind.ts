import { SpanKind } from '../model/index.ts';
import { type Slot, textSlot } from './otlp/attributes.ts';
import type { AttributeSlots } from './otlp/span-draft.ts';

/** What kind of call a span served. A closed set; what a sender says must be one of these. */
const callKinds = [
  'rest',
  'soap',
  'graphql',
  'grpc',
  'rpc',
  'bulk',
  'webhook',
  'websocket',
  'message',
  'function',
] as const;

export type CallKind = (typeof callKinds)[number];

const slot = {
  said: textSlot('taximeter.call_kind'),
  graphqlName: textSlot('graphql.operation.name'),
  graphqlDocument: textSlot('graphql.document'),
  protocol: textSlot('network.protocol.name'),
  rpcSystem: textSlot('rpc.system.name'),
  oldRpcSystem: textSlot('rpc.system'),
  messaging: textSlot('messaging.system'),
  faas: textSlot('faas.name'),
};
const httpSlots = (
  ['http.request.method', 'http.method', 'http.route', 'url.path', 'http.target', 'http.url'] as const
).map(textSlot);

/**
 * Says what kind of call a span served, by its attributes.
 *
 * Takes  kind: SERVER or CONSUMER. textOf: gives the text at a place that is filled.
 * Gives  what the sender said, if it is a kind; else what its attributes show; empty when they show nothing.
 */
export function callKindOf(attributes: AttributeSlots, kind: number, textOf: (slot: Slot) => string): CallKind | '' {
  if (attributes.has(slot.said)) return named(textOf(slot.said));
  if (attributes.has(slot.graphqlName) || attributes.has(slot.graphqlDocument)) return 'graphql';
  if (attributes.has(slot.rpcSystem)) return rpcKind(textOf(slot.rpcSystem));
  if (attributes.has(slot.oldRpcSystem)) return rpcKind(textOf(slot.oldRpcSystem));
  if (attributes.has(slot.protocol) && textOf(slot.protocol).toLowerCase() === 'websocket') return 'websocket';
  if (httpSlots.some((each) => attributes.has(each))) return 'rest';
  if (kind === SpanKind.CONSUMER || attributes.has(slot.messaging)) return 'message';
  return attributes.has(slot.faas) ? 'function' : '';
}

function rpcKind(text: string): CallKind {
  const system = text.toLowerCase();
  return system === 'grpc' || system === 'soap' ? system : 'rpc';
}

function named(text: string): CallKind | '' {
  return callKinds.find((kind) => kind === text.toLowerCase()) ?? '';
}
