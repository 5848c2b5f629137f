import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { costReport, type UnitDimension, type UnitRow, unitReport } from '../../src/ledger/index.ts';
import { ATTO, parseMoney, parseRange } from '../../src/model/index.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { House } from './house.ts';
import { billOf, modelOf } from './small-input.ts';

/** Unit metrics against what was made: two services, two versions of one, an error, a repeated attempt, and quantities that some lack. */

const folder = tempFolder('unit');
let house: House;
const day = { from: '2022-08-01', to: '2022-08-02' };

const AT = BigInt(Date.UTC(2022, 7, 1)) * 1_000_000n;
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const number = (key: string, value: number) => ({ key, value: { intValue: String(value) } });
const span = (
  trace: number,
  id: number,
  parent: number,
  kind: number,
  fromMs: number,
  toMs: number,
  attributes: object[] = [],
  isError = false,
) => ({
  ...{ traceId: String(trace).padStart(32, '0'), spanId: String(id).padStart(16, '0'), kind, name: 'x', attributes },
  ...(parent === 0 ? {} : { parentSpanId: String(parent).padStart(16, '0') }),
  ...{
    startTimeUnixNano: String(AT + BigInt(fromMs) * 1_000_000n),
    endTimeUnixNano: String(AT + BigInt(toMs) * 1_000_000n),
  },
  ...(isError ? { status: { code: 2 } } : {}),
});
const from = (service: string, version: string, spans: object[]) => ({
  resource: { attributes: [text('service.name', service), text('service.version', version)] },
  scopeSpans: [{ spans }],
});
const root = (tenant: string, ...more: object[]) => [
  text('tenant.id', tenant),
  text('http.request.method', 'GET'),
  text('http.route', '/a'),
  ...more,
];

beforeAll(async () => {
  house = await House.open(folder.path);
  const out = [text('server.address', 'store')];
  const requests = [
    // A good call of acme: 10 ms, of which the store is busy for 4.
    [
      from('api', '1', [
        span(1, 1, 0, 2, 0, 10, root('acme', number('taximeter.cpu_us', 3000))),
        span(1, 2, 1, 3, 2, 8, out),
      ]),
      from('store', '7', [span(1, 3, 2, 2, 3, 7)]),
    ],
    // A call that failed, after one more attempt: both attempts keep the store busy for 4.
    [
      from('api', '2', [
        span(2, 1, 0, 2, 0, 20, root('acme'), true),
        span(2, 2, 1, 3, 1, 6, out, true),
        span(2, 4, 1, 3, 8, 14, out),
      ]),
      from('store', '7', [span(2, 3, 2, 2, 2, 6, [], true), span(2, 5, 4, 2, 9, 13)]),
    ],
    [from('api', '2', [span(3, 1, 0, 2, 0, 5, root('zeta', number('taximeter.bytes_out', 1500)))])],
  ];
  await house.ingestTraces(requests.map((resourceSpans) => JSON.stringify({ resourceSpans })));
  await house.importBills([billOf([{ EffectiveCost: '3.4' }])]);
  await house.apply(
    modelOf([
      { id: 'vm', match: { ServiceName: 'vm' }, driver: 'busy_us' },
      { id: 'team', kind: 'indirect', fixed: { amount: '3', per: 'day' } },
    ]),
  );
  await house.allocate(day);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

const ask = (...by: UnitDimension[]) => unitReport(house.store, parseRange(day.from, day.to), by, 'USD');

test('calls, quantities and cost of a tenant; what nobody measured is null', async () => {
  const [acme, zeta] = await ask('tenant');
  // Busy: acme 4 + 4 and 9 + 4 + 4, that is 25 of 30; zeta 5.
  expect(acme).toMatchObject({
    tenant: 'acme',
    calls: 2,
    failedCalls: 1,
    cpuMsPerCall: 1.5,
    bytesOutPerCall: null,
    extCallsPerCall: 0,
  });
  expect(zeta).toMatchObject({
    tenant: 'zeta',
    calls: 1,
    failedCalls: 0,
    cpuMsPerCall: null,
    bytesOutPerCall: 1500,
    errorCost: '0.000000000000000000',
  });
});

test.each<[UnitDimension[], (row: UnitRow) => unknown, unknown[]]>([
  [
    ['service'],
    ({ service, calls }) => [service, calls],
    [
      ['api', 3],
      ['store', 2],
    ],
  ],
  [
    ['version'],
    ({ version, calls }) => [version, calls],
    [
      ['1', 1],
      ['2', 2],
      ['7', 2],
    ],
  ],
  [
    ['service', 'version'],
    ({ service, version, failedCalls }) => [service, version, failedCalls],
    [
      ['api', '1', 0],
      ['api', '2', 1],
      ['store', '7', 1],
    ],
  ],
])('by %j a call counts once for each that it reached', async (by, show, expected) => {
  expect((await ask(...by)).map(show)).toEqual(expected);
});

describe.each<UnitDimension[][]>([
  [[]],
  [['tenant']],
  [['endpoint']],
  [['service']],
  [['version']],
  [['region']],
  [['tenant', 'service', 'version']],
])('by %j', (by) => {
  test('amounts add up to what tenants owe, to the last unit', async () => {
    const rows = await ask(...by);
    const { identity } = await costReport(house.store, parseRange(day.from, day.to), ['tenant']);
    const sum = rows.reduce((total, { full }) => total + parseMoney(full).amountAtto, 0n);
    expect(sum).toBe(parseMoney(identity.tenants).amountAtto);
    expect(sum).toBe((64n * ATTO) / 10n);
  });
});

test('errors cost what the work of calls that failed costs; retries what they and what they called do', async () => {
  const [all] = await ask();
  // The failed call: 17 of 30 ms of 3.4, and a third of 3. The second attempt: 4 of 30 ms.
  expect(Number(all!.errorCost)).toBeCloseTo((17 / 30) * 3.4 + 1, 12);
  expect(Number(all!.retryCost)).toBeCloseTo((4 / 30) * 3.4, 12);
  expect(Number(all!.infrastructurePerCall)).toBeCloseTo(3.4 / 3, 11);
});
