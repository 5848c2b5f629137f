import { afterAll, describe, expect, test } from 'vitest';
import { inHouse } from '../../test/flow/empty-house.ts';
import type { House } from '../../test/flow/house.ts';
import { AUGUST, billOf, callRequest, hour, modelOf } from '../../test/flow/small-input.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { parseMonth, parseRange } from '../model/index.ts';
import { closePeriod } from './close.ts';
import { costReport } from './cost-report.ts';
import type { Dimension } from './sum-queries.ts';

const folder = tempFolder('cost-report');
afterAll(() => folder.remove());
let houses = 0;
const withHouse = (work: (house: House) => Promise<void>) => () => inHouse(`${folder.path}/${houses++}`, work);

const range = parseRange(AUGUST.from, AUGUST.to);
const HOUR_MS = 3_600_000;
const vm = { id: 'vm', match: { ServiceName: 'vm' } };

async function rows(house: House, by: readonly Dimension[] = ['tenant', 'endpoint']) {
  return (await costReport(house.store, range, by)).rows;
}

async function started(house: House, calls: readonly string[], model = modelOf(), bill = billOf([{}])): Promise<void> {
  await house.apply(model);
  await house.ingestTraces(calls);
  await house.importBills([bill]);
  await house.allocate(AUGUST);
}

describe('rows', () => {
  test(
    'are there for calls without a cost and for costs without a call; per call is null at 0 calls',
    withHouse(async (house) => {
      // The charge is for the hour after the call began: its work comes in the second hour, its call in the first.
      const parent = callRequest({ id: 1, tenant: 'early', route: '/long', atMs: HOUR_MS - 1, durationMs: 10 });
      await started(
        house,
        [parent, callRequest({ id: 2, tenant: 'costed', atMs: HOUR_MS })],
        undefined,
        billOf([hour(1)]),
      );
      expect(await rows(house)).toMatchObject([
        { tenant: 'costed', endpoint: 'GET /a', calls: 1, full: '1.000000000000000000', fullPerCall: '1.000000000000' },
        { tenant: 'early', calls: 1, full: '0.000000000000000000', fullPerCall: '0.000000000000', model: '' },
      ]);
      const secondHour = parseRange('2022-08-01T01:00:00Z', '2022-08-01T02:00:00Z');
      const report = await costReport(house.store, secondHour, ['tenant']);
      expect(report.rows.map(({ tenant }) => tenant)).toEqual(['costed']);
      const none = await costReport(house.store, parseRange('2022-07-01', '2022-08-01'), ['tenant']);
      expect(none).toMatchObject({ rows: [], identity: { bill: '0.000000000000000000' } });
    }),
  );

  test(
    'have no cost per call where the work lies in the range and the call before it',
    withHouse(async (house) => {
      await started(house, [callRequest({ id: 1, atMs: 0 })], modelOf([{ ...vm, driver: 'spans' }]), billOf([hour(0)]));
      const child = JSON.parse(callRequest({ id: 1, atMs: HOUR_MS }));
      Object.assign(child.resourceSpans[0].scopeSpans[0].spans[0], {
        spanId: 'a'.repeat(16),
        parentSpanId: '1'.padStart(16, '0'),
        kind: 1,
      });
      await house.ingestTraces([JSON.stringify(child)]);
      await house.importBills([billOf([hour(0), hour(1)])]);
      await house.allocate(AUGUST);
      const second = parseRange('2022-08-01T01:00:00Z', '2022-08-01T02:00:00Z');
      expect((await costReport(house.store, second, ['tenant', 'endpoint'])).rows).toMatchObject([
        {
          ...{ tenant: 'acme', calls: 0, full: '1.000000000000000000', directPerCall: null, fullPerCall: null },
          coverage: { weight: null },
        },
      ]);
    }),
  );

  test(
    'are in the order of UTF-8 bytes',
    withHouse(async (house) => {
      const tenants = ['\u{1f680}', 'é', '\uffee', 'b', 'B', 'a10', 'a9'];
      await started(
        house,
        tenants.map((tenant, id) => callRequest({ id: id + 1, tenant })),
      );
      expect((await rows(house)).map(({ tenant }) => tenant)).toEqual([
        'B',
        'a10',
        'a9',
        'b',
        'é',
        '\uffee',
        '\u{1f680}',
      ]);
    }),
  );

  test(
    'add up to the same by whatever dimensions',
    withHouse(async (house) => {
      const pools = [vm, { id: 'people', kind: 'indirect', fixed: { amount: '7', per: 'month' }, driver: 'spans' }];
      const calls = [
        callRequest({ id: 1 }),
        callRequest({ id: 2, tenant: 'zeta' }),
        callRequest({ id: 3, route: '/b' }),
      ];
      await started(house, calls, modelOf(pools));
      const dimensions: Dimension[][] = [[], ['tenant'], ['endpoint'], ['pool'], ['service'], ['tenant', 'pool']];
      for (const by of dimensions) {
        const full = (await rows(house, by)).map((row) => Number(row.full));
        expect(full.reduce((sum, each) => sum + each, 0)).toBeCloseTo(8, 12);
      }
      expect(await rows(house, ['pool'])).toMatchObject([
        { pool: 'people', calls: 3, direct: '0.000000000000000000', indirect: '7.000000000000000000' },
        { pool: 'vm', calls: 3, direct: '1.000000000000000000', directPerCall: '0.333333333333' },
      ]);
      expect(await rows(house, [])).toMatchObject([{ calls: 3, full: '8.000000000000000000' }]);
    }),
  );

  test(
    'name the models of what stands, not of what was reversed',
    withHouse(async (house) => {
      await started(house, [callRequest({ id: 1 })]);
      await house.apply(modelOf([{ ...vm, driver: 'spans' }]));
      await house.allocate(AUGUST);
      expect((await rows(house)).map(({ model }) => model)).toEqual(['small@2']);
    }),
  );
});

