import { expect, it } from 'vitest';
import { Limiter } from './limit.ts';
import { compilePolicies } from './policy/compile.ts';
import { limitPolicySpec } from './policy/policy.ts';
import type { CounterStore } from './store/counter-store.ts';
import { subjectOf } from './subject.ts';

/** Counters that never answer. */
const away = { decide: async () => Promise.reject(new Error('away')) } as unknown as CounterStore;

it('takes nothing of the local cap for who only looks, and counts no decision', async () => {
  const limiter = new Limiter({ store: away, nowUs: () => 0, ratedCostOf: () => null, warn: () => undefined });
  const limits = [{ id: 'a', amount: 9, window: { fixed: '60s' } }];
  const spec = limitPolicySpec.parse({ limits, onStoreFailure: 'open', localCap: 2 });
  limiter.usePolicies(compilePolicies([{ name: 'p', version: 1, spec }], new Map()));
  const ask = { subject: subjectOf({ tenant: 'a' }), units: 1, money: null, least: 0, isPeek: false, hold: null };
  for (let look = 0; look < 5; look++)
    expect(await limiter.decide({ ...ask, isPeek: true })).toMatchObject({
      ...{ isAllowed: true, reason: 'store_unavailable' },
    });
  expect(limiter.counts).toEqual({ allowed: 0, denied: 0, failedOpen: 0, failedClosed: 0 });
  const allowed = [];
  for (let call = 0; call < 3; call++) allowed.push((await limiter.decide(ask)).isAllowed);
  expect(allowed).toEqual([true, true, false]);
  expect(limiter.counts).toEqual({ allowed: 2, denied: 1, failedOpen: 2, failedClosed: 1 });
});
