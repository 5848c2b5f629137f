import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CounterStore, LEASE, type Limiter, MemoryStore, RedisStore } from '../../src/limit/index.ts';
import { redis } from '../support/available.ts';
import { type RedisServer, startRedis, startRedisCluster } from '../support/redis-server.ts';
import { ask, Clock, hold, limiterOf, policy, START_US } from './limits/world.ts';

/** Long enough for a machine that does other things: how long a store is waited for is tested elsewhere. */
const PATIENT_MS = 30_000;

interface Opened {
  /** A store without counters, on a clock. */
  fresh(clock: Clock): Promise<CounterStore>;
  close(): Promise<void>;
}

const engines: { name: string; open: () => Promise<Opened> }[] = [
  {
    name: 'memory',
    open: async () => ({
      fresh: async (clock) => new MemoryStore({ nowUs: clock.nowUs, mostKeys: 100_000, mostHeld: 10_000 }),
      close: async () => undefined,
    }),
  },
  { name: 'Redis', open: () => onRedis(async () => onlyNode(await startRedis())) },
  { name: 'a Redis cluster of three', open: () => onRedis(startRedisCluster) },
];

interface Servers {
  readonly nodes: readonly RedisServer[];
  readonly url: string;
}

function onlyNode(node: RedisServer): Servers {
  return { nodes: [node], url: node.url };
}

async function onRedis(start: () => Promise<Servers>): Promise<Opened> {
  const { nodes, url } = await start();
  const warn = () => undefined;
  let prefix = 'world';
  const stores: Record<string, CounterStore> = {};
  return {
    // Every world has keys of its own; the connection stays.
    fresh: async ({ nowUs }) => {
      prefix += '.';
      const store = await RedisStore.open({ url, withinMs: PATIENT_MS, nowUs, prefix, warn });
      stores[prefix] = store;
      return store;
    },
    close: async () => {
      for (const store of Object.values(stores)) await store.close();
      await Promise.all(nodes.map((node) => node.kill()));
    },
  };
}

const four = [
  policy('o', 'per: [organisation]', 'id: day, amount: 1000, window: { rolling: 24h }'),
  policy('t', 'per: [tenant]', 'id: burst, amount: 10, rate: { per: 1s, burst: 20 }'),
  policy('u', 'per: [tenant, consumer]', 'id: minute, amount: 30, window: { fixed: 60s }'),
  policy('z', 'per: [tenant, endpoint]', 'id: month, amount: 50, window: { calendar: month, zone: Europe/Berlin }'),
].join('---\n');

/** How many of a number of calls one after the other are allowed. */
async function passed(limiter: Limiter, calls: number, one = ask('acme')): Promise<number> {
  let allowed = 0;
  for (let call = 0; call < calls; call++) if ((await limiter.decide(one)).isAllowed) allowed++;
  return allowed;
}

