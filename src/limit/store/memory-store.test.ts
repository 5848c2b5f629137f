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

function opened(mostKeys: number, mostHeld: number) {
  const clock = { us: Date.UTC(2026, 5, 1) * 1000 };
  const nowUs = () => clock.us;
  const store = new MemoryStore({ nowUs, mostKeys, mostHeld });
  const limiter = new Limiter({ store, nowUs, ratedCostOf: () => null, warn: () => undefined });
  const spec = limitPolicySpec.parse({ per: ['tenant', 'consumer'], limits });
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
  const fill = async () => {
    for (;;) await limiter.decide(ask(`c${made++}`));
  };
  await limiter.decide(ask('held', 'one'));
  await expect(fill()).rejects.toMatchObject({ code: 'LIMIT_KEYS_FULL' });
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
  expect(() => limiter.decide(ask('4', '4'))).toThrow(expect.objectContaining({ code: 'LIMIT_KEYS_FULL' }));
  const next = await limiter.decide(ask('4'));
  expect(next.findings.map(({ outcome }) => outcome.before)).toEqual([0, 0]);
});
