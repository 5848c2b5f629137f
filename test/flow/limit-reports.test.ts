import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/index.ts';
import { type Api, createApi } from '../../src/serve/index.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { storeCalls } from '../support/stored-calls.ts';

/** Two days of calls of which each was asked for before: then counters and calls are one number. */

const MINUTE = 60_000;
const START = Date.UTC(2026, 5, 1);
let nowMs = START;
let house: ListeningHouse;
let api: Api;

const ask = async (path: string, body?: unknown) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await api(
    new Request(`http://localhost${path}`, body === undefined ? {} : { method: 'POST', body: text }),
  );
  return (await answer.json()) as never;
};
const document = (name: string, spec: object) =>
  JSON.stringify({ apiVersion: 'taximeter/v1', kind: 'LimitPolicy', metadata: { name }, spec });
const shop = document('shop', {
  weights: { 'POST /heavy': 3 },
  limits: [
    { id: 'day', amount: 1000, window: { rolling: '24h', parts: 24 } },
    { id: 'hour', amount: 40, window: { fixed: '1h' } },
    { id: 'month', amount: 5000, window: { calendar: 'month' } },
    { id: 'burst', amount: 100, rate: { per: '1s' } },
  ],
});

const tenants = ['acme', 'globex'];
const calls: { atMs: number; tenant: string; endpoint: string; status: number }[] = [];
beforeAll(async () => {
  house = await openListeningHouse(1 << 20, '', () => new Date(nowMs));
  api = createApi(house.house, { pages: '' });
  await ask('/api/v1/documents', shop);
  // acme asks every minute of an hour now and then, more than it may; globex twice an hour for something heavy.
  for (let minute = 0; minute < 30 * 60; minute++) {
    nowMs = START + minute * MINUTE;
    const isBusy = Math.floor(minute / 60) % 9 === 1;
    for (const [tenant, endpoint, every] of [
      ['acme', 'GET /a', isBusy ? 1 : 20],
      ['globex', 'POST /heavy', 30],
    ] as const) {
      if (minute % every !== 0) continue;
      const { decisions } = (await ask('/api/v1/limits/check', { asks: [{ tenant, endpoint }] })) as {
        decisions: { allowed: boolean }[];
      };
      calls.push({ atMs: nowMs, tenant, endpoint, status: decisions[0]!.allowed ? 200 : 429 });
    }
  }
  nowMs += 30_000;
  await storeCalls(house.house.store.columns, 1, calls);
});
afterAll(() => house.close());

type Drift = {
  rows: { limit: string; per: { tenant: string }; admitted: number; counted: number; refused: number; drift: number }[];
  sums: { limit: string; counters: number; drift: number }[];
  left: { limit: string; why: string }[];
};
const drift = async () => (await ask('/api/v1/limits/drift')) as Drift;