describe.each(engines)('limits counted in $name', ({ name, open }) => {
  const reason = name === 'memory' ? undefined : redis().reason;
  if (reason !== undefined) {
    it.skip(reason, () => undefined);
    return;
  }
  let engine: Opened;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine.close());

  const world = async (yaml: string) => {
    const clock = new Clock();
    const store = await engine.fresh(clock);
    return { clock, store, limiter: limiterOf(store, clock, yaml) };
  };

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

  it('gives back to the window it was taken from', async () => {
    const { clock, limiter } = await world(policy('p', 'per: [tenant]', 'id: a, amount: 10, window: { fixed: 60s }'));
    const first = await limiter.decide(ask('a', 8, hold('one')));
    expect(await passed(limiter, 9, ask('a'))).toBe(2);
    expect(await limiter.settle(first.reservation!, 'commit', 3, null)).toBe('done');
    expect(await limiter.settle(first.reservation!, 'commit', 3, null)).toBe('already');
    expect(await limiter.settle(first.reservation!, 'release', null, null)).toBe('committed');
    expect(await passed(limiter, 9, ask('a'))).toBe(5);
    const second = await limiter.decide(ask('a', 5, hold('two', 600)));
    expect(second.isAllowed).toBe(false);
    clock.seconds(60);
    const third = await limiter.decide(ask('a', 5, hold('two', 600)));
    clock.seconds(60);
    expect(await passed(limiter, 4, ask('a'))).toBe(4);
    expect(await limiter.settle(third.reservation!, 'release', null, null)).toBe('done');
    expect(await passed(limiter, 9, ask('a'))).toBe(6);
  });

  it.each([
    'window: { fixed: 1h }',
    'window: { rolling: 1h }',
    'window: { calendar: day }',
    'rate: { per: 1h, burst: 100 }',
  ])('counts what a commit brings where the reservation took nothing of %s', async (window) => {
    const { limiter } = await world(policy('p', 'per: [tenant]', `id: a, amount: 100, ${window}`));
    const { reservation } = await limiter.decide(ask('new', 0, hold('free')));
    expect(await limiter.settle(reservation!, 'commit', 100, null)).toBe('done');
    expect((await limiter.decide(ask('new'))).isAllowed).toBe(false);
  });

  it('reserves once by id, and tells another content', async () => {
    const { limiter } = await world(policy('p', 'per: [tenant]', 'id: a, amount: 10, window: { fixed: 60s }'));
    const reserve = (units: number, fingerprint: string) =>
      limiter.decide(ask('a', units, hold('same', 60, fingerprint)));
    expect(await reserve(6, 'six')).toMatchObject({ isAllowed: true, repeat: 'none', granted: 6 });
    expect(await reserve(6, 'six')).toMatchObject({ isAllowed: true, repeat: 'same', granted: 6 });
    const refused = { isAllowed: false, granted: 0, wouldPass: 0, reservation: null };
    expect(await reserve(2, 'two')).toMatchObject({ ...refused, repeat: 'other', reason: 'reservation_differs' });
    expect(await passed(limiter, 9, ask('a'))).toBe(4);
    expect(await limiter.settle('YQ.unheard-of', 'commit', null, null)).toBe('unknown');
    expect(await limiter.settle('no reservation at all', 'commit', null, null)).toBe('unknown');
  });

  it('says no to an id that was given back, and still yes to one that was committed', async () => {
    const { clock, limiter } = await world(policy('p', 'per: [tenant]', 'id: a, amount: 10, window: { fixed: 1h }'));
    const reserve = (id: string) => limiter.decide(ask('a', 3, hold(id, 10, 'three')));
    const [back, kept] = [await reserve('back'), await reserve('kept')];
    await limiter.settle(back.reservation!, 'release', null, null);
    await limiter.settle(kept.reservation!, 'commit', null, null);
    const over = { isAllowed: false, reason: 'reservation_over', granted: 0, reservation: null };
    expect(await reserve('back')).toMatchObject(over);
    expect(await reserve('kept')).toMatchObject({ isAllowed: true, repeat: 'same', granted: 3 });
    expect((await reserve('late')).isAllowed).toBe(true);
    clock.seconds(10);
    expect(await reserve('late')).toMatchObject(over);
    expect((await limiter.decide(ask('a', 1, { isPeek: true }))).findings[0]!.outcome.before).toBe(3);
  });

  it('frees what expires, places for calls at once too', async () => {
    const limits = ['id: flight, amount: 2, concurrency: true', 'id: day, amount: 100, window: { rolling: 24h }'];
    const { clock, limiter } = await world(policy('p', 'per: [tenant]', ...limits));
    const begin = (id: string) => limiter.decide(ask('a', 1, hold(id, 10)));
    const [one, two] = [await begin('1'), await begin('2')];
    expect([one.isAllowed, two.isAllowed, (await begin('3')).isAllowed]).toEqual([true, true, false]);
    await limiter.settle(one.reservation!, 'commit', null, null);
    expect((await begin('4')).isAllowed).toBe(true);
    clock.seconds(10);
    const later = await begin('5');
    expect(later.findings.map(({ outcome }) => outcome.after)).toEqual([1, 2]);
    expect(await limiter.settle(two.reservation!, 'commit', null, null)).toBe('expired');
    // A call that is only checked holds no place.
    expect(await passed(limiter, 5, ask('a'))).toBe(5);
    expect((await limiter.decide(ask('a'))).findings.map(({ outcome }) => outcome.after)).toEqual([1, 8]);
  });

  it('frees at once what was reserved by the same id long ago, however much else has expired', async () => {
    const { clock, limiter } = await world(policy('p', 'per: [tenant]', 'id: a, amount: 500, window: { fixed: 1h }'));
    const held = [];
    for (let each = 0; each < 250; each++) held.push(await limiter.decide(ask('acme', 1, hold(`h${each}`, 10))));
    clock.seconds(10);
    expect(await limiter.decide(ask('acme', 1, hold('h249', 10)))).toMatchObject({ isAllowed: false, repeat: 'over' });
    expect(await limiter.settle(held[248]!.reservation!, 'commit', null, null)).toBe('expired');
    const { findings } = await limiter.decide(ask('acme', 0, { isPeek: true }));
    expect(findings[0]!.outcome.before).toBe(0);
  });

  it('counts absurd costs up to where sums are exact, and is as new when they have gone', async () => {
    const { clock, limiter } = await world(
      policy(
        'p',
        'per: [tenant]\n  weights: { "*": 1000000 }',
        'id: a, amount: 4503599627370495, window: { rolling: 60s, parts: 20 }',
      ),
    );
    const used = async () => (await limiter.decide(ask('acme', 0, { isPeek: true }))).findings[0]!.outcome.before;
    for (let each = 0; each < 8; each++) {
      const held = await limiter.decide(ask('acme', 0, hold(`h${each}`)));
      expect(await limiter.settle(held.reservation!, 'commit', 4503599627370495, null)).toBe('done');
      expect(await used()).toBe(2 ** 52);
      clock.seconds(3);
    }
    expect((await limiter.decide(ask('acme', 1))).isAllowed).toBe(false);
    for (let part = 0; part < 21; part++) {
      clock.seconds(3);
      expect(await used()).toBeGreaterThanOrEqual(0);
    }
    expect(await used()).toBe(0);
    expect((await limiter.decide(ask('acme', 1))).isAllowed).toBe(true);
  });

  it.each([
    ['id: a, amount: 4503599627370495, window: { fixed: 1h }', 4_000_000_000_000_000],
    ['id: a, amount: 4503599627370495, window: { calendar: day }', 4_000_000_000_000_000],
    ['id: a, amount: 4503599627370495, window: { rolling: 1h }', 4_000_000_000_000_000],
    ['id: a, amount: 1, rate: { per: 1s, burst: 4000000000 }', 4_000_000_000],
  ])('%s: what is committed on top of %i lowers nothing', async (limit, much) => {
    const { limiter } = await world(policy('p', 'per: [tenant]', limit));
    expect((await limiter.decide(ask('acme', much))).isAllowed).toBe(true);
    const { reservation } = await limiter.decide(ask('acme', 0, hold('one')));
    expect(await limiter.settle(reservation!, 'commit', 7, null)).toBe('done');
    const { findings } = await limiter.decide(ask('acme', 0, { isPeek: true }));
    expect(findings[0]!.outcome.before).toBe(much + 7);
  });

  it('forgets what became of a reservation when nobody asks for it again', async () => {
    const { limiter } = await world(policy('p', 'per: [tenant]', 'id: a, amount: 9, window: { fixed: 60s }'));
    const { reservation } = await limiter.decide(ask('acme', 2, hold('one')));
    expect(await limiter.settle(reservation!, 'commit', 3, null, true)).toBe('done');
    expect(await limiter.settle(reservation!, 'commit', 3, null, true)).toBe('unknown');
    const again = await limiter.decide(ask('acme', 1, hold('one')));
    expect(again).toMatchObject({ isAllowed: true, repeat: 'none', findings: [{ outcome: { before: 3, after: 4 } }] });
  });

  it('keeps what a lease took when nobody ends it, and takes back what is left when somebody does', async () => {
    const { clock, limiter } = await world(policy('p', 'per: [tenant]', 'id: a, amount: 10, window: { fixed: 1h }'));
    const lease = (id: string) => limiter.decide(ask('a', 4, { ...hold(id, 10, LEASE), least: 1 }));
    const [dies, ends] = [await lease('1'), await lease('2')];
    expect(await limiter.settle(ends.reservation!, 'commit', 1, null)).toBe('done');
    clock.seconds(11);
    expect((await limiter.decide(ask('a', 1, { isPeek: true }))).findings[0]!.outcome.before).toBe(5);
    expect((await lease('3')).granted).toBe(4);
    expect((await lease('4')).granted).toBe(1);
    expect(dies.granted).toBe(4);
  });

  it.each(['window: { fixed: 1h }', 'window: { rolling: 1h, parts: 6 }', 'window: { calendar: day }'])(
    'sets a counter of %s to what was counted, by parts, and lets it fall only where it may',
    async (window) => {
      const { clock, limiter } = await world(policy('p', 'per: [tenant]', `id: a, amount: 100, ${window}`));
      const limit = limiter.policies[0]!.limits[0]!;
      const { subject } = ask('a');
      const used = async () => (await limiter.look(limit, subject)).before;
      await passed(limiter, 7, ask('a'));
      clock.seconds(600);
      await passed(limiter, 5, ask('a'));
      const isRolling = limit.algorithm === 'rolling';
      const put = (first: number, second: number, mayFall: boolean) => {
        const parts = [
          [START_US, isRolling ? first : first + second],
          [START_US + 600_000_000, second],
          // A part that has not begun.
          [START_US + 1_200_000_000, 50],
        ] as const;
        return limiter.put(limit, subject, parts.slice(0, isRolling ? 3 : 1), mayFall);
      };
      expect(await put(3, 5, false)).toEqual({ before: 12, after: 12 });
      expect(await put(20, 5, false)).toEqual({ before: 12, after: 25 });
      expect(await used()).toBe(25);
      // The part under way, of which calls may still be on their way, stays.
      expect(await put(2, 1, true)).toEqual({ before: 25, after: isRolling ? 7 : 3 });
      expect(await passed(limiter, 100, ask('a'))).toBe(isRolling ? 93 : 97);
      clock.seconds(3_600);
      if (isRolling) expect(await used()).toBe(98);
      // Somebody who was never seen before.
      expect(await limiter.put(limit, ask('b').subject, [[START_US, 4]], false)).toMatchObject({ before: 0 });
    },
  );

  it('gives back of a rate no more than has not drained', async () => {
    const { clock, limiter } = await world(
      policy('p', 'per: [tenant]', 'id: a, amount: 10, rate: { per: 10s, burst: 10 }'),
    );
    const first = await limiter.decide(ask('a', 10, hold('x')));
    clock.seconds(4);
    await limiter.settle(first.reservation!, 'release', null, null);
    expect(await passed(limiter, 20, ask('a'))).toBe(10);
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
    const money = 'id: a, amount: "1.00", money: { currency: USD }, window: { calendar: day }';
    const clock = new Clock();
    const rated = () => ({ amountAtto: 300_000_000_000_000_000n, currency: 'USD' }) as never;
    const limiter = limiterOf(await engine.fresh(clock), clock, policy('p', 'per: [tenant]', money), rated);
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
