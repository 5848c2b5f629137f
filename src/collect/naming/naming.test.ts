import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { protobufFromJson } from '../../../test/conformance/otlp-messages.ts';
import { requestOf, type ToldSpan } from '../../../test/simulation/spans.ts';
import { SpanKind } from '../../model/index.ts';
import { combined } from '../logs/combined.ts';
import { LogIntake } from '../logs/log-intake.ts';
import type { LogLine } from '../logs/log-line.ts';
import { SpanIntake } from '../otlp/span-intake.ts';
import { decodeTracesJson } from '../otlp/traces-json.ts';
import { decodeTracesProtobuf } from '../otlp/traces-protobuf.ts';
import { templatePath } from '../path-template.ts';
import { EndpointBudget } from './endpoint-budget.ts';
import { EndpointRules, endpointMapSpec } from './endpoint-map.ts';
import { type Naming, newNaming } from './naming.ts';
import { RouteMatcher } from './route-matcher.ts';
import { TenantRules, tenantMapSpec } from './tenant-map.ts';

const tenants = (spec: object) => new TenantRules([tenantMapSpec.parse(spec)]);
const endpoints = (spec: object) => new EndpointRules([endpointMapSpec.parse(spec)]);

describe('whose call it is by rules', () => {
  it.each<readonly [object, Parameters<TenantRules['find']>[0], string | null]>([
    [{ hosts: { 'acme.example': 'acme' } }, { host: 'ACME.example:8443' }, 'acme'],
    [{ hosts: { '*.shop.example': '*' } }, { host: 'zoo.shop.example' }, 'zoo'],
    [{ hosts: { '*.shop.example': '*' } }, { host: 'shop.example' }, null],
    [{ hosts: { '*.shop.example': 'all' } }, { host: 'a.b.shop.example' }, 'all'],
    [{ hosts: { 'a.example': 'acme' } }, { host: 'axexample' }, null],
    [{ paths: ['/t/{tenant}/'] }, { path: '/t/acme/orders?x=1' }, 'acme'],
    [{ paths: ['/v1/{any}/orgs/{tenant}'] }, { path: '/v1/eu/orgs/zoo' }, 'zoo'],
    [{ paths: ['/v1/*/orgs/{tenant}'] }, { path: '/v1/orgs/zoo' }, null],
    [{ consumers: { 'key-1': 'acme' } }, { consumer: 'key-1' }, 'acme'],
    [{ consumers: { 'key-1': 'acme' } }, { consumer: 'key-2' }, null],
    [{ hosts: { 'a.example': 'host' }, consumers: { k: 'consumer' } }, { host: 'a.example', consumer: 'k' }, 'host'],
    [{ consumers: { k: 'acme' } }, {}, null],
  ])('%j of %j is %s', (spec, call, tenant) => {
    expect(tenants(spec).find(call)?.tenant ?? null).toBe(tenant);
  });

  it.each([
    [{ paths: ['/no/place'] }],
    [{ headers: ['bad header'] }],
    [{ other: 1 }],
    [{ attributes: Array(17).fill('a') }],
  ])('%j is no TenantMap', (spec) => {
    expect(tenantMapSpec.safeParse(spec).success).toBe(false);
  });
});

describe('routes of an API', () => {
  const routes = new RouteMatcher(['GET /v1/users/{id}', 'GET /v1/users/me', '* /v1/files/{a}/{b}', 'POST /v1/users']);

  it.each([
    ['GET', '/v1/users/7', '/v1/users/{id}'],
    ['get', '/v1/users/me?x=1', '/v1/users/me'],
    ['DELETE', '/v1/users/7', null],
    ['PUT', '/v1/files/x/y/', '/v1/files/{a}/{b}'],
    ['GET', '/v1/files/x', null],
    ['POST', '/v1/users', '/v1/users'],
    ['GET', '/', null],
  ])('%s %s is %s', (method, path, route) => {
    expect(routes.match(method, path)).toBe(route);
  });

  it('come from an OpenAPI document, below the path of its server', () => {
    const openapi = {
      openapi: '3.1.0',
      servers: [{ url: 'https://api.example/v2/' }],
      paths: { '/pets/{petId}': { get: {}, parameters: [] }, '/pets': { post: {} } },
    };
    const { routes: matcher } = endpoints({ openapi });
    expect(matcher.match('GET', '/v2/pets/9')).toBe('/v2/pets/{petId}');
    expect(matcher.match('POST', '/v2/pets')).toBe('/v2/pets');
    expect(matcher.match('PARAMETERS', '/v2/pets/9')).toBeNull();
  });
});

