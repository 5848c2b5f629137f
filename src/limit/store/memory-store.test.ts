import { expect, it } from 'vitest';
import { Limiter } from '../limit.ts';
import { compilePolicies } from '../policy/compile.ts';
import { limitPolicySpec } from '../policy/policy.ts';
import { subjectOf } from '../subject.ts';
import { MemoryStore } from './memory-store.ts';

const limits = [
  { id: 'minute', amount: 2, window: { fixed: '60s' } },
  { id: 'flight', amount: 9, concurrency: true },
];

function opened(mostKeys: number, mostHeld: number, otherwise = {}, given?: MemoryStore) {
  const clock = { us: Date.UTC(2026, 5, 1) * 1000 };
  const nowUs = () => clock.us;
  const store = given ?? new MemoryStore({ nowUs, mostKeys, mostHeld });
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

/** Looking for idle counters takes two seconds of its clock. */
class SlowStore extends MemoryStore {
  sweeps = 0;
  readonly #clock: { us: number };

  constructor(clock: { us: number }) {
    super({ nowUs: () => clock.us, mostKeys: 100, mostHeld: 10 });
    this.#clock = clock;
  }

  override *allRecords() {
    this.sweeps++;
    this.#clock.us += 2_000_000;
    yield* super.allRecords();
  }
}

it('when it is full, spends a small part of its time on looking for idle counters', async () => {
  const clock = { us: Date.UTC(2026, 5, 1) * 1000 };
  const store = new SlowStore(clock);
  const { limiter } = opened(100, 10, {}, store);
  const startedUs = clock.us;
  for (let made = 0; clock.us < startedUs + 3_600_000_000; made++) {
    await limiter.decide(ask(`c${made}`));
    clock.us += 100_000;
  }
  expect(store.sweeps).toBeGreaterThan(10);
  expect(store.sweeps * 2).toBeLessThanOrEqual(3_600 / 10);
  expect(store.keys).toBeGreaterThan(10);
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
