import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { Limiter } from '../limit.ts';
import { compilePolicies } from '../policy/compile.ts';
import { limitPolicySpec } from '../policy/policy.ts';
import { subjectOf } from '../subject.ts';
import { CounterTable } from './counter-table.ts';
import { MemoryStore } from './memory-store.ts';

const limits = [
  { id: 'minute', amount: 2, window: { fixed: '60s' } },
  { id: 'flight', amount: 9, concurrency: true },
];

function opened(mostKeys: number, mostHeld: number, otherwise = {}, sweepAtOnce?: number) {
  const clock = { us: Date.UTC(2026, 5, 1) * 1000 };
  const nowUs = () => clock.us;
  const more = sweepAtOnce === undefined ? {} : { sweepAtOnce };
  const store = new MemoryStore({ nowUs, mostKeys, mostHeld, ...more });
  const limiter = new Limiter({ store, nowUs, ratedCostOf: () => null, warn: () => undefined });
  const spec = limitPolicySpec.parse({ per: ['tenant', 'consumer'], limits, ...otherwise });
  limiter.usePolicies(compilePolicies([{ name: 'p', version: 1, spec }], new Map()));
  return { clock, store, limiter };
}

const ask = (consumer: string, id?: string) => ({
  ...{ subject: subjectOf({ tenant: 'a', consumer }), units: 1, money: null, least: 0, isPeek: false },
  hold: id === undefined ? null : { id, ttlUs: 3_600_000_000, fingerprint: '' },
});

it('refuses new names when it is full, goes on with known ones, and forgets idle ones', async () => {
  const { clock, store, limiter } = opened(100, 10);
  let made = 0;
  await limiter.decide(ask('held', 'one'));
  for (let last = 'allowed'; last === 'allowed'; ) last = (await limiter.decide(ask(`c${made++}`))).reason;
  expect(await limiter.decide(ask('new'))).toMatchObject({ isAllowed: false, reason: 'store_full' });
  // Looking needs no room.
  expect((await limiter.decide({ ...ask('new'), isPeek: true })).findings).toHaveLength(2);
  expect(store.keys).toBeLessThanOrEqual(100);
  expect(await limiter.decide(ask('c0'))).toMatchObject({ isAllowed: true });
  expect(await limiter.decide(ask('c0'))).toMatchObject({ isAllowed: false });
  clock.us += 60_000_000;
  const later = await limiter.decide(ask('late'));
  expect(later).toMatchObject({ isAllowed: true });
  expect(store.keys).toBeLessThan(20);
  const held = await limiter.decide(ask('held'));
  expect(held.findings.map(({ outcome }) => outcome.before)).toEqual([0, 1]);
});

it('refuses more reservations than it may keep, and takes nothing of them', async () => {
  const { limiter } = opened(10_000, 3);
  for (const id of ['1', '2', '3']) await limiter.decide(ask(id, id));
  expect(await limiter.decide(ask('4', '4'))).toMatchObject({ isAllowed: false, reason: 'store_full' });
  const next = await limiter.decide(ask('4'));
  expect(next.findings.map(({ outcome }) => outcome.before)).toEqual([0, 0]);
});

it('remembers a reservation for ten minutes after its end, however long it might have been held', async () => {
  const { clock, limiter } = opened(10_000, 3);
  // Each might be held for an hour; there is room for three.
  for (let call = 0; call < 30; call++) {
    const { reservation, reason } = await limiter.decide(ask(`c${call}`, `${call}`));
    expect(reason).toBe('allowed');
    expect(await limiter.settle(reservation!, 'commit', null, null)).toBe('done');
    clock.us += 200_000_000;
    expect(await limiter.settle(reservation!, 'commit', null, null)).toBe('already');
    if (call >= 3) expect(await limiter.settle(`YQ.${call - 3}`, 'commit', null, null)).toBe('unknown');
  }
  // What nobody ends expires, and is remembered as long.
  const { reservation } = await limiter.decide(ask('late', 'late'));
  clock.us += 3_600_000_000 + 599_000_000;
  expect(await limiter.settle(reservation!, 'commit', null, null)).toBe('expired');
  clock.us += 1_000_000;
  expect(await limiter.settle(reservation!, 'commit', null, null)).toBe('unknown');
});