test(
  'all amounts of calls without any cost are zero, not an error',
  withHouse(async (house) => {
    await house.ingestTraces([callRequest({ id: 1 })]);
    expect(await rows(house)).toMatchObject([{ tenant: 'acme', calls: 1, full: '0.000000000000000000' }]);
    expect(await rows(house, [])).toMatchObject([{ calls: 1 }]);
    expect(await rows(house, ['pool'])).toEqual([]);
  }),
);

test(
  'several currencies are never added up: the one that is asked for is answered',
  withHouse(async (house) => {
    const euros = { BillingCurrency: 'EUR', BillingAccountId: 'eu', EffectiveCost: '5' };
    await started(house, [callRequest({ id: 1 })], undefined, billOf([{}, euros]));
    await expect(rows(house)).rejects.toMatchObject({ code: 'CURRENCY_MIXED' });
    const bills = async (currency: string) => (await costReport(house.store, range, [], currency)).identity;
    expect(await bills('EUR')).toMatchObject({ bill: '5.000000000000000000', residual: '0.000000000000000000' });
    expect(await bills('USD')).toMatchObject({ bill: '1.000000000000000000', residual: '0.000000000000000000' });
  }),
);

test(
  'a range that is not of whole minutes is refused',
  withHouse(async (house) => {
    const odd = parseRange('2022-08-01T00:00:30Z', '2022-08-02');
    await expect(costReport(house.store, odd, [])).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
  }),
);

test(
  'what is not allocated yet is the residual',
  withHouse(async (house) => {
    await house.apply(modelOf());
    await house.importBills([billOf([{ EffectiveCost: '-2.5' }])]);
    const { identity } = await costReport(house.store, range, []);
    expect(identity).toMatchObject({ bill: '-2.500000000000000000', residual: '-2.500000000000000000' });
  }),
);

describe('coverage', () => {
  test(
    'is the share of calls with a known weight, by weight',
    withHouse(async (house) => {
      await started(house, [callRequest({ id: 1 }), callRequest({ id: 2, traceState: 'ot=th:aaab' })]);
      const [row] = await rows(house);
      expect(row).toMatchObject({ calls: 4.000046, coverage: { driver: 1 } });
      expect(row!.coverage.weight).toBeCloseTo(3.000046 / 4.000046, 12);
    }),
  );

  test(
    'is the share of calls with every driver of their pools measured',
    withHouse(async (house) => {
      const pools = [{ ...vm, driver: 'cpu_us' }];
      const calls = [callRequest({ id: 1, cpuUs: 5 }), callRequest({ id: 2 }), callRequest({ id: 3, tenant: 'zeta' })];
      await started(house, calls, modelOf(pools));
      expect((await rows(house)).map(({ tenant, coverage }) => [tenant, coverage.driver])).toEqual([
        ['acme', 0.5],
        ['zeta', 0],
      ]);
    }),
  );
});

test(
  'a row is final only when all of its parts are closed',
  withHouse(async (house) => {
    await started(house, [callRequest({ id: 1 })]);
    const states = async () => (await rows(house)).map(({ state }) => state);
    expect(await states()).toEqual(['provisional']);
    await closePeriod(house.store, parseMonth('2022-08'), 'test', new Date());
    expect(await states()).toEqual(['final']);
    await house.importBills([billOf([{ BillingAccountId: 'second' }])]);
    await house.allocate(AUGUST);
    expect(await states()).toEqual(['provisional']);
  }),
);
