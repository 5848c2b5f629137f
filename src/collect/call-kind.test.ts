import { expect, it } from 'vitest';
import { SpanKind } from '../model/index.ts';
import { callKindOf } from './call-kind.ts';
import { AttributeNames } from './otlp/attributes.ts';
import { AttributeSlots } from './otlp/span-draft.ts';

it.each<readonly [string, number, Readonly<Record<string, string>>]>([
  ['rest', SpanKind.SERVER, { 'http.request.method': 'GET' }],
  ['rest', SpanKind.SERVER, { 'http.target': '/x' }],
  ['graphql', SpanKind.SERVER, { 'http.request.method': 'POST', 'graphql.operation.name': 'GetUser' }],
  ['grpc', SpanKind.SERVER, { 'rpc.system': 'grpc' }],
  ['grpc', SpanKind.SERVER, { 'rpc.system.name': 'GRPC' }],
  ['rpc', SpanKind.SERVER, { 'rpc.system': 'dotnet_wcf' }],
  ['soap', SpanKind.SERVER, { 'taximeter.call_kind': 'SOAP', 'http.request.method': 'POST' }],
  ['webhook', SpanKind.SERVER, { 'taximeter.call_kind': 'webhook' }],
  ['', SpanKind.SERVER, { 'taximeter.call_kind': 'whatever' }],
  ['websocket', SpanKind.SERVER, { 'network.protocol.name': 'websocket', 'http.request.method': 'GET' }],
  ['message', SpanKind.CONSUMER, {}],
  ['function', SpanKind.SERVER, { 'faas.name': 'thumbnail' }],
  ['', SpanKind.SERVER, {}],
])('%s', (expected, kind, attributes) => {
  const slots = new AttributeSlots();
  for (const [key, value] of Object.entries(attributes)) slots.setText(new AttributeNames().slotOf(key), value);
  expect(callKindOf(slots, kind)).toBe(expected);
});
