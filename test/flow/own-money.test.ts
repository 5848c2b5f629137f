import { beforeAll, describe, expect, test } from 'vitest';
import { rawFees } from '../../src/cost/index.ts';
import { costReport } from '../../src/ledger/index.ts';
import { parseRange } from '../../src/model/index.ts';
import { createMeter, meterSpec } from '../../src/usage/index.ts';
import { openedHouse } from './opened-house.ts';
import { modelOf } from './small-input.ts';

/** Money that is on no bill: fees that spans say, vendors' prices, priced meters, people, one-off costs; and shares by a tenant's own metric. */

const { house } = await openedHouse('own-money');

const AT = Date.UTC(2022, 7, 1, 10);
const ns = (afterMs: number) => String(BigInt(AT + afterMs) * 1_000_000n);
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
let traces = 0;

interface Outbound {
  readonly peer: string;
  readonly fee?: string | number;
  readonly currency?: string;
}

/** A call with outbound calls below it. */
function call(tenant: string, route: string, outbound: readonly Outbound[], traceState?: string): string {
  const traceId = (++traces).toString(16).padStart(32, '0');
  const root = {
    traceId,
    spanId: '0000000000000001',
    kind: 2,
    name: 'call',
    traceState,
    startTimeUnixNano: ns(0),
    endTimeUnixNano: ns(50),
  };
  const spans = outbound.map(({ peer, fee, currency }, place) => ({
    ...{
      traceId,
      spanId: (place + 2).toString(16).padStart(16, '0'),
      parentSpanId: root.spanId,
      kind: 3,
      name: 'out',
      traceState,
    },
    ...{ startTimeUnixNano: ns(1), endTimeUnixNano: ns(40) },
    attributes: [
      text('server.address', peer),
      ...(fee === undefined
        ? []
        : [{ key: 'taximeter.charge', value: typeof fee === 'number' ? { doubleValue: fee } : { stringValue: fee } }]),
      ...(currency === undefined ? [] : [text('taximeter.charge_currency', currency)]),
    ],
  }));
  const attributes = [text('tenant.id', tenant), text('http.request.method', 'GET'), text('http.route', route)];
  const resource = { attributes: [text('service.name', 'api')] };
  return JSON.stringify({
    resourceSpans: [{ resource, scopeSpans: [{ spans: [{ ...root, attributes }, ...spans] }] }],
  });
}

function gauge(metric: string, tenant: string, value: number): string {
  const dataPoints = [{ timeUnixNano: ns(0), asInt: String(value), attributes: [text('tenant.id', tenant)] }];
  const metrics = [{ name: metric, gauge: { dataPoints } }];
  return JSON.stringify({ resourceMetrics: [{ resource: { attributes: [] }, scopeMetrics: [{ metrics }] }] });
}

const day = { from: '2022-08-01', to: '2022-08-02' };

/** `tenant endpoint full`, with the zeros at the end left out. */
async function rows(currency = 'USD', range = day): Promise<string[]> {
  await house.allocate(range);
  const report = await costReport(house.store, parseRange(range.from, range.to), ['tenant', 'endpoint'], currency);
  expect(report.identity.residual).toBe('0.000000000000000000');
  return report.rows
    .filter(({ full }) => /[1-9]/.test(full))
    .map(({ tenant, endpoint, full }) => `${tenant} ${endpoint?.replace('GET ', '')} ${full.replace(/\.?0+$/, '')}`);
}