describe('one number', () => {
  it('is the same in counters and in calls, refused ones apart', async () => {
    expect(calls.filter(({ status }) => status === 429).length).toBe(4 * 20);
    const { rows, sums, left } = await drift();
    expect(sums.map(({ limit, counters, drift: off }) => [limit, counters, off])).toEqual([
      ['day', 2, 0],
      ['hour', 2, 0],
      ['month', 2, 0],
    ]);
    expect(left).toMatchObject([{ limit: 'burst' }]);
    const month = rows.filter(({ limit }) => limit === 'month');
    expect(month.map(({ per, counted, refused }) => [per.tenant, counted, refused]).sort()).toEqual([
      ['acme', calls.filter(({ tenant }) => tenant === 'acme').length, 80],
      ['globex', 3 * calls.filter(({ tenant }) => tenant === 'globex').length, 0],
    ]);
  });

  it('is shown to customers beside what they have left', async () => {
    const { limits } = (await ask('/api/v1/limits?tenant=globex&endpoint=POST%20/heavy')) as {
      limits: { limit: string; admitted: number; counted: number | null; notCounted?: string }[];
    };
    expect(limits.map(({ limit, admitted, counted }) => [limit, admitted, counted])).toEqual([
      // The oldest of the parts counts in full: 25 hours.
      ['day', 150, 150],
      ['hour', 6, 6],
      ['month', 180, 180],
      ['burst', 0, null],
    ]);
    expect(limits.at(-1)!.notCounted).toBe('a rate remembers no window');
  });

  it('shows calls that nobody asked for, and what was let pass and never came', async () => {
    await storeCalls(house.house.store.columns, 2, [
      { atMs: nowMs - 1000, tenant: 'stranger', endpoint: 'GET /a', status: 200 },
    ]);
    await ask('/api/v1/limits/check', { tenant: 'ghost' });
    const { rows } = await drift();
    const off = (tenant: string) => rows.filter(({ per }) => per.tenant === tenant).map(({ drift: units }) => units);
    expect([off('stranger'), off('ghost'), off('acme')]).toEqual([
      [-1, -1, -1],
      [1, 1, 1],
      [0, 0, 0],
    ]);
    const text = await (await api(new Request('http://localhost/metrics'))).text();
    expect(text).toContain('taximeter_limit_drift_units{policy="shop",limit="day"} 2');
  });

  it('is there again after counters were lost, and falls only where it may', async () => {
    const { limiter } = house.house;
    const before = await drift();
    const limit = limiter.policies[0]!.limits[0]!;
    for (const tenant of tenants) {
      const subject = { organisation: tenant, tenant, consumer: '', endpoint: '' };
      const part = limit.partUs;
      const last = Math.floor((nowMs * 1000) / part);
      const none = Array.from({ length: limit.parts }, (_, i) => [(last - 1 - i) * part, 0] as const);
      await limiter.put(limit, subject, none, true);
    }
    expect((await drift()).sums[0]!.drift).toBeGreaterThan(100);
    const { limits } = (await ask('/api/v1/limits/rebuild?policy=shop', '')) as {
      limits: { limit: string; raised: number; lowered: number; why: string | null }[];
    };
    expect(limits.map(({ limit: id, raised, lowered }) => [id, raised, lowered])).toEqual([
      ['day', 3, 0],
      ['hour', 1, 0],
      ['month', 1, 0],
      ['burst', 0, 0],
    ]);
    const after = await drift();
    expect(after.rows.filter(({ per }) => tenants.includes(per.tenant))).toEqual(
      before.rows.filter(({ per }) => tenants.includes(per.tenant)),
    );
    // What was let pass and never came is still counted, until somebody lowers it; of a rolling window the part under way stays.
    expect(after.sums.map(({ drift: off }) => off)).toEqual([1, 1, 1]);
    await ask('/api/v1/limits/rebuild?lower=true', '');
    expect((await drift()).sums.map(({ drift: off }) => off)).toEqual([1, 0, 0]);
    expect(await ask('/api/v1/limits/rebuild?policy=none', '')).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('what if', () => {
  it('limits by a replay whom the same policy limited', async () => {
    const answer = await ask(`/api/v1/limits/what-if?from=2026-06-01&to=2026-06-02T06:00:00Z`, shop);
    const first = calls.find(({ status }) => status === 429)!.atMs;
    expect(answer).toMatchObject({
      ...{ calls: calls.length + 1, limited: 80, refusedBefore: 80, saved: null, undecided: 0, omitted: 0 },
      rows: [{ policy: 'shop', limit: 'hour', per: { tenant: 'acme' }, calls: 80, saved: null, callsOfUnknownCost: 0 }],
    });
    const [row] = (answer as { rows: { first: string }[] }).rows;
    expect(Date.parse(row!.first)).toBe(first);
  });

  it('says what calls would have saved, where it is known, and asks for good documents', async () => {
    const rates = [{ pool: 'p', kind: 'direct', driver: 'calls', price: '0.5', per: '1' }];
    const card = { apiVersion: 'taximeter/v1', kind: 'RateCard', metadata: { name: 'c', effectiveFrom: '2026-05-01' } };
    await ask('/api/v1/documents', { ...card, spec: { currency: 'USD', rates } });
    const tight = document('tight', { mode: 'shadow', limits: [{ id: 'h', amount: 2, window: { rolling: '1h' } }] });
    const answer = (await ask('/api/v1/limits/what-if?days=1', tight)) as {
      limited: number;
      saved: string;
      rows: { per: { tenant: string }; saved: string; calls: number }[];
    };
    expect(answer.rows.map(({ per }) => per.tenant)).toContain('acme');
    expect(Number(answer.saved)).toBeCloseTo(
      answer.rows.reduce((sum, { saved }) => sum + Number(saved), 0),
      9,
    );
    expect(Number(answer.saved)).toBeGreaterThan(0);
    expect(Number(answer.saved)).toBeLessThanOrEqual(answer.limited / 2);
    const three = await Promise.all([1, 2, 3].map(() => ask('/api/v1/limits/what-if?days=1', tight)));
    expect(three.filter(({ code }) => code === 'LIMIT_REPLAYS_BUSY').length).toBe(1);
    const bad = document('bad', { limits: [{ id: 'h', amount: -1, window: { rolling: '1h' } }] });
    expect(await ask('/api/v1/limits/what-if', bad)).toMatchObject({ code: 'DOCUMENT_INVALID', status: 422 });
    expect(await ask('/api/v1/limits/what-if?from=2026-06-01', tight)).toMatchObject({ code: 'PARAMETER_INVALID' });
  });
});

it('explains policies over HTTP', async () => {
  const answer = (await ask('/api/v1/limits/explain?tenant=acme')) as {
    policies: { name: string; limits: { words: string }[] }[];
    notes: { kind: string; limit: string; words: string }[];
  };
  expect(answer.policies.map(({ name }) => name)).toEqual(['shop']);
  expect(answer.policies[0]!.limits[0]!.words).toBe('each tenant: 1000 requests in any 24h');
  expect(answer.notes.map(({ kind, limit }) => [kind, limit])).toEqual([['burst_above_window', 'burst']]);
});

describe('commands', () => {
  const run = async (...args: string[]) => {
    let printed = '';
    const keep = (text: string) => {
      printed += text;
    };
    const code = await runCli(['limits', ...args, '--data', house.house.folder], {
      ...{ version: '0', environment: {}, out: keep, err: keep },
      openLocally: async () => ({ api, close: async () => undefined }),
      serve: () => Promise.reject(new Error('not asked')),
    });
    return { code, printed };
  };

  it.each([
    ['show --tenant globex --endpoint=POST@/heavy', /shop@1 +│ day +│ +150 │ +150 │/],
    [
      'explain',
      /1\. shop@1\n {3}day: each tenant: 1000 requests in any 24h\n[\s\S]*- shop\.burst: its burst of 100 is more than hour/,
    ],
    ['explain --tenant nobody --json', /"name": "shop"/],
    [
      'drift',
      /shop\.month +│ stranger +│ 2026-06-01T00:00:00Z │[\s\S]*shop\.burst: left out, a rate remembers no window\./,
    ],
    ['drift --csv', /^limit,of,since,admitted,counted,refused,drift\r\n/],
    ['rebuild --policy shop', /shop\.day +│ +3 │ +0 │ +0 │/],
  ])('limits %s', async (args, printed) => {
    const answer = await run(...args.split(' ').map((arg) => arg.replace('@', ' ')));
    expect(answer.printed).toMatch(printed);
    expect(answer.code).toBe(0);
  });

  it('limits what-if, from a file', async () => {
    const file = join(house.house.folder, 'proposed.yaml');
    writeFileSync(file, shop);
    const range = ['--file', file, '--from', '2026-06-01', '--to', '2026-06-02T06:00:00Z'];
    const table = await run('what-if', ...range);
    expect(table.printed).toMatch(/^Of \d+ calls 80 would not have passed; they were refused when they came\./);
    const csv = (await run('what-if', ...range, '--csv')).printed.split('\r\n');
    expect(csv.length).toBe(2);
    expect(csv[1]).toMatch(/^shop\.hour,acme,2026-06-01T01:40:00Z,/);
    expect((await run('what-if', '--file', join(house.house.folder, 'none.yaml'))).code).toBe(1);
  });
});

it('leaves out windows of which single calls were let go', async () => {
  await house.house.retention.run();
  const { sums, left } = await drift();
  expect(sums).toEqual([]);
  expect(left.map(({ limit, why }) => [limit, why])).toEqual([
    ...['day', 'hour', 'month'].map((limit) => [limit, 'single calls of its window are no longer kept']),
    ['burst', 'a rate remembers no window'],
  ]);
  expect(await ask('/api/v1/limits/what-if?from=2026-06-01&to=2026-06-02', shop)).toMatchObject({
    code: 'RANGE_DROPPED',
  });
  const { limits } = (await ask('/api/v1/limits/rebuild', '')) as { limits: { why: string | null }[] };
  expect(limits.filter(({ why }) => why === null)).toEqual([]);
});
