import fc from 'fast-check';
import { expect, it } from 'vitest';
import { onEveryStore, passed } from './limits/stores.ts';
import { ask, hold, limiterOf, policy, START_US } from './limits/world.ts';

const four = [
  policy('o', 'per: [organisation]', 'id: day, amount: 1000, window: { rolling: 24h }'),
  policy('t', 'per: [tenant]', 'id: burst, amount: 10, rate: { per: 1s, burst: 20 }'),
  policy('u', 'per: [tenant, consumer]', 'id: minute, amount: 30, window: { fixed: 60s }'),
  policy('z', 'per: [tenant, endpoint]', 'id: month, amount: 50, window: { calendar: month, zone: Europe/Berlin }'),
].join('---\n');

onEveryStore('limits counted', (world) => {
  it.each([
    // limit, calls at once, allowed, seconds until the next, allowed then of as many
    ['id: a, amount: 5, window: { fixed: 60s }', 9, 5, 60, 5],
    ['id: a, amount: 5, window: { fixed: 60s }', 9, 5, 59, 0],
    ['id: a, amount: 5, window: { rolling: 60s, parts: 6 }', 9, 5, 60, 0],
    ['id: a, amount: 5, window: { rolling: 60s, parts: 6 }', 9, 5, 70, 5],
    ['id: a, amount: 5, window: { calendar: day }', 9, 5, 86_400, 5],
    ['id: a, amount: 5, window: { calendar: day, zone: America/New_York }', 9, 5, 4 * 3600, 5],
    ['id: a, amount: 5, window: { calendar: day, zone: America/New_York }', 9, 5, 4 * 3600 - 1, 0],
    ['id: a, amount: 5, window: { calendar: week }', 9, 5, 7 * 86_400, 5],
    ['id: a, amount: 5, window: { calendar: month, anchor: "31" }', 9, 5, 29 * 86_400, 5],
    ['id: a, amount: 5, window: { calendar: month, anchor: "31" }', 9, 5, 29 * 86_400 - 1, 0],
    ['id: a, amount: 2, rate: { per: 1s, burst: 5 }', 9, 5, 1, 2],
    ['id: a, amount: 7, rate: { per: 60s, burst: 3 }', 9, 3, 9, 1],
    ['id: a, amount: 7, rate: { per: 60s, burst: 3 }', 9, 3, 8, 0],
    ['id: a, amount: 0, window: { fixed: 60s }', 9, 0, 600, 0],
    ['id: a, amount: 10, overdraft: { percent: 50 }, window: { fixed: 60s }', 20, 15, 60, 15],
    ['id: a, amount: 9007199254740, window: { rolling: 24h }', 9, 9, 1, 9],
  ] as const)('%s: of %i calls %i pass, after %i s %i', async (limit, calls, first, seconds, second) => {
    const { clock, limiter } = await world(policy('p', 'per: [tenant]', limit));
    expect(await passed(limiter, calls)).toBe(first);
    clock.seconds(seconds);
    expect(await passed(limiter, calls)).toBe(second);
  });

  it('tells exactly when the same passes', async () => {
    for (const limit of [
      'id: a, amount: 7, rate: { per: 60s, burst: 3 }',
      'id: a, amount: 3, window: { fixed: 60s }',
      'id: a, amount: 3, window: { rolling: 60s, parts: 7 }',
      'id: a, amount: 3, window: { calendar: day, zone: Asia/Kolkata }',
    ]) {
      const { clock, limiter } = await world(policy('p', 'per: [tenant]', limit));
      await passed(limiter, 3);
      const denied = await limiter.decide(ask('acme'));
      expect(denied).toMatchObject({ isAllowed: false, reason: 'over_limit', wouldPass: 0, binding: { zone: 'over' } });
      clock.us = denied.freesAtUs - 1;
      expect((await limiter.decide(ask('acme'))).isAllowed).toBe(false);
      clock.us = denied.freesAtUs;
      expect((await limiter.decide(ask('acme'))).isAllowed).toBe(true);
    }
  });

  it('says to whoever looks when a part of a rolling window comes free, and to others never too early', async () => {
    const { clock, limiter } = await world(
      policy('p', 'per: [tenant]', 'id: a, amount: 9, window: { rolling: 60s, parts: 6 }'),
    );
    await passed(limiter, 3);
    clock.seconds(25);
    const allowed = (await limiter.decide(ask('acme'))).findings[0]!.outcome.resetsAtUs;
    const looked = (await limiter.decide(ask('acme', 0, { isPeek: true }))).findings[0]!.outcome.resetsAtUs;
    expect(looked).toBe(START_US + 70_000_000);
    expect(allowed).toBeGreaterThanOrEqual(looked);
  });

  it('takes of all levels or of none', async () => {
    const { clock, limiter } = await world(four);
    const one = ask('acme', 1, { organisation: 'org', consumer: 'ann', endpoint: 'GET /a' });
    expect(await passed(limiter, 40, one)).toBe(20);
    const denied = await limiter.decide(one);
    expect(denied.binding?.limit.id).toBe('burst');
    expect(denied.findings.map(({ outcome }) => [outcome.before, outcome.after])).toEqual(Array(4).fill([20, 20]));
    expect(denied.findings.map(({ limit }) => limit.policy.name)).toEqual(['o', 't', 'u', 'z']);
    clock.seconds(2);
    expect(await passed(limiter, 40, one)).toBe(10);
    clock.seconds(60);
    const other = await limiter.decide(ask('acme', 1, { organisation: 'org', consumer: 'bob', endpoint: 'GET /a' }));
    expect(other.findings.map(({ outcome }) => outcome.after)).toEqual([31, 1, 1, 31]);
  });

  it('refuses for ever what costs more than a limit allows, and counts nothing of it', async () => {
    const { limiter } = await world(four);
    const huge = await limiter.decide(ask('acme', Number.MAX_SAFE_INTEGER));
    expect(huge).toMatchObject({ isAllowed: false, reason: 'cost_exceeds_limit', freesAtUs: -1, wouldPass: 20 });
    expect((await limiter.decide(ask('acme'))).findings.map(({ outcome }) => outcome.after)).toEqual([1, 1, 1, 1]);
  });

  it('keeps tenants, consumers and endpoints apart, and shares where a policy says so', async () => {
    const { limiter } = await world(
      policy('g', 'match: { endpoints: ["* /v1/reports*"] }', 'id: a, amount: 3, window: { fixed: 60s }'),
    );
    const reports = (tenant: string, endpoint: string) => passed(limiter, 2, ask(tenant, 1, { endpoint }));
    expect(await reports('a', 'GET /v1/reports')).toBe(2);
    expect(await reports('a', 'POST /v1/reports/{id}')).toBe(1);
    expect(await reports('b', 'GET /v1/reports')).toBe(2);
    expect(await passed(limiter, 9, ask('a', 1, { endpoint: 'GET /v1/users' }))).toBe(9);
  });

  it('counts together what belongs to nobody, and apart what has one name in two organisations', async () => {
    const all = policy('all', 'per: []', 'id: a, amount: 5, window: { fixed: 60s }');
    const { limiter } = await world(
      `${all}---\n${policy('p', 'per: [tenant]', 'id: a, amount: 2, window: { fixed: 60s }')}`,
    );
    const of = (organisation: string) => passed(limiter, 3, ask('acme', 1, { organisation }));
    expect([await of('x'), await of('y'), await of('z'), await of('x')]).toEqual([2, 2, 1, 0]);
  });

  it('weighs endpoints', async () => {
    const head = 'weights: { "POST /v1/reports": 10, "GET /free*": 0 }';
    const { limiter } = await world(policy('w', head, 'id: a, amount: 25, window: { fixed: 60s }'));
    expect(await passed(limiter, 5, ask('a', 1, { endpoint: 'POST /v1/reports' }))).toBe(2);
    expect(await passed(limiter, 9, ask('a', 1, { endpoint: 'GET /x' }))).toBe(5);
    expect(await passed(limiter, 9, ask('a', 1, { endpoint: 'GET /free/1' }))).toBe(9);
  });

  it('grants a part where a part is of use', async () => {
    const { limiter } = await world(policy('p', 'per: [tenant]', 'id: a, amount: 10, window: { fixed: 60s }'));
    expect(await limiter.decide(ask('a', 7, { least: 1 }))).toMatchObject({ isAllowed: true, granted: 7 });
    expect(await limiter.decide(ask('a', 7, { least: 1, ...hold('l') }))).toMatchObject({
      isAllowed: true,
      granted: 3,
    });
    expect(await limiter.decide(ask('a', 7, { least: 1 }))).toMatchObject({ isAllowed: false, granted: 0 });
  });

  it('only watches in shadow, and only looks when it peeks', async () => {
    const { limiter } = await world(
      `${policy('s', 'mode: shadow', 'id: a, amount: 2, window: { fixed: 60s }')}---\n${policy('h', 'per: [tenant]', 'id: a, amount: 4, window: { fixed: 60s }')}`,
    );
    expect((await limiter.decide(ask('a', 1, { isPeek: true }))).findings.map(({ outcome }) => outcome.after)).toEqual([
      0, 0,
    ]);
    expect(await passed(limiter, 3, ask('a'))).toBe(3);
    const last = await limiter.decide(ask('a'));
    expect(last).toMatchObject({ isAllowed: true });
    expect(last.findings.map(({ limit, zone }) => [limit.policy.name, zone])).toEqual([
      ['s', 'over'],
      ['h', 'ok'],
    ]);
  });

  it('counts money from the rates and settles it by what it was', async () => {
    const money = policy(
      'p',
      'per: [tenant]',
      'id: a, amount: "1.00", money: { currency: USD }, window: { calendar: day }',
    );
    const { store, clock } = await world(money);
    const rated = () => ({ amountAtto: 300_000_000_000_000_000n, currency: 'USD' }) as never;
    const limiter = limiterOf(store, clock, money, rated);
    const first = await limiter.decide(ask('a', 1, hold('m')));
    expect(await passed(limiter, 5, ask('a'))).toBe(2);
    await limiter.settle(first.reservation!, 'commit', null, { amountAtto: 1n, currency: 'USD' });
    expect((await limiter.decide(ask('a', 1, { isPeek: true }))).findings[0]!.outcome.before).toBe(600_000_001);
    expect(await passed(limiter, 5, ask('a'))).toBe(1);
  });

  it('commits in a currency of its limits only; those of others stay as they were reserved', async () => {
    const money = (currency: string) =>
      policy(
        currency.toLowerCase(),
        'per: [tenant]',
        `id: a, amount: "9.00", money: { currency: ${currency}, assumedCost: "2" }, window: { fixed: 1h }`,
      );
    const { limiter } = await world(`${money('EUR')}---\n${money('USD')}`);
    const usd = (amountAtto: bigint) => ({ amountAtto, currency: 'USD' });
    const { reservation } = await limiter.decide(ask('a', 1, { ...hold('m'), money: usd(5n * 10n ** 18n) }));
    const used = async () =>
      (await limiter.decide(ask('a', 1, { isPeek: true }))).findings.map(({ outcome }) => outcome.before);
    expect(await limiter.settle(reservation!, 'commit', null, { ...usd(1n), currency: 'JPY' })).toBe('currency');
    expect(await used()).toEqual([2e9, 5e9]);
    expect(await limiter.settle(reservation!, 'commit', null, usd(1n))).toBe('done');
    expect(await used()).toEqual([2e9, 1]);
  });

  it('refuses where nobody knows the cost: unknown is not 0', async () => {
    const money = 'id: a, amount: "1.00", money: { currency: USD }, window: { calendar: day }';
    const { limiter } = await world(policy('p', 'per: [tenant]', money));
    expect(await limiter.decide(ask('a'))).toMatchObject({ isAllowed: false, reason: 'cost_unknown' });
  });

  it('ends the overdraft when its grace is over', async () => {
    const soft = 'id: a, amount: 10, warnAt: [80], overdraft: { percent: 50, grace: 10s }, window: { fixed: 60s }';
    const { clock, limiter } = await world(policy('p', 'per: [tenant]', soft));
    const zones = [];
    for (let call = 0; call < 12; call++) zones.push((await limiter.decide(ask('a'))).binding!.zone);
    expect(zones).toEqual([...Array(7).fill('ok'), ...Array(3).fill('warning'), 'overdraft', 'overdraft']);
    clock.seconds(9);
    expect(await passed(limiter, 1, ask('a'))).toBe(1);
    clock.seconds(1);
    expect(await passed(limiter, 5, ask('a'))).toBe(0);
    clock.seconds(50);
    expect(await passed(limiter, 20, ask('a'))).toBe(15);
  });

  it('overrides for a time, and anniversaries and amounts come from plans', async () => {
    const plan = `apiVersion: taximeter/v1
kind: Plan
metadata: { name: crm }
spec:
  defaultEdition: free
  editions: { free: { base: 2 }, enterprise: { base: 4, perLicence: { user: 2 }, most: 8 } }
  addOns: { extra: 3 }
  tenants: { big: { edition: enterprise, licences: { user: 9 }, addOns: { extra: 1 }, since: 2024-01-31 } }
---
`;
    const head = 'overrides: [{ match: { tenants: [small] }, limits: { a: 5 }, until: 2026-06-02, reason: launch }]';
    const yaml = plan + policy('p', head, 'id: a, amount: { plan: crm }, window: { calendar: anniversary }');
    const { clock, limiter } = await world(yaml);
    expect(await passed(limiter, 20, ask('big'))).toBe(11);
    expect(await passed(limiter, 20, ask('small'))).toBe(5);
    expect(await passed(limiter, 20, ask('none'))).toBe(2);
    clock.us = Date.UTC(2026, 5, 30) * 1000 - 1;
    expect(await passed(limiter, 20, ask('big'))).toBe(0);
    clock.us += 1;
    expect(await passed(limiter, 20, ask('big'))).toBe(11);
  });

  it('never counts backward in time', async () => {
    const { clock, limiter } = await world(
      policy(
        'p',
        'per: [tenant]',
        'id: a, amount: 5, window: { rolling: 60s }',
        'id: r, amount: 1, rate: { per: 1s, burst: 5 }',
      ),
    );
    expect(await passed(limiter, 9, ask('a'))).toBe(5);
    for (const by of [-3600, -86_400, 3600 - 1, 86_400]) {
      clock.seconds(by);
      expect(await passed(limiter, 9, ask('a'))).toBe(0);
    }
    expect(clock.us).toBeLessThan(START_US);
  });

  it('admits of a rolling window never more than its amount within its length, whatever the traffic', async () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000_000 }), fc.integer({ min: 0, max: 9 })), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 12 }), async (traffic, parts) => {
        const { clock, limiter } = await world(
          policy('p', 'per: [tenant]', `id: a, amount: 20, window: { rolling: 60s, parts: ${parts} }`),
        );
        const admitted: [number, number][] = [];
        for (const [pauseUs, units] of traffic) {
          clock.us += pauseUs;
          if ((await limiter.decide(ask('a', units))).isAllowed) admitted.push([clock.us, units]);
        }
        for (const [endUs] of admitted) {
          const within = admitted.filter(([us]) => us > endUs - 60_000_000 && us <= endUs);
          expect(within.reduce((sum, [, units]) => sum + units, 0)).toBeLessThanOrEqual(20);
        }
      }),
      { numRuns: 40 },
    );
  });
});
