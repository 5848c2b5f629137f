import fc from 'fast-check';
import { stringify } from 'yaml';
import type { AuditInput } from './auditor/auditor.ts';

/** Small inputs full of trouble: lost parents, links, copies, sampling, edges of hours, credits, corrections, last digits. */

type ValueOf<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Value> ? Value : never;

const HOUR_S = 3_600;
const START_S = Date.UTC(2025, 2, 10, 10) / 1000;
const services = ['gateway', 'orders', 'worker', 'silent'];
const tenants = ['acme', 'Zeta', 'a10', 'a9', 'é', '\u{1f680}'];
const routes = ['/a', '/b/{id}', '/é'];
const drivers = [
  'calls',
  'calls',
  'spans',
  'spans',
  'busy_us',
  'busy_us',
  'db_calls',
  'db_us',
  'ext_calls',
  'ext_us',
  'cpu_us',
  'bytes_out',
  'retries',
];
const metrics = ['k8s.pod.cpu.usage', 'net.bytes', 'net.total'] as const;

/** Seconds and nanoseconds near the edges of three hours. */
const instant = fc
  .tuple(
    fc.integer({ min: 0, max: 3 }),
    fc.constantFrom(-2, -1, 0, 1, 2, 299, 300, 301, 1800),
    fc.constantFrom(0, 1, 999, 1_000, 500_000_000, 999_999_999),
  )
  .map(([hour, second, nano]) => BigInt(START_S + hour * HOUR_S + second) * 1_000_000_000n + BigInt(nano));

const spanArbitrary = fc.record({
  parent: fc.option(fc.nat(9), { nil: undefined, freq: 4 }),
  isParentLost: fc.boolean(),
  kind: fc.constantFrom(0, 1, 2, 2, 2, 2, 3, 3, 4, 5, 5),
  service: fc.constantFrom('gateway', 'gateway', 'orders', 'worker'),
  hasPod: fc.boolean(),
  start: instant,
  durationNs: fc.constantFrom(-500n, 0n, 999n, 1_000n, 1_001n, 2_000_000n, 70_000_007n, 4_000_000_000n),
  traceState: fc.constantFrom('', '', '', 'ot=th:0', 'ot=th:c', 'vendor=x,ot=rv:11111111111111;th:aaab', 'ot=th:fd70a'),
  tenant: fc.option(fc.constantFrom(...tenants), { nil: undefined, freq: 3 }),
  resourceTenant: fc.option(fc.constantFrom(...tenants), { nil: undefined, freq: 2 }),
  route: fc.constantFrom(...routes),
  isDb: fc.boolean(),
  measures: fc.record(
    { 'taximeter.cpu_us': fc.nat(5000), 'http.response.body.size': fc.nat(99), 'taximeter.retries': fc.nat(2) },
    { requiredKeys: [] },
  ),
  links: fc.array(fc.tuple(fc.nat(7), fc.nat(9)), { maxLength: 4, size: 'max' }),
  order: fc.nat(1000),
});
type RandomSpan = ValueOf<typeof spanArbitrary>;

const sampleArbitrary = fc.record({
  metric: fc.constantFrom(...metrics),
  service: fc.constantFrom('', ...services),
  at: instant,
  value: fc.constantFrom(0, 0.1, 0.25, 0.3, 1, 2, 1.0000005, 2.5e-6, 1e-9, 1234567.8901234),
});

const costs = ['0.5', '-0.333333333333333333', '1.000000000000000001', '0.000000000000000001', '-0.000000000000000002'];
const moreCosts = ['0.0300000000000000005', '4e-10', '1234567.89', '0', '7'];

const chargeArbitrary = fc.record({
  account: fc.constantFrom('A', 'B'),
  isCorrection: fc.boolean(),
  period: fc.constantFrom<readonly [string, string]>(
    ['2025-03-10T10:00:00Z', '2025-03-10T11:00:00Z'],
    ['2025-03-10T11:00:00Z', '2025-03-10T12:00:00Z'],
    ['2025-03-10T12:00:00Z', '2025-03-10T13:00:00Z'],
    ['2025-03-10T00:00:00Z', '2025-03-11T00:00:00Z'],
    ['2025-03-01T00:00:00Z', '2025-04-01T00:00:00Z'],
  ),
  service: fc.constantFrom('vm', 'vm-large', 'db', '50%_off'),
  category: fc.constantFrom('Usage', 'Credit', 'Tax'),
  billed: fc.constantFrom(...costs, ...moreCosts),
  effective: fc.constantFrom(...costs, ...moreCosts),
  team: fc.option(fc.constantFrom('red', 'blue'), { nil: undefined }),
});
type RandomCharge = ValueOf<typeof chargeArbitrary>;

