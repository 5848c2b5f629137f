import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Limiter, MemoryStore } from '../../src/limit/index.ts';
import { createApi } from '../../src/serve/index.ts';
import { policiesOf, policy } from '../conformance/limits/world.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';

let nowMs = Date.UTC(2026, 5, 1);
let house: ListeningHouse;
beforeAll(async () => {
  house = await openListeningHouse(20_000, '', () => new Date(nowMs));
});
afterAll(() => house.close());

const yaml = [
  policy(
    't',
    'per: [tenant]',
    'id: day, amount: 9, window: { rolling: 24h }',
    'id: r, amount: 2, rate: { per: 1s, burst: 4 }',
  ),
  policy('c', 'per: [tenant, consumer]\n  mode: shadow', 'id: m, amount: 2, window: { fixed: 60s }'),
  policy(
    'm',
    'match: { tenants: [rich] }',
    'id: usd, amount: "1.00", money: { currency: USD }, window: { calendar: day }',
  ),
].join('---\n');

const odd = fc.constantFrom<unknown>(
  null,
  '',
  -1,
  0,
  0.5,
  1,
  3,
  99,
  true,
  'x'.repeat(600),
  'a\nb',
  'ä "b"',
  [],
  2 ** 53,
);
const ask = fc.record(
  {
    tenant: fc.constantFrom<unknown>('a', 'b', 'c', 'd', 'rich', 7),
    consumer: fc.constantFrom<unknown>('ann', 'bob "b"', '\u{1f600}'),
    cost: fc.oneof(fc.constantFrom<unknown>(1, 1, 2), odd),
    atLeast: fc.constantFrom(0, 1),
    peek: fc.constantFrom<unknown>(true, false, 'yes'),
    money: fc.constantFrom<unknown>({ amount: '0.4', currency: 'USD' }, { amount: 'much', currency: 'USD' }),
  },
  { requiredKeys: ['tenant'] },
);
const plain = fc.record({ tenant: fc.constantFrom('a', 'b', 'c'), endpoint: fc.constantFrom('GET /a', 'POST /b') });
const reserved = fc
  .tuple(ask, fc.constantFrom('one', 'two', 'no id'))
  .map(([{ peek: _, ...rest }, id]) => ({ ...rest, id }));
const settled = fc.record({
  reservation: fc.constantFrom('YQ.one', 'YQ.two', 'Yg.one', 'never'),
  cost: fc.constantFrom(undefined, 0, 2),
});
const post = (verb: string, body: fc.Arbitrary<unknown>) =>
  body.map((value) => ({ path: `/api/v1/limits/${verb}`, method: 'POST', body: JSON.stringify(value), headers: {} }));
const authz = fc
  .record({
    tenant: fc.constantFrom('a', 'b', ''),
    cost: fc.constantFrom('1', '-1', '5'),
    path: fc.constantFrom('/authz', '/authz?deny=403'),
  })
  .map(({ tenant, cost, path }) => {
    const headers = { 'x-taximeter-tenant': tenant, 'x-taximeter-cost': cost, 'x-forwarded-uri': '/v1/users/17?a=b' };
    return { path, method: 'GET', body: null, headers };
  });
const request = fc.oneof(
  { weight: 4, arbitrary: post('check', plain) },
  post('check', ask),
  post('check', fc.oneof(odd, fc.record({ asks: fc.array(ask, { maxLength: 3 }) }))),
  post('reserve', reserved),
  post('commit', settled),
  post('release', settled),
  authz,
);
const told = [
  'content-type',
  'cache-control',
  'x-content-type-options',
  'retry-after',
  'ratelimit',
  'ratelimit-policy',
  'x-taximeter-reason',
];

const shown = async (answer: Response) => ({
  status: answer.status,
  headers: told.map((name) => [name, answer.headers.get(name)]),
  body: await answer.text(),
});

it('answers over the network, past the framework, as the framework does: status, headers and every character', async () => {
  const nowUs = () => nowMs * 1000;
  const limiters = [0, 1].map(() => {
    const store = new MemoryStore({ nowUs, mostKeys: 100_000, mostHeld: 10_000 });
    return new Limiter({ store, nowUs, ratedCostOf: () => null, warn: () => undefined });
  });
  for (const limiter of limiters) limiter.usePolicies(policiesOf(yaml));
  const api = createApi({ ...house.house, limiter: limiters[0]! }, { pages: '' });
  const real = house.house as { limiter: Limiter };
  real.limiter = limiters[1]!;
  let allowed = 0;
  await house.listening(async ({ api: port }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 12 }), async (requests) => {
        nowMs += 86_400_000 * 2;
        for (const { path, method, body, headers } of requests) {
          const init = { method, body, headers: { 'content-type': 'application/json', ...headers } };
          const inMemory = await shown(await api(new Request(`http://localhost${path}`, init)));
          const overNetwork = await shown(await fetch(`http://127.0.0.1:${port}${path}`, init));
          expect(overNetwork).toEqual(inMemory);
          if (inMemory.status === 200) allowed++;
          nowMs += 300;
        }
      }),
      { numRuns: 30 },
    );
  });
  expect(allowed).toBeGreaterThan(50);
});
