import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CounterStore, Limiter } from '../../src/limit/index.ts';
import { createApi } from '../../src/serve/index.ts';
import { type ListeningHouse, openListeningHouse, type Ports } from '../support/listening-house.ts';

let nowMs = Date.UTC(2026, 5, 1);
let house: ListeningHouse;
beforeAll(async () => {
  house = await openListeningHouse(1 << 20, '', () => new Date(nowMs));
});
afterAll(() => house.close());

const document = `apiVersion: taximeter/v1
kind: LimitPolicy
metadata: { name: shop }
spec:
  per: [tenant]
  limits:
    - { id: burst, amount: 2, rate: { per: 1s, burst: 3 } }
    - { id: day, amount: 10, window: { calendar: day } }
`;

/** Through the network and in memory the same function answers: both ways are asked. */
async function ways(
  test: (ask: (path: string, init?: RequestInit) => Promise<Response>) => Promise<void>,
): Promise<void> {
  const api = createApi(house.house, { pages: '' });
  nowMs += 86_400_000;
  await test((path, init) => api(new Request(`http://localhost${path}`, init)));
  nowMs += 86_400_000;
  await house.listening(async ({ api: port }: Ports) =>
    test((path, init) => fetch(`http://127.0.0.1:${port}${path}`, init)),
  );
}

const post = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

const json = async (answer: Response) =>
  (await answer.json()) as Record<string, never> & { limits: Record<string, unknown>[] };