const serviceGlob = fc.constantFrom('vm', 'db', 'vm*', '*', '*', '*-l*e', '50%_off', '5*', 'VM');
const condition = fc.oneof(
  serviceGlob,
  fc.array(serviceGlob, { minLength: 1, maxLength: 2 }),
  fc.record({ not: fc.oneof(serviceGlob, fc.array(serviceGlob, { minLength: 1, maxLength: 2 })) }),
);
const team = fc.constantFrom('red', 'r*', { not: 'red' }, ['red', 'blue']);

const match = fc.oneof(
  fc.record({ ServiceName: condition }),
  fc.record({ ChargeCategory: fc.constantFrom('Tax', ['Credit', 'Usage']), ServiceName: condition }),
  fc.record({ 'Tags.team': team }),
);
const fixed = fc.record({
  amount: fc.constantFrom('100.000000000000000007', '-9.99', '0.000000000000000003'),
  per: fc.constantFrom('month', 'day', 'year'),
  spread: fc.constantFrom('period', 'hours'),
});
const scope = fc.array(fc.constantFrom(...services), { minLength: 1, maxLength: 2 });
const poolArbitrary = fc
  .record({
    rule: fc.oneof({ weight: 3, arbitrary: fc.record({ match }) }, { weight: 1, arbitrary: fc.record({ fixed }) }),
    split: fc.option(fc.record({ over: fc.constant('service'), by: fc.constantFrom(...metrics) }), {
      nil: undefined,
      freq: 2,
    }),
    services: fc.option(scope, { nil: undefined, freq: 2 }),
    driver: fc.constantFrom(...drivers),
  })
  .map(({ rule, ...rest }) => ({ ...rest, ...rule }));

const modelArbitrary = fc.record({
  basis: fc.constantFrom('effective', 'billed'),
  pools: fc.array(poolArbitrary, { minLength: 1, maxLength: 4, size: 'max' }),
});

/** Everything that a run is given, as plain values that fast-check can make smaller. */
export const worldArbitrary = fc
  .record({
    traces: fc.array(fc.array(spanArbitrary, { minLength: 1, maxLength: 6, size: 'max' }), {
      maxLength: 8,
      size: 'max',
    }),
    copies: fc.array(fc.tuple(fc.nat(6), fc.nat(3)), { maxLength: 4, size: 'max' }),
    samples: fc.array(sampleArbitrary, { maxLength: 30, size: 'max' }),
    bills: fc.array(fc.array(chargeArbitrary, { minLength: 1, maxLength: 10, size: 'max' }), {
      minLength: 1,
      maxLength: 3,
    }),
    models: fc.array(modelArbitrary, { minLength: 1, maxLength: 2 }),
    boundary: fc.option(fc.constantFrom(['gateway'], ['gateway', 'orders']), { nil: undefined, freq: 2 }),
    range: fc.constantFrom(
      { from: '2025-03-10', to: '2025-03-11' },
      { from: '2025-03-10T11:00:00Z', to: '2025-03-10T13:00:00Z' },
      { from: '2025-03-10T10:00:00Z', to: '2025-03-10T12:00:00Z' },
    ),
    /** How many requests are loaded, and shared out, before the rest arrives. */
    early: fc.nat(25),
    isModelLast: fc.boolean(),
  })
  .map(({ traces, copies, samples, bills, models, boundary, range, ...how }) => ({
    ...how,
    input: {
      traces: requestsOf(traces, copies),
      metrics: samples.map(metricRequest),
      bills: bills.map(csvOf),
      model: yamlOf(models, boundary),
      ...range,
    } satisfies AuditInput,
  }));

/** Not in the order of the traces' numbers, so that the order of links is not that of arrival. */
function traceId(trace: number): string {
  return (((trace * 5) % 11) + 1).toString(16).padStart(32, '0');
}

function spanId(trace: number, span: number): string {
  return (trace * 100 + ((span * 7) % 11) + 1).toString(16).padStart(16, '0');
}

function requestsOf(traces: readonly RandomSpan[][], copies: readonly (readonly [number, number])[]): string[] {
  const requests = traces.flatMap((spans, trace) =>
    spans.map((span, place) => ({ order: span.order, request: spanRequest(traces, trace, place, span) })),
  );
  const again = copies.flatMap(([trace, place]) => {
    const span = traces[trace]?.[place];
    return span ? [spanRequest(traces, trace, place, { ...span, tenant: 'impostor', durationNs: 999n })] : [];
  });
  return [...requests.sort((a, b) => a.order - b.order).map(({ request }) => request), ...again];
}

