import { afterAll, beforeAll, expect, test } from 'vitest';
import { House } from '../../test/flow/house.ts';
import { billOf, callRequest, modelOf, type SmallCharge } from '../../test/flow/small-input.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { parseRange } from '../model/index.ts';
import { costReport } from './cost-report.ts';
import type { CostReportRow } from './cost-rows.ts';
import { dayCosts } from './day-costs.ts';

const HOUR = 3_600_000;
const YEAR = { from: '2022-01-01', to: '2023-01-01' };
const folder = tempFolder('day-costs');
let house: House;

const from = (start: string, end: string, EffectiveCost: string): SmallCharge => ({
  ...{ ChargePeriodStart: `${start}:00:00Z`, ChargePeriodEnd: `${end}:00:00Z`, EffectiveCost },
});

beforeAll(async () => {
  house = await House.open(folder.path);
  const calls = Array.from({ length: 31 * 8 }, (_, at) =>
    callRequest({ id: at + 1, tenant: `t${at % 3}`, route: `/r${at % 2}`, atMs: at * 3 * HOUR + 1_800_000 }),
  );
  await house.ingestTraces(calls);
  await house.importBills([
    billOf([
      from('2022-08-01T00', '2022-09-01T00', '744.000000000000000001'),
      from('2022-08-09T22', '2022-08-10T03', '5'),
      from('2022-08-10T00', '2022-08-10T01', '0.7'),
      // It ends where a day of Berlin begins.
      from('2022-08-10T20', '2022-08-10T22', '0.3'),
    ]),
    billOf([{ ...from('2022-08-20T05', '2022-08-20T06', '9'), BillingCurrency: 'EUR', BillingAccountId: 'eu' }]),
  ]);
  const people = { id: 'people', kind: 'indirect', fixed: { amount: '36500', per: 'year' } };
  await house.apply(modelOf([{ id: 'vm', match: { ServiceName: 'vm' } }, people], { effectiveFrom: '2022-01-01' }));
  await house.allocate(YEAR);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

const money = ({ tenant, endpoint, day, calls, direct, full }: CostReportRow) => ({
  ...{ tenant, endpoint, day, calls, direct, full },
});

test.each([
  ['UTC', '2022-08-10T00:00:00Z', '2022-08-11T00:00:00Z', ['2022-08-10']],
  ['UTC', '2022-08-01T00:00:00Z', '2022-08-03T00:00:00Z', ['2022-08-01', '2022-08-02']],
  ['Europe/Berlin', '2022-08-09T22:00:00Z', '2022-08-11T22:00:00Z', ['2022-08-10', '2022-08-11']],
  ['Asia/Kolkata', '2022-08-30T18:30:00Z', '2022-08-31T18:30:00Z', ['2022-08-31']],
])('in %s the days from %s to %s have what a report over the year has on them', async (zone, start, end, days) => {
  const by = ['tenant', 'endpoint'] as const;
  const { rows } = await dayCosts(house.store, parseRange(start, end), by, 'USD', zone);
  const year = await costReport(house.store, parseRange(YEAR.from, YEAR.to), [...by, 'day'], 'USD', zone);
  const expected = year.rows.filter(({ day }) => days.includes(day!)).map(money);
  expect(expected.length).toBeGreaterThan(5);
  expect(rows.map(money)).toEqual(expected);
});

test('a currency must be named only where charges of these days have several', async () => {
  const ask = (start: string, end: string) => dayCosts(house.store, parseRange(start, end), [], undefined, 'UTC');
  expect((await ask('2022-08-10', '2022-08-11')).currency).toBe('USD');
  await expect(ask('2022-08-20', '2022-08-21')).rejects.toMatchObject({ code: 'CURRENCY_MIXED' });
  expect(await ask('2019-01-01', '2019-01-02')).toEqual({ currency: 'USD', rows: [] });
});
