import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/serve/index.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { callRequest } from './small-input.ts';

/** From a RateCard to a call that is refused because the money is used up: nobody sends a cost. */

const AUGUST_1 = Date.UTC(2022, 7, 1);
let nowMs = AUGUST_1 + 2 * 3_600_000;
let house: ListeningHouse;
let api: Api;
beforeAll(async () => {
  house = await openListeningHouse(1 << 20, '', () => new Date(nowMs));
  api = createApi(house.house, { pages: '' });
});
afterAll(() => house.close());

const ask = (path: string, body?: unknown) =>
  api(
    new Request(
      `http://localhost${path}`,
      body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) },
    ),
  );
const apply = async (kind: string, name: string, spec: object) =>
  ask(
    '/api/v1/documents',
    JSON.stringify({ apiVersion: 'taximeter/v1', kind, metadata: { name, effectiveFrom: '2022-07-01' }, spec }),
  );
const check = async (tenant: string, endpoint: string) => {
  const answer = await ask('/api/v1/limits/check', { tenant, endpoint });
  return [answer.status, ((await answer.json()) as { code?: string }).code ?? ''];
};
const card = (price: string) => ({
  currency: 'USD',
  rates: [{ pool: 'cpu', kind: 'direct', driver: 'busy_us', price, per: '1000' }],
});
const used = async (tenant: string) =>
  (await (await ask(`/api/v1/limits?tenant=${tenant}`)).json()) as {
    limits: { before: string; remaining: string }[];
    rates: { card: string | null; ageSeconds: number }[];
  };

it('admits calls until the money is used, by what calls of the endpoint cost at the rates', async () => {
  const limits = [{ id: 'day', amount: '1.00', money: { currency: 'USD' }, window: { calendar: 'day' } }];
  expect((await apply('LimitPolicy', 'spend', { limits })).status).toBe(200);
  // Without rates and calls nobody knows a cost, and unknown is never 0.
  expect(await check('acme', 'GET /a')).toEqual([403, 'LIMIT_COST_UNKNOWN']);
  const calls = [
    { id: 1, tenant: 'acme', route: '/a', durationMs: 10 },
    { id: 2, tenant: 'acme', route: '/a', durationMs: 30 },
    { id: 3, tenant: 'acme', route: '/slow', durationMs: 300 },
  ];
  for (const call of calls) await house.house.collector.traces(Buffer.from(callRequest(call)), 'json');
  await house.house.collector.settle();
  // A cent for a millisecond: GET /a costs 0.20 on the average, GET /slow 3.00.
  expect((await apply('RateCard', 'shop', card('0.01'))).status).toBe(200);
  expect(await check('acme', 'GET /slow')).toEqual([403, 'LIMIT_COST_TOO_LARGE']);
  for (let call = 0; call < 5; call++) expect(await check('acme', 'GET /a')).toEqual([200, '']);
  expect(await check('acme', 'GET /a')).toEqual([429, 'LIMIT_EXCEEDED']);
  // Somebody of whom there is no call yet pays what calls of this endpoint cost others.
  expect(await check('new', 'GET /a')).toEqual([200, '']);
  expect(await check('new', 'GET /never')).toEqual([403, 'LIMIT_COST_UNKNOWN']);
  nowMs += 30_000;
  expect(await used('new')).toMatchObject({
    limits: [{ before: '0.200000000000000000', remaining: '0.800000000000000000' }],
    rates: [{ currency: 'USD', card: 'shop@1', origin: 'document', ageSeconds: 30 }],
  });
});

it('counts what a call really cost when it is told, and other rates from when they are applied', async () => {
  const reserved = (await (await ask('/api/v1/limits/reserve', { tenant: 'late', endpoint: 'GET /a' })).json()) as {
    reservation: string;
  };
  const commit = (currency: string) =>
    ask('/api/v1/limits/commit', { reservation: reserved.reservation, money: { amount: '0.75', currency } });
  expect(await (await commit('EUR')).json()).toMatchObject({ status: 409, code: 'RESERVATION_CURRENCY' });
  expect((await commit('USD')).status).toBe(200);
  expect((await used('late')).limits[0]!.before).toBe('0.750000000000000000');
  expect((await apply('RateCard', 'shop', card('0.002'))).status).toBe(200);
  for (let call = 0; call < 6; call++) expect(await check('late', 'GET /a')).toEqual([200, '']);
  expect(await check('late', 'GET /a')).toEqual([429, 'LIMIT_EXCEEDED']);
  expect((await used('late')).rates).toMatchObject([{ card: 'shop@2', ageSeconds: 0 }]);
});

it('keeps the last known prices when they cannot be read, and says how old they are', async () => {
  const { columns } = house.house.store;
  await columns.command('RENAME TABLE usage_minute TO usage_away');
  nowMs += 60_000;
  const before = house.logged.length;
  await house.house.prices.refresh();
  await columns.command('RENAME TABLE usage_away TO usage_minute');
  expect(house.logged.length).toBe(before + 1);
  const text = await (await ask('/metrics')).text();
  expect(text).toContain('taximeter_limit_prices_age_seconds{currency="USD"} 60');
  expect(await check('fresh', 'GET /a')).toEqual([200, '']);
  await house.house.prices.refresh();
  expect(await (await ask('/metrics')).text()).toContain('taximeter_limit_prices_age_seconds{currency="USD"} 0');
});