it('when it is full, passes what is new up to the local cap of policies that are open, and decides known names exactly', async () => {
  const { clock, store, limiter } = opened(100, 10, { onStoreFailure: 'open', localCap: 3 });
  let made = 0;
  for (let last = 'allowed'; last === 'allowed'; ) last = (await limiter.decide(ask(`c${made++}`))).reason;
  const passes = [];
  for (let call = 0; call < 4; call++) passes.push((await limiter.decide(ask(`d${call}`))).isAllowed);
  // One of three was the first for which there was no room.
  expect(passes).toEqual([true, true, false, false]);
  expect((await limiter.decide(ask('c0'))).isAllowed).toBe(true);
  expect(await limiter.decide(ask('c0'))).toMatchObject({ isAllowed: false, reason: 'over_limit' });
  expect(limiter.counts).toMatchObject({ failedOpen: 3, failedClosed: 2 });
  clock.us += 60_000_000;
  expect(await limiter.decide(ask('d0'))).toMatchObject({ isAllowed: true, reason: 'allowed' });
  expect(store.keys).toBeLessThan(20);
});

it.each([
  ['calendar: day', '2026-06-01', '2026-06-02', 40],
  // 25 hours.
  ['calendar: day, zone: Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', 40],
  ['calendar: week', '2026-06-01', '2026-06-08', 40],
  ['calendar: month', '2026-07-01', '2026-08-01', 40],
  ['calendar: month, zone: Europe/Berlin', '2026-09-30T22:00:00Z', '2026-10-31T23:00:00Z', 40],
  // Of somebody whose day is not known it is counted from the first of January 1970.
  ['calendar: anniversary', '2026-07-01', '2026-08-01', 40],
  ['calendar: anniversary, every: year', '2028-01-01', '2029-01-01', 400],
  ['calendar: year', '2028-01-01', '2029-01-01', 400],
])(
  'has for a window of %s from %s to %s its counters, and room for others %i days later',
  async (rule, from, to, days) => {
    const window = Object.fromEntries(rule.split(', ').map((each) => each.split(': ')));
    const { clock, limiter } = opened(100, 10, { limits: [{ id: 'a', amount: 2, window }] });
    clock.us = Date.parse(from) * 1000;
    let made = 0;
    for (let last = 'allowed'; last === 'allowed'; ) last = (await limiter.decide(ask(`c${made++}`))).reason;
    clock.us = Date.parse(to) * 1000 - 1;
    expect((await limiter.decide(ask('late'))).reason).toBe('store_full');
    expect((await limiter.decide({ ...ask('c0'), isPeek: true })).findings[0]!.outcome.before).toBe(1);
    clock.us = (Date.parse(from) + days * 86_400_000) * 1000;
    expect((await limiter.decide(ask('late'))).reason).toBe('allowed');
  },
);

const turn = () => new Promise((done) => setImmediate(done));

it('when it is full, does not look for idle counters again and again', async () => {
  const { clock, limiter, store } = opened(100, 10);
  const looks = vi.spyOn(CounterTable.prototype, 'usedChunks');
  const startedUs = clock.us;
  for (let made = 0; clock.us < startedUs + 3_600_000_000; made++) {
    await limiter.decide(ask(`c${made}`));
    clock.us += 100_000;
  }
  const [each, sweeps] = [limits.length, looks.mock.calls.length];
  looks.mockRestore();
  expect(sweeps).toBeGreaterThan(10 * each);
  expect(sweeps).toBeLessThanOrEqual((3_600 / 2) * each);
  expect(store.keys).toBeGreaterThan(10);
});

it('looks for idle counters some at a time: decisions are made meanwhile, and none waits for all', async () => {
  const { clock, store, limiter } = opened(1_000, 10, {}, 10);
  for (let made = 0; made < 500; made++) await limiter.decide(ask(`idle${made}`));
  clock.us += 60_000_000;
  const { reservation } = await limiter.decide(ask('held', 'one'));
  for (let made = 0; store.keys < 900; made++) await limiter.decide(ask(`used${made}`));
  const full = store.keys;
  await turn();
  const rows = vi.spyOn(CounterTable.prototype, 'record');
  let decisions = 0;
  for (; store.keys >= full && decisions < 1_000; decisions++) {
    const before = rows.mock.calls.length;
    // Each changes a counter that may have been looked at already.
    expect((await limiter.decide(ask(`late${decisions}`))).reason).toBe('allowed');
    if (decisions === 20) await limiter.settle(reservation!, 'release', null, null);
    await turn();
    expect(rows.mock.calls.length - before).toBeLessThan(40);
  }
  rows.mockRestore();
  expect(decisions).toBeGreaterThan(30);
  expect(store.keys).toBeLessThan(full);
  const used = async (name: string) =>
    (await limiter.decide({ ...ask(name), isPeek: true })).findings.map(({ outcome }) => outcome.before);
  for (let made = 0; made < decisions; made++) expect(await used(`late${made}`)).toEqual([1, 0]);
  expect([await used('held'), await used('used0'), await used('idle0')]).toEqual([
    [0, 0],
    [1, 0],
    [0, 0],
  ]);
});