const span = (more: Partial<ToldSpan>): ToldSpan => ({
  ...{ trace: 1, span: 1, kind: SpanKind.SERVER, service: 'front', from: 0, to: 1 },
  ...more,
});

function takenFrom(spans: readonly ToldSpan[], naming: Naming) {
  const intake = new SpanIntake(naming);
  intake.begin(Buffer.alloc(0));
  decodeTracesJson(Buffer.from(JSON.stringify(requestOf(spans))), intake);
  const text = (column: Uint32Array, row: number) => intake.table.texts.string(column[row]!);
  return spans.map((_, row) => {
    const { tenant, resolver, endpoint } = intake.table;
    return [text(tenant, row), text(resolver, row), text(endpoint, row)];
  });
}

describe('spans under documents', () => {
  it.each<readonly [string, object, ToldSpan['attributes'], readonly [string, string]]>([
    ['a further attribute', { attributes: ['crm.account'] }, { 'crm.account': 'zoo' }, ['zoo', 'crm.account']],
    [
      'before the usual ones',
      { attributes: ['crm.account'] },
      { 'crm.account': 'zoo', 'tenant.id': 'acme' },
      ['zoo', 'crm.account'],
    ],
    ['a header', { headers: ['X-Org'] }, { 'http.request.header.x-org': 'zoo' }, ['zoo', 'http.request.header.x-org']],
    ['a usual one without it', { attributes: ['crm.account'] }, { 'tenant.id': 'acme' }, ['acme', 'tenant.id']],
    ['another name', { rename: { acme: 'Acme Inc' } }, { 'tenant.id': 'acme' }, ['Acme Inc', 'tenant.id']],
    ['a consumer', { consumers: { 'key-1': 'zoo' } }, { 'taximeter.consumer': 'key-1' }, ['zoo', 'consumer']],
    ['a path', { paths: ['/t/{tenant}'] }, { 'url.path': '/t/zoo/x' }, ['zoo', 'path:/t/{tenant}']],
    ['nothing', { consumers: { 'key-1': 'zoo' } }, {}, ['', '']],
  ])('%s says the tenant', (_, spec, attributes, expected) => {
    const [[tenant, resolver]] = takenFrom([span({ attributes })], newNaming(tenants(spec))) as [string[]];
    expect([tenant, resolver]).toEqual(expected);
  });

  const listed = (values: readonly object[]) => [
    { key: 'http.request.header.x-org', value: { arrayValue: { values } } },
  ];

  it.each<readonly [string, readonly object[], string]>([
    ['a header', listed([{ stringValue: 'zoo' }, { stringValue: 'other' }]), 'zoo'],
    ['its first text', listed([{ intValue: '7' }, { stringValue: '' }, {}, { stringValue: 'zoo' }]), 'zoo'],
    ['nothing in it', listed([]), ''],
    ['nothing near its beginning', listed([...Array(16).fill({ intValue: '7' }), { stringValue: 'zoo' }]), ''],
    ['a name of one letter', [{ key: 't', value: { stringValue: 'zoo' } }], 'zoo'],
    ['a name of two letters', [{ key: 'id', value: { stringValue: 'zoo' } }], 'zoo'],
  ])('%s says the tenant in protobuf as in JSON, where headers are lists of texts', (_, attributes, tenant) => {
    const naming = newNaming(tenants({ headers: ['X-Org'], attributes: ['t', 'id'] }));
    const times = { startTimeUnixNano: '1735689600000000000', endTimeUnixNano: '1735689600000000000' };
    const one = { traceId: '01'.repeat(16), spanId: '01'.repeat(8), ...times, attributes };
    const request = { resourceSpans: [{ scopeSpans: [{ spans: [one] }] }] };
    for (const decode of [
      (intake: SpanIntake) => decodeTracesJson(Buffer.from(JSON.stringify(request)), intake),
      (intake: SpanIntake) => decodeTracesProtobuf(protobufFromJson('ExportTraceServiceRequest', request), intake),
    ]) {
      const intake = new SpanIntake(naming);
      intake.begin(Buffer.alloc(0));
      decode(intake);
      expect(intake.table.texts.string(intake.table.tenant[0]!)).toBe(tenant);
    }
  });

  it('what all documents together name beyond 16 attributes is told', () => {
    const names = (from: number) => Array.from({ length: 10 }, (_, at) => `attribute.${from + at}`);
    const rules = new TenantRules([names(0), names(10)].map((attributes) => tenantMapSpec.parse({ attributes })));
    expect(rules.attributes).toEqual([...names(0), ...names(10).slice(0, 6)]);
    expect(rules.ignored).toEqual(names(10).slice(6));
    expect(tenants({ attributes: names(0) }).ignored).toEqual([]);
  });

  it('routes stand before templates, and endpoints may go by another name', () => {
    const rules = endpoints({ routes: ['GET /shops/{shop}/items'], rename: { 'GET /old': 'GET /new' } });
    const paths = ['/shops/berlin/items', '/shops/77/other', '/old'];
    const spans = paths.map((path) => span({ attributes: { 'http.request.method': 'GET', 'url.path': path } }));
    expect(takenFrom(spans, newNaming(undefined, rules)).map(([, , endpoint]) => endpoint)).toEqual([
      'GET /shops/{shop}/items',
      'GET /shops/{id}/other',
      'GET /new',
    ]);
  });
});