function spanRequest(traces: readonly RandomSpan[][], trace: number, place: number, span: RandomSpan): string {
  // A parent comes before its children and a linked trace before its consumer: no circles.
  const parent = span.parent === undefined || place === 0 ? undefined : span.parent % place;
  const lost = span.parent === undefined && span.isParentLost ? 'f'.repeat(16) : undefined;
  const links = span.kind !== 5 ? [] : span.links.map(([to, at]) => linkTo(traces, trace, to, at));
  const sent = {
    traceId: traceId(trace),
    spanId: spanId(trace, place),
    parentSpanId: parent === undefined ? lost : spanId(trace, parent),
    traceState: span.traceState === '' ? undefined : span.traceState,
    name: 'work',
    kind: span.kind,
    startTimeUnixNano: String(span.start),
    endTimeUnixNano: String(span.start + span.durationNs),
    links,
    attributes: attributes({
      'tenant.id': span.tenant,
      'http.request.method': 'GET',
      'http.route': span.route,
      'db.system': span.isDb ? 'postgresql' : undefined,
      ...span.measures,
    }),
  };
  const resource = {
    'service.name': span.service,
    'k8s.pod.name': span.hasPod ? `pod-${span.service}` : undefined,
    'account.id': span.resourceTenant,
  };
  return JSON.stringify({
    resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans: [{ spans: [sent] }] }],
  });
}

function linkTo(traces: readonly RandomSpan[][], from: number, to: number, at: number) {
  const target = traces[to];
  if (to >= from || target === undefined) return { traceId: 'e'.repeat(32), spanId: spanId(to, at) };
  return { traceId: traceId(to), spanId: spanId(to, at % target.length) };
}

function attributes(values: Readonly<Record<string, string | number | undefined>>) {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [{ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value } }];
  });
}

function metricRequest({ metric, service, at, value }: ValueOf<typeof sampleArbitrary>) {
  const dataPoints = [{ timeUnixNano: String(at), asDouble: value }];
  const content = {
    'k8s.pod.cpu.usage': { gauge: { dataPoints } },
    'net.bytes': { sum: { dataPoints, aggregationTemporality: 1, isMonotonic: true } },
    'net.total': { sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } },
  }[metric];
  const resource =
    service === '' ? { 'k8s.pod.name': 'pod-orders' } : { 'service.name': service, 'k8s.pod.name': `pod-${service}` };
  return JSON.stringify({
    resourceMetrics: [
      {
        resource: { attributes: attributes(resource) },
        scopeMetrics: [{ metrics: [{ name: metric, ...content }] }],
      },
    ],
  });
}

function csvOf(charges: readonly RandomCharge[]): string {
  const rows = charges.map(({ account, isCorrection, period, service, category, billed, effective, team: tag }) => ({
    ProviderName: 'AWS',
    BillingAccountId: account,
    BillingCurrency: 'USD',
    BillingPeriodStart: isCorrection ? '2025-04-01T00:00:00Z' : '2025-03-01T00:00:00Z',
    BillingPeriodEnd: isCorrection ? '2025-05-01T00:00:00Z' : '2025-04-01T00:00:00Z',
    ChargePeriodStart: period[0],
    ChargePeriodEnd: period[1],
    ChargeCategory: category,
    ChargeClass: isCorrection ? 'Correction' : '',
    ServiceCategory: 'Compute',
    ServiceName: service,
    BilledCost: billed,
    EffectiveCost: effective,
    ListCost: billed,
    ContractedCost: billed,
    Tags: tag === undefined ? '' : JSON.stringify({ team: tag }),
  }));
  const lines = rows.map((row) =>
    Object.values(row)
      .map((cell) => `"${cell.replace(/"/g, '""')}"`)
      .join(','),
  );
  return [Object.keys(rows[0]!).join(','), ...lines, ''].join('\n');
}

function yamlOf(models: readonly ValueOf<typeof modelArbitrary>[], boundary?: readonly string[]) {
  const starts = ['2025-03-01', '2025-03-10T11:00:00Z'];
  const documents: unknown[] = models.map(({ basis, pools }, place) => ({
    apiVersion: 'taximeter/v1',
    kind: 'CostModel',
    metadata: { name: 'world', effectiveFrom: starts[place] },
    spec: { currency: 'USD', basis, pools: pools.map(poolDocument) },
  }));
  if (boundary) {
    const metadata = { name: 'edge' };
    documents.push({ apiVersion: 'taximeter/v1', kind: 'Boundary', metadata, spec: { services: boundary } });
  }
  return documents.map((document) => stringify(document)).join('---\n');
}

/** A pool keeps its kind from one model to the next: reports list a pool once for each kind. */
function poolDocument(pool: Readonly<Record<string, unknown>>, place: number): Record<string, unknown> {
  return defined({ id: `pool-${place}`, kind: place % 2 === 0 ? 'direct' : 'indirect', ...pool });
}

function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
