import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RowWriter, Texts } from '../store/index.ts';
import { allocateSlice, integralKey, type Measured } from './allocate-slice.ts';
import { costModelSpec } from './cost-model.ts';
import { rulesOf } from './rule.ts';
import { accountNumbers } from './slice-shares.ts';
import { readTotals, type WorkTotals } from './work-totals.ts';

type Row = readonly [tenant: string, endpoint: string, service: string, calls: number, busyUs?: number];

/** Work in the order in which the store gives it; weights of one. */
function work(rows: readonly Row[], texts = new Texts()): WorkTotals {
  const writer = new RowWriter();
  for (const [tenant, endpoint, service, calls, busyUs = 0] of rows) {
    for (const name of [tenant, endpoint, service]) writer.text(name);
    for (const total of [calls, busyUs]) writer.i128(BigInt(total) * 1_000_000n);
  }
  return readTotals(Buffer.from(writer.bytes()), ['calls', 'busy_us'], texts);
}

const accounts = Object.fromEntries(Object.entries(accountNumbers).map(([name, number]) => [number, name]));
const money = { fixed: { amount: '1', per: 'day' }, kind: 'direct' };
const day: readonly Row[] = [
  ['acme', '/a', 'api', 6, 10],
  ['acme', '/b', 'db', 0, 30],
  ['zeta', '/a', 'api', 2, 60],
  ['', '', 'api', 2, 0],
];

interface Case {
  readonly pools: Record<string, unknown>[];
  readonly idle?: unknown;
  readonly rows?: readonly Row[];
  readonly wider?: readonly Row[];
  readonly integrals?: Record<string, Record<string, bigint>>;
}

/** `account service tenant endpoint amount` of what the first pool shares. */
function lines(amount: bigint, { pools, idle, rows = day, wider, integrals = {} }: Case): string[] {
  const spec = costModelSpec.parse({
    currency: 'USD',
    pools: pools.map((pool) => ({ ...pool })),
    ...(idle ? { idle } : {}),
  });
  const texts = new Texts();
  const measured: Measured = {
    work: work(rows, texts),
    wider: wider ? work(wider, texts) : null,
    integrals: new Map(Object.entries(integrals).map(([key, sums]) => [key, new Map(Object.entries(sums))])),
  };
  const shares = allocateSlice(amount, rulesOf(spec).get(spec.pools[0]!.id)!, measured);
  expect(shares.amounts.sum()).toBe(amount);
  return Array.from(shares.accounts, (account, place) => {
    const names = [shares.services, shares.tenants, shares.endpoints].map((ids) => texts.string(ids[place]!));
    return [accounts[account], ...names, shares.amounts.get(place)].join(' ');
  });
}

const cpu = integralKey('service', 'cpu');
const seats = integralKey('tenant', 'seats');