it('log lines without a tenant are refused where a document says so', () => {
  const raw = '1.2.3.4 - key-1 [01/Jan/2025:10:00:00 +0000] "GET /a HTTP/1.1" 200 1 "-" "-"';
  const line = combined.open().parse(raw) as LogLine;
  const source = { service: 's', host: '', tenantFrom: { from: 'none' }, fingerprint: 'f' } as const;
  const taken = (spec: object) => {
    const intake = new LogIntake(newNaming(tenants(spec)));
    intake.begin();
    return [intake.add(line, source, 0, raw), intake.table.rows];
  };
  expect(taken({ unknown: 'refuse' })).toEqual([false, 0]);
  expect(taken({ unknown: 'refuse', consumers: { 'key-1': 'acme' } })).toEqual([true, 1]);
  expect(taken({})).toEqual([true, 1]);
});

it('a budget never gives a tenant more endpoints than its limit', () => {
  const calls = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 9 })), { maxLength: 60 });
  fc.assert(
    fc.property(calls, fc.integer({ min: 1, max: 5 }), (asked, limit) => {
      const budget = new EndpointBudget(limit);
      const admitted = asked.filter(([tenant, endpoint]) => budget.admits(tenant, String(endpoint)));
      for (const tenant of ['a', 'b'])
        expect(new Set(admitted.filter(([of]) => of === tenant).map(([, at]) => at)).size).toBeLessThanOrEqual(limit);
      const inOrder = new EndpointBudget(limit);
      expect(asked.filter(([tenant, endpoint]) => inOrder.admits(tenant, String(endpoint)))).toEqual(admitted);
    }),
  );
});

it('a million random ids in a path are one template', () => {
  const templates = new Set<string>();
  let state = 0x2545f491;
  const random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0).toString(16).padStart(8, '0');
  };
  for (let i = 0; i < 1_000_000; i++) {
    const id = `${random()}-${random().slice(0, 4)}-4${random().slice(0, 3)}-8${random().slice(0, 3)}-${random()}${random().slice(0, 4)}`;
    templates.add(templatePath(`/v1/users/${id}/orders`));
  }
  expect([...templates]).toEqual(['/v1/users/{id}/orders']);
});
