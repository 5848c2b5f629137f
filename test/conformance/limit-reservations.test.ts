import { expect, it } from 'vitest';
import { LEASE } from '../../src/limit/index.ts';
import { onEveryStore, passed } from './limits/stores.ts';
import { ask, hold, policy, START_US } from './limits/world.ts';

onEveryStore('calls reserved', (world) => {
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
});
