import { describe, expect, it } from 'vitest';
import { requestOf, type ToldSpan } from '../../test/simulation/spans.ts';
import { SpanKind } from '../model/index.ts';
import { Texts } from '../store/index.ts';
import { EndpointNames } from './endpoint.ts';
import { newNaming } from './naming/naming.ts';
import { type TextKey, textSlot } from './otlp/attributes.ts';
import { AttributeSlots } from './otlp/span-draft.ts';
import { SpanIntake } from './otlp/span-intake.ts';
import { decodeTracesJson } from './otlp/traces-json.ts';

function served(kind: number, attributes: ToldSpan['attributes']): string {
  const intake = new SpanIntake();
  intake.begin(Buffer.alloc(0));
  const request = requestOf([{ trace: 1, span: 1, kind, service: 'front', from: 0, to: 1, attributes }]);
  decodeTracesJson(Buffer.from(JSON.stringify(request)), intake);
  return intake.table.texts.string(intake.table.endpoint[0]!);
}

describe('the endpoint that a span served', () => {
  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ['GET /v1/users/{id}', { 'http.request.method': 'GET', 'http.route': '/v1/users/{id}', 'url.path': '/v1/users/7' }],
    ['POST /old', { 'http.method': 'POST', 'http.route': '/old' }],
    ['HTTP /x', { 'http.route': '/x' }],
    ['GET /users/{id}', { 'http.request.method': 'GET', 'url.path': '/users/42' }],
    ['GET /users/{id}', { 'http.method': 'GET', 'http.target': '/users/42?token=secret' }],
    ['GET /users/{email}', { 'http.method': 'GET', 'http.url': 'https://h/users/ada@example.com?token=secret' }],
    ['GRPC shop.Cart/AddItem', { 'rpc.system': 'grpc', 'rpc.service': 'shop.Cart', 'rpc.method': 'AddItem' }],
    ['GRPC shop.Cart/AddItem', { 'rpc.system.name': 'grpc', 'rpc.method': 'shop.Cart/AddItem' }],
    ['INVOKE thumbnail', { 'faas.name': 'thumbnail' }],
    ['GRAPHQL GetUser', { 'http.route': '/graphql', 'graphql.operation.name': 'GetUser' }],
    ['GET /search', { 'http.request.method': 'GET', 'http.route': '/search?name=Jane+Doe' }],
    ['GET /:id?/edit', { 'http.request.method': 'GET', 'http.route': '/:id?/edit' }],
    ['GET /peers/{ip}', { 'http.request.method': 'GET', 'http.route': '/peers/2001:db8::1' }],
    ['work front', {}],
    ['work front', { 'http.url': 'not a url' }],
  ])('%s', (endpoint, attributes) => {
    expect(served(SpanKind.SERVER, attributes)).toBe(endpoint);
  });

  it('of a consumer is what it consumes', () => {
    expect(served(SpanKind.CONSUMER, { 'messaging.destination.name': 'orders' })).toBe('CONSUME orders');
  });

  it('is nothing for a span that serves nobody', () => {
    expect(served(SpanKind.CLIENT, { 'http.route': '/x' })).toBe('');
  });

  it('never grows beyond 256 characters', () => {
    const endpoint = served(SpanKind.SERVER, { 'http.request.method': 'GET', 'http.route': `/${'é'.repeat(400)}` });
    expect([...endpoint]).toHaveLength(256);
  });

  const long = 'a'.repeat(1 << 20);

  // What takes the square of a text's length does not end within the time of a test.
  it.each<readonly [string, Readonly<Record<string, string>>]>([
    [`GET /${long.slice(0, 251)}`, { 'http.request.method': 'GET', 'http.route': `/${long}` }],
    [`${long.slice(0, 64)} /x`, { 'http.request.method': long, 'http.route': '/x' }],
    [`RPC ${long.slice(0, 252)}`, { 'rpc.method': long }],
    ['GET /{id}', { 'http.request.method': 'GET', 'url.path': `/${long}` }],
    ['INVOKE {id}', { 'faas.name': long }],
    ['GRAPHQL {id}', { 'graphql.operation.name': long }],
  ])('is told from a megabyte at once: %.40s', (endpoint, attributes) => {
    expect(served(SpanKind.SERVER, attributes)).toBe(endpoint);
  });

  it('is another one for a route than for the same words as an operation', () => {
    const texts = new Texts();
    const names = new EndpointNames(texts, newNaming());
    const endpointOf = (attributes: Readonly<Record<string, string>>) => {
      const slots = new AttributeSlots();
      for (const [key, value] of Object.entries(attributes)) slots.setText(textSlot(key as TextKey), value);
      return texts.string(names.of(slots, SpanKind.SERVER, 0));
    };
    expect(endpointOf({ 'http.request.method': 'a', 'http.route': 'b' })).toBe('a b');
    expect(endpointOf({ 'rpc.system': 'a', 'rpc.service': 'b' })).toBe('A b/');
    expect(endpointOf({ 'http.request.method': 'b', 'graphql.operation.name': 'a' })).toBe('GRAPHQL a');
    expect(endpointOf({ 'rpc.system': 'a', 'rpc.method': '' })).toBe('');
  });
});