describe.each<[string, bigint, Case, string[]]>([
  [
    'even: everybody who called takes the same, unattributed work nothing',
    11n,
    { pools: [{ ...money, id: 'p', driver: 'even' }] },
    ['tenant  acme /a 6', 'tenant  zeta /a 5'],
  ],
  [
    'percentages over tenants, then by the driver within each',
    100n,
    {
      pools: [
        {
          ...money,
          id: 'p',
          driver: 'busy_us',
          split: { over: 'tenant', by: { percent: { zeta: '33.5', acme: '66.5' } } },
        },
      ],
    },
    ['tenant  acme /a 17', 'tenant  acme /b 50', 'tenant  zeta /a 33'],
  ],
  [
    'a tenant with a percentage pays it, whether it called or not',
    10n,
    {
      pools: [
        { ...money, id: 'p', driver: 'calls', split: { over: 'tenant', by: { percent: { gone: '50', zeta: '50' } } } },
      ],
    },
    ['tenant  gone (none) 5', 'tenant  zeta /a 5'],
  ],
  [
    'even over tenants',
    10n,
    { pools: [{ ...money, id: 'p', driver: 'busy_us', split: { over: 'tenant', by: 'even' } }] },
    ['tenant  acme /a 1', 'tenant  acme /b 4', 'tenant  zeta /a 5'],
  ],
  [
    'an own metric over tenants',
    10n,
    {
      pools: [{ ...money, id: 'p', driver: 'calls', split: { over: 'tenant', by: { metric: 'seats' } } }],
      integrals: { [seats]: { zeta: 9n, acme: 1n } },
    },
    ['tenant  acme /a 1', 'tenant  zeta /a 9'],
  ],
  [
    'a driver over tenants, with unattributed work as the last',
    10n,
    { pools: [{ ...money, id: 'p', driver: 'calls', split: { over: 'tenant', by: { driver: 'calls' } } }] },
    ['tenant  acme /a 6', 'tenant  zeta /a 2', 'unattributed    2'],
  ],
  [
    'several steps: services by a metric, then tenants evenly',
    100n,
    {
      pools: [
        {
          ...money,
          id: 'p',
          driver: 'busy_us',
          split: [
            { over: 'service', by: 'cpu' },
            { over: 'tenant', by: 'even' },
          ],
        },
      ],
      integrals: { [cpu]: { api: 3n, db: 1n } },
    },
    ['tenant api acme /a 38', 'tenant api zeta /a 37', 'tenant db acme /b 25'],
  ],
  [
    'weights of tenants and endpoints',
    100n,
    {
      pools: [{ ...money, id: 'p', driver: 'calls', weights: { tenants: { 'z*': '2.5' }, endpoints: { '/a': '2' } } }],
    },
    ['tenant  acme /a 50', 'tenant  zeta /a 42', 'unattributed    8'],
  ],
  [
    'a weight of zero takes no part',
    9n,
    { pools: [{ ...money, id: 'p', driver: 'calls', weights: { tenants: { acme: '0' } } }], rows: day.slice(0, 3) },
    ['tenant  zeta /a 9'],
  ],
  [
    'platform into teams by percent, teams into services, services by their work',
    100n,
    {
      pools: [
        { ...money, id: 'platform', into: { pools: ['shop', 'data'], by: { percent: { shop: '70', data: '30' } } } },
        { kind: 'direct', id: 'shop', services: ['api'], driver: 'busy_us' },
        { kind: 'direct', id: 'data', services: ['db'], driver: 'busy_us' },
      ],
    },
    ['tenant  acme /b 30', 'tenant  acme /a 10', 'tenant  zeta /a 60'],
  ],
  [
    'what comes over two ways is added up first',
    3n,
    {
      pools: [
        { ...money, id: 'top', into: { pools: ['left', 'right'], by: 'even' } },
        { kind: 'direct', id: 'left', into: { pools: ['end'], by: 'even' } },
        { kind: 'direct', id: 'right', into: { pools: ['end'], by: 'even' } },
        { kind: 'direct', id: 'end', driver: 'even' },
      ],
    },
    ['tenant  acme /a 2', 'tenant  zeta /a 1'],
  ],
  [
    'into pools by the driver of their services, and by a metric of them',
    8n,
    {
      pools: [
        { ...money, id: 'top', into: { pools: ['mid', 'db'], by: { metric: 'cpu' } } },
        { kind: 'direct', id: 'mid', services: ['api'], into: { pools: ['api', 'db'], by: 'busy_us' } },
        { kind: 'direct', id: 'api', services: ['api'], driver: 'calls' },
        { kind: 'direct', id: 'db', services: ['db'], driver: 'busy_us' },
      ],
      integrals: { [cpu]: { api: 3n, db: 1n, other: 100n } },
    },
    ['tenant  acme /b 4', 'tenant  acme /a 2', 'tenant  zeta /a 1', 'unattributed    1'],
  ],
  [
    'nobody to pass on to by the metric: idle',
    8n,
    {
      pools: [
        { ...money, id: 'top', into: { pools: ['a'], by: { metric: 'cpu' } } },
        { kind: 'direct', id: 'a', driver: 'calls' },
      ],
    },
    ['idle    8'],
  ],
  [
    'idle is shown unless the model says otherwise',
    8n,
    { pools: [{ ...money, id: 'p', driver: 'calls' }], rows: [] },
    ['idle    8'],
  ],
  [
    'idle of a model goes to the tenant named',
    8n,
    { pools: [{ ...money, id: 'p', driver: 'calls' }], idle: { tenant: 'platform' }, rows: [] },
    ['tenant  platform (none) 8'],
  ],
  [
    'idle of a service is shared among the others',
    10n,
    {
      pools: [{ ...money, id: 'p', driver: 'calls', split: { over: 'service', by: 'cpu' }, idle: 'share' }],
      integrals: { [cpu]: { silent: 1n } },
      rows: day.slice(0, 3),
    },
    ['tenant silent acme /a 8', 'tenant silent zeta /a 2'],
  ],
  [
    'idle of an hour is shared by the work of the billing period',
    10n,
    { pools: [{ ...money, id: 'p', driver: 'calls', idle: 'share' }], rows: [], wider: day.slice(0, 3) },
    ['tenant  acme /a 8', 'tenant  zeta /a 2'],
  ],
  [
    'and stays idle when nobody worked then either',
    10n,
    { pools: [{ ...money, id: 'p', driver: 'calls', idle: 'share' }], rows: [], wider: [] },
    ['idle    10'],
  ],
])('%s', (_, amount, given, expected) => {
  test('is shared to the last unit', () => {
    expect(lines(amount, given).sort()).toEqual([...expected].sort());
  });
});