describe('limits over HTTP', () => {
  it('applies a policy and decides by it at once, with headers and an explanation', async () => {
    await ways(async (ask) => {
      expect((await ask('/api/v1/documents', { method: 'POST', body: document })).status).toBe(200);
      const one = await ask('/api/v1/limits/check', post({ tenant: 'acme', endpoint: 'GET /v1/a' }));
      expect(one.status).toBe(200);
      expect(one.headers.get('ratelimit-policy')).toBe(
        '"shop.burst";q=3;w=1;qu="requests", "shop.day";q=10;w=86400;qu="requests"',
      );
      expect(one.headers.get('ratelimit')).toBe('"shop.burst";r=2;t=1');
      const { limits } = await json(one);
      expect(limits).toMatchObject([
        {
          policy: 'shop',
          version: 1,
          limit: 'burst',
          before: 0,
          after: 1,
          remaining: 2,
          zone: 'ok',
          enforced: true,
          per: { tenant: 'acme' },
        },
        { policy: 'shop', version: 1, limit: 'day', before: 0, after: 1, remaining: 9 },
      ]);
      await ask('/api/v1/limits/check', post({ tenant: 'acme', cost: 2 }));
      const denied = await ask('/api/v1/limits/check', post({ tenant: 'acme' }));
      expect([denied.status, denied.headers.get('retry-after'), denied.headers.get('content-type')]).toEqual([
        429,
        '1',
        'application/problem+json',
      ]);
      expect(await json(denied)).toMatchObject({
        type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
        code: 'LIMIT_EXCEEDED',
        'violated-policies': ['shop.burst'],
        decision: {
          allowed: false,
          reason: 'over_limit',
          binding: 'shop.burst',
          wouldPass: 0,
          freesAt: expect.any(String),
        },
      });
      const huge = await ask('/api/v1/limits/check', post({ tenant: 'acme', cost: 11 }));
      expect([huge.status, huge.headers.get('retry-after')]).toEqual([403, null]);
      const used = await json(await ask('/api/v1/limits?tenant=acme'));
      expect(used.limits.map(({ before, remaining }) => [before, remaining])).toEqual([
        [3, 0],
        [3, 7],
      ]);
    });
  });

  it('reserves, commits and releases', async () => {
    await ways(async (ask) => {
      const reserved = await json(
        await ask('/api/v1/limits/reserve', post({ tenant: 'res', cost: 3, id: `r-${nowMs}` })),
      );
      const again = await json(await ask('/api/v1/limits/reserve', post({ tenant: 'res', cost: 3, id: `r-${nowMs}` })));
      expect([reserved.allowed, again.repeated, again.reservation]).toEqual([true, true, reserved.reservation]);
      expect((await ask('/api/v1/limits/reserve', post({ tenant: 'res', cost: 2, id: `r-${nowMs}` }))).status).toBe(
        409,
      );
      const { reservation } = reserved;
      expect(await json(await ask('/api/v1/limits/commit', post({ reservation, cost: 1 })))).toMatchObject({
        settled: 'commit',
        repeated: false,
      });
      expect(await json(await ask('/api/v1/limits/commit', post({ reservation, cost: 1 })))).toMatchObject({
        repeated: true,
      });
      expect((await ask('/api/v1/limits/release', post({ reservation }))).status).toBe(409);
      const used = await json(await ask('/api/v1/limits?tenant=res'));
      expect(used.limits.map(({ before }) => before)).toEqual([1, 1]);
      expect((await ask('/api/v1/limits/commit', post({ reservation: 'cmVz.never' }))).status).toBe(404);
    });
  });

  it('says no in a list as to one ask, where an id holds something else or nothing any more', async () => {
    await ways(async (ask) => {
      const one = { tenant: 'ids', cost: 1, id: `l-${nowMs}` };
      const reserve = (body: unknown) => ask('/api/v1/limits/reserve', post(body));
      const both = async (body: object) => {
        const alone = await reserve(body);
        const list = await reserve({ asks: [body] });
        const { decisions } = (await list.json()) as { decisions: object[] };
        return [alone.status, await json(alone), list.status, decisions[0]] as const;
      };
      const { reservation } = await json(await reserve(one));
      const no = (reason: string) => ({ allowed: false, reason, granted: 0, wouldPass: 0, limits: [] });
      const differs = no('reservation_differs');
      expect(await both({ ...one, cost: 9 })).toMatchObject([409, { code: 'RESERVATION_DIFFERS' }, 200, differs]);
      await ask('/api/v1/limits/release', post({ reservation }));
      const over = no('reservation_over');
      expect(await both(one)).toMatchObject([409, { code: 'RESERVATION_OVER', decision: over }, 200, over]);
    });
  });

  it('decides a list, each by itself', async () => {
    await ways(async (ask) => {
      const asks = Array.from({ length: 5 }, () => ({ tenant: 'list' }));
      const answer = await ask('/api/v1/limits/check', post({ asks }));
      const { decisions } = (await answer.json()) as { decisions: { allowed: boolean }[] };
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, false, false]);
      expect((await ask('/api/v1/limits/check', post({ asks: Array(1001).fill({ tenant: 'a' }) }))).status).toBe(400);
    });
  });

  it.each([
    ['no JSON', '{', 400],
    ['no tenant', {}, 400],
    ['a negative cost', { tenant: 'bad', cost: -1 }, 400],
    ['a fraction of a call', { tenant: 'bad', cost: 0.5 }, 400],
    ['a cost beyond whole numbers', '{"tenant":"bad","cost":1e300}', 400],
    ['a line end in a name', { tenant: 'bad\r\nSet-Cookie: a=b' }, 400],
    ['half a character', '{"tenant":"bad\\ud800"}', 400],
    ['an endless name', { tenant: 'b'.repeat(513) }, 400],
    ['an unknown field', { tenant: 'bad', costs: 1 }, 400],
    ['negative money', { tenant: 'bad', money: { amount: '-1', currency: 'USD' } }, 400],
    ['a huge cost', { tenant: 'bad', cost: 2 ** 52 }, 403],
  ])('refuses %s and counts nothing', async (_, body, status) => {
    await ways(async (ask) => {
      const answer = await ask('/api/v1/limits/check', post(body));
      expect(answer.status).toBe(status);
      expect(answer.headers.get('set-cookie')).toBe(null);
      const used = await json(await ask('/api/v1/limits?tenant=bad'));
      expect(used.limits.map(({ before }) => before)).toEqual([0, 0]);
    });
  });

  it('answers gateways', async () => {
    await ways(async (ask) => {
      const headers = {
        'x-taximeter-tenant': 'gate',
        'x-original-uri': '/v1/users/17?a=b',
        'x-original-method': 'GET',
      };
      const statuses = [];
      for (let call = 0; call < 4; call++) statuses.push((await ask('/authz', { headers })).status);
      expect(statuses).toEqual([200, 200, 200, 429]);
      const denied = await ask('/authz?deny=403', { headers });
      expect([denied.status, denied.headers.get('retry-after'), denied.headers.get('x-taximeter-reason')]).toEqual([
        403,
        '1',
        'over_limit',
      ]);
      expect((await ask('/authz', { headers: { ...headers, 'x-taximeter-cost': '-1' } })).status).toBe(400);
      // What a gateway did not take away of a client's own headers must not become another endpoint.
      for (const header of ['x-forwarded-uri', 'x-forwarded-method']) {
        const spoofed = await ask('/authz', { headers: { ...headers, [header]: 'x' } });
        expect(spoofed.status).toBe(400);
        expect(JSON.stringify(await spoofed.json())).toContain(header);
      }
      const named = {
        'x-forwarded-uri': '/other',
        'x-taximeter-endpoint': 'GET /v1/users/{id}',
        'x-taximeter-tenant': 'g2',
      };
      expect((await ask('/authz', { headers: { ...headers, ...named } })).status).toBe(200);
    });
  });

  it('says that it does not know what is left while the counters do not answer', async () => {
    const away = async () => Promise.reject(new Error('away'));
    const store = { decide: away, settle: away, put: away, usersOf: () => [], close: away } as unknown as CounterStore;
    const limiter = new Limiter({
      ...{ store, nowUs: () => nowMs * 1000, ratedCostOf: () => null, warn: () => undefined },
    });
    limiter.usePolicies(house.house.limiter.policies);
    const answer = await createApi(
      { ...house.house, limiter },
      { pages: '' },
    )(new Request('http://localhost/api/v1/limits?tenant=acme'));
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'LIMIT_STORE_UNAVAILABLE' });
    expect(limiter.counts).toEqual({ allowed: 0, denied: 0, failedOpen: 0, failedClosed: 0 });
  });

  it('names every problem of a document with its line', async () => {
    const bad = document
      .replace('per: [tenant]', 'per: [tenant, planet]')
      .replace('amount: 2, rate', 'amount: -2, rate')
      .replace('calendar: day', 'calendar: month, anchor: "32"');
    const api = createApi(house.house, { pages: '' });
    const answer = await api(new Request('http://localhost/api/v1/documents', { method: 'POST', body: bad }));
    const { errors } = (await answer.json()) as { errors: { line: number }[] };
    expect([answer.status, errors.map(({ line }) => line)]).toEqual([422, [5, 7, 8]]);
  });
});