const act = fc.record({
  what: fc.constantFrom('take', 'take', 'take', 'hold', 'settle', 'wait', 'turn'),
  who: fc.nat(78),
  seconds: fc.nat(20),
});

it('decides as one that never looks for idle counters', async () => {
  let shrunk = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 200, maxLength: 600 }), async (acts) => {
      const one = opened(100, 1_000, {}, 20);
      const other = opened(100_000, 1_000);
      let last: string | null = null;
      let before = 0;
      for (const [place, { what, who, seconds }] of acts.entries()) {
        if (one.store.keys < before) shrunk++;
        before = one.store.keys;
        if (what === 'turn') await turn();
        if (what === 'wait') for (const { clock } of [one, other]) clock.us += seconds * 1_000_000;
        if (what === 'settle' && last !== null) {
          const settled = [one, other].map(({ limiter }) => limiter.settle(last!, 'commit', 2, null));
          expect(await settled[0]).toBe(await settled[1]);
        }
        if (what !== 'take' && what !== 'hold') continue;
        const asked = ask(`c${who}`, what === 'hold' ? String(place) : undefined);
        const [mine, its] = await Promise.all([one, other].map(({ limiter }) => limiter.decide(asked)));
        expect(mine!.findings.map(({ outcome }) => ({ ...outcome }))).toEqual(
          its!.findings.map(({ outcome }) => ({ ...outcome })),
        );
        last = mine!.reservation ?? last;
      }
    }),
    { numRuns: 40, endOnFailure: true },
  );
  expect(shrunk).toBeGreaterThan(0);
});

it('lets long names take the room that they need', async () => {
  const { store, limiter } = opened(1_000, 10);
  let made = 0;
  const long = () => `${made++}`.padStart(512, 'x');
  for (let last = 'allowed'; last === 'allowed'; ) last = (await limiter.decide(ask(long()))).reason;
  expect(made).toBeLessThan(120);
  expect(store.keys).toBeLessThanOrEqual(1_000);
});

it('says how full it is, and forgets what nobody asks for again', async () => {
  const { clock, store, limiter } = opened(1_000, 3);
  const [first, second] = [await limiter.decide(ask('a', '1')), await limiter.decide(ask('b', '2'))];
  expect(store.kept).toEqual({ keys: 3, mostKeys: 1_000, held: 2, remembered: 0, mostHeld: 3 });
  await limiter.settle(first.reservation!, 'commit', null, null);
  expect(store.kept).toMatchObject({ held: 1, remembered: 1 });
  expect(await limiter.settle(second.reservation!, 'commit', null, null, true)).toBe('done');
  expect(store.kept).toMatchObject({ held: 0, remembered: 1 });
  await limiter.decide(ask('c', '3'));
  clock.us += 3_600_000_000;
  await limiter.decide(ask('c'));
  expect(store.kept).toMatchObject({ held: 0, remembered: 1 });
});

it('counts as changed after a look for idle counters only what was changed before and not given yet', async () => {
  const { clock, store, limiter } = opened(100, 10);
  store.keepChanges();
  for (let made = 0; made < 40; made++) await limiter.decide(ask(`early${made}`));
  clock.us += 30_000_000;
  const given = store.changedRecords(1_000);
  expect(given).toHaveLength(40);
  await limiter.decide(ask('early0'));
  clock.us += 30_000_000;
  for (let made = 0; made < 30; made++) await limiter.decide(ask(`late${made}`));
  expect(store.changedRecords(10)).toHaveLength(10);
  for (let made = 0; store.keys > 60; made++) await limiter.decide(ask(`last${made}`));
  const names = store.changedRecords(1_000).map(([, [, , consumer]]) => consumer);
  // The last ten of the late ones were given before, and the early ones longer ago; of early0 there was a word to give.
  expect(names.filter((name) => /^early/.test(name!))).toEqual(['early0']);
  expect(names.filter((name) => /^late/.test(name!))).toHaveLength(20);
});