beforeAll(async () => {
  await house.ingestTraces([
    call('acme', '/pay', [{ peer: 'pay.example', fee: '0.30', currency: 'USD' }, { peer: 'maps.example' }]),
    // Sampled at one in two: each counts twice.
    call('acme', '/pay', [{ peer: 'pay.example', fee: 0.05, currency: 'USD' }], 'ot=th:8'),
    call('zeta', '/pay', [
      { peer: 'pay.example', fee: '0.40', currency: 'EUR' },
      { peer: 'pay.example', fee: '0.07' },
    ]),
    call('zeta', '/map', [{ peer: 'maps.example' }, { peer: 'a.maps.example' }, { peer: 'other.example', fee: '-3' }]),
  ]);
  await house.ingestMetrics([gauge('seats', 'acme', 30), gauge('seats', 'zeta', 10)]);
  const events = [
    { id: '1', time: '2022-08-01T03:00:00Z', data: { minutes: '12.5', service: 'api' } },
    { id: '2', time: '2022-08-01T23:59:00Z', data: { minutes: '0.5', service: 'gone' } },
  ].map((event) => ({ specversion: '1.0', source: 'ci', type: 'ci.minutes', subject: 'build', ...event }));
  await house.collector.events(Buffer.from(JSON.stringify(events)), 'batch');
  await house.collector.settle();
  const spec = {
    eventType: 'ci.minutes',
    aggregation: 'SUM',
    valueProperty: '$.minutes',
    groupBy: { service: '$.service' },
  };
  await createMeter(house.store.documents, 'ci-minutes', meterSpec.parse(spec), new Date());
});

const fees = (more: object = {}) => ({ id: 'fees', driver: undefined, fees: more });
const fixed = { amount: '40', per: 'day' };

describe.each<[string, Record<string, unknown>[], string[], string?]>([
  ['fees that spans say, weighed', [fees()], ['acme /pay 0.4', 'zeta /pay 0.07']],
  ['fees in another currency are told apart', [fees()], ['zeta /pay 0.4'], 'EUR'],
  [
    'fees and a price list: what a span says counts before the list',
    [fees({ prices: { 'pay.example': '9', '*maps.example': '0.002' } })],
    ['acme /pay 0.402', 'zeta /map 0.004', 'zeta /pay 0.07'],
  ],
  [
    'two pools count no fee twice',
    [{ ...fees({ vendors: ['maps.example'], prices: { '*': '1' } }), id: 'maps' }, fees({ prices: { '*': '0.001' } })],
    ['acme /pay 1.4', 'zeta /map 1.002', 'zeta /pay 0.07'],
  ],
  [
    "shares by a tenant's own metric",
    [{ id: 'seats', fixed, split: { over: 'tenant', by: { metric: 'seats' } } }],
    ['acme /pay 30', 'zeta /map 5', 'zeta /pay 5'],
  ],
  [
    'a priced meter, split by one of its groups',
    [
      {
        id: 'ci',
        metered: { meter: 'ci-minutes', price: '0.008' },
        split: { over: 'service', by: { meter: 'ci-minutes', group: 'service' } },
      },
    ],
    // 13 minutes; the half minute of a service without calls is idle.
    ['acme /pay 0.06', 'zeta /map 0.02', 'zeta /pay 0.02'],
  ],
  [
    'people by hours, and a one-off cost by days',
    [
      { id: 'support', people: { hours: '1.5', rate: '20', per: 'day' } },
      { id: 'setup', oneOff: { amount: '-100', from: '2022-07-31', to: '2022-08-10' } },
    ],
    ['acme /pay 12', 'zeta /map 4', 'zeta /pay 4'],
  ],
])('%s', (_, pools, expected, currency) => {
  test('comes out exactly, with residual 0', async () => {
    await house.apply(modelOf(pools));
    expect(await rows(currency)).toEqual(expected);
  });
});

test('fees are a reason to keep raw work, of their time', async () => {
  const reason = (from: string, to: string) => rawFees(house.store, parseRange(from, to));
  expect(await reason('2022-08-01', '2022-08-02')).toContain('says its own fee');
  await house.apply(modelOf([fees({ prices: { 'maps.example': '0.002' } })]));
  expect(await reason('2022-08-02', '2022-08-03')).toBeNull();
});

test('a meter that is gone is told, not taken for zero', async () => {
  await house.apply(modelOf([{ id: 'ci', metered: { meter: 'no-such', price: '1' } }]));
  await expect(rows()).rejects.toThrow('meter no-such');
});
