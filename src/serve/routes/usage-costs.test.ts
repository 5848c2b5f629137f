import { afterAll, beforeAll, expect, test } from 'vitest';
import { House } from '../../../test/flow/house.ts';
import { AUGUST, billOf, callRequest, hour, modelOf } from '../../../test/flow/small-input.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { adviceReport } from '../../advise/index.ts';
import { parseRange } from '../../model/index.ts';
import { baselineReport } from '../../usage/index.ts';
import { costsByDay, costsOfCalls } from './usage-costs.ts';

const folder = tempFolder('usage-costs');
const MINUTE = 60_000;
const now = new Date('2022-08-03T00:00:00Z');
const range = parseRange('2022-08-01', '2022-08-02');
let house: House;
beforeAll(async () => {
  house = await House.open(folder.path);
  // In the hour that the bill is about: 25 calls of one tenant, a minute apart and always answered the same, and 5 of another.
  const polls = Array.from({ length: 25 }, (_, place) =>
    told304(callRequest(call(place + 1, 'poller', place * MINUTE))),
  );
  const others = Array.from({ length: 5 }, (_, place) => callRequest(call(place + 100, 'other', place * 7_777)));
  // Of the second day there are calls, and no bill.
  await house.ingestTraces([...polls, ...others, callRequest(call(200, 'other', 26 * 60 * MINUTE))]);
  await house.importBills([billOf([{ ...hour(0), BilledCost: '3', EffectiveCost: '3' }])]);
  await house.apply(modelOf());
  await house.allocate(AUGUST);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

const call = (id: number, tenant: string, atMs: number) => ({ id, tenant, atMs, route: '/jobs' });

function told304(request: string): string {
  return request.replace(
    '"attributes":[{"key":"tenant.id"',
    '"attributes":[{"key":"http.response.status_code","value":{"intValue":"304"}},{"key":"enduser.id","value":{"stringValue":"app"}},{"key":"tenant.id"',
  );
}

test('a saved call saves what it cost directly, to the last unit', async () => {
  const costs = costsOfCalls(house.store);
  const { rows } = await adviceReport(house.store, { range, only: {}, costs }, now);
  // Three dollars for thirty calls, and all 25 polls said that nothing had changed.
  expect(rows).toMatchObject([
    { tenant: 'poller', kind: 'polling', savedCalls: 25, savedCost: '2.500000000000000000', currency: 'USD' },
  ]);
  const known = await costs(range);
  expect(known!.costOf('other', 'GET /jobs', 1_000_000n)).toBe(10n ** 17n);
  expect(known!.costOf('nobody', 'GET /jobs', 1_000_000n)).toBeNull();
  expect(await costs(parseRange('2022-08-02', '2022-08-03'))).toBeNull();
});

test('what a call costs is known of days that have a bill, and of no other', async () => {
  const question = {
    metric: 'costPerCall',
    range: parseRange('2022-08-01', '2022-08-03'),
    window: 'day',
    timeZone: 'UTC',
  } as const;
  const ask = (only: object) =>
    baselineReport(house.store, { ...question, only, weeks: 39, costs: costsByDay(house.store) }, now);
  expect((await ask({})).rows.map(({ value }) => value)).toEqual(['0.100000000000', null]);
  expect((await ask({ tenant: ['other'] })).rows.map(({ value }) => value)).toEqual(['0.100000000000', null]);
  await expect(ask({ consumer: ['x'] })).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
});