test('whatever a model says, shares add up to the amount and none has the other sign', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const row = fc.tuple(fc.constantFrom('', 'a', 'b'), name, name, fc.nat(9), fc.nat(9)) as unknown as fc.Arbitrary<Row>;
  const rows = fc
    .array(row, { maxLength: 8 })
    .map((all) => all.toSorted((x, y) => (x[0] === '' ? 1 : y[0] === '' ? -1 : x[0] < y[0] ? -1 : 1)));
  const by = fc.constantFrom('even', 'cpu', { driver: 'busy_us' }, { percent: { a: '33.333333', b: '66.666667' } });
  const step = fc.record({ over: fc.constantFrom('service', 'tenant'), by });
  const sharing = fc.record({
    kind: fc.constant('direct'),
    driver: fc.constantFrom('calls', 'busy_us', 'even'),
    split: fc.option(fc.array(step, { minLength: 1, maxLength: 3 }), { nil: undefined }),
    services: fc.option(fc.array(name, { minLength: 1 }), { nil: undefined }),
    idle: fc.constantFrom('show', 'share', { tenant: 'house' }, undefined),
    weights: fc.option(fc.record({ tenants: fc.constantFrom({ a: '0' }, { '*': '1.5' }, {}) }), { nil: undefined }),
  });
  const into = fc.constantFrom('even', 'busy_us', { metric: 'cpu' }, { percent: { x: '12.5', y: '87.5' } });
  const integrals = fc.dictionary(name, fc.bigInt({ min: -3n, max: 50n }));
  const amount = fc.bigInt({ min: -(2n ** 100n), max: 2n ** 100n });
  fc.assert(
    fc.property(amount, into, sharing, sharing, rows, rows, integrals, (units, how, x, y, now, month, sums) => {
      const pools = [
        { ...money, id: 'top', into: { pools: ['x', 'y'], by: how } },
        { ...x, id: 'x' },
        { ...y, id: 'y' },
      ];
      const told = lines(units, {
        pools,
        rows: now,
        wider: month,
        integrals: { [cpu]: sums, [integralKey('tenant', 'cpu')]: sums },
      });
      expect(told.filter((line) => BigInt(line.slice(line.lastIndexOf(' ') + 1)) * units < 0n)).toEqual([]);
    }),
    { seed: 11, numRuns: 300 },
  );
});
