import { expect, it } from 'vitest';
import { Limiter } from './limit.ts';
import { compilePolicies } from './policy/compile.ts';
import { limitPolicySpec } from './policy/policy.ts';
import { MemoryStore } from './store/memory-store.ts';
import { subjectOf } from './subject.ts';

const MINUTE = 60_000_000;

/** Traffic that tries to get as much as possible through any 60 seconds: how many calls at which microsecond. */
const traffics: Record<string, readonly (readonly [us: number, calls: number])[]> = {
  'both sides of an edge': [
    [MINUTE - 1, 3_000],
    [MINUTE, 3_000],
  ],
  'a burst, then all that comes free': [
    [1, 3_000],
    ...Array.from({ length: 600 }, (_, i) => [1 + (i + 1) * 100_000, 50] as const),
  ],
  'every millisecond': Array.from({ length: 120_000 }, (_, i) => [i * 1_000, 1] as const),
  'at the ends of parts': Array.from({ length: 400 }, (_, i) => [(i + 1) * 625_000 - 1, 3_000] as const),
};

/** The most that was admitted in any stretch (t - 60 s, t]. */
function worst(limit: object, traffic: readonly (readonly [number, number])[]): number {
  let us = 0;
  const nowUs = () => us;
  const store = new MemoryStore({ nowUs, mostKeys: 10, mostHeld: 1 });
  const limiter = new Limiter({ store, nowUs, ratedCostOf: () => null, warn: () => undefined });
  const spec = limitPolicySpec.parse({ limits: [{ id: 'a', amount: 1_000, ...limit }] });
  limiter.usePolicies(compilePolicies([{ name: 'p', version: 1, spec }], new Map()));
  const one = { subject: subjectOf({ tenant: 'a' }), units: 1, money: null, least: 0, isPeek: false, hold: null };
  const admitted: [number, number][] = [];
  // Far from 1970, where windows begin.
  const beginUs = Date.UTC(2026, 5, 1) * 1000;
  for (const [at, calls] of traffic) {
    us = beginUs + at;
    let count = 0;
    for (let call = 0; call < calls; call++) {
      const decision = limiter.decide(one);
      if (decision instanceof Promise || !decision.isAllowed) break;
      count++;
    }
    if (count > 0) admitted.push([us, count]);
  }
  let [most, within, first] = [0, 0, 0];
  for (const [endUs, count] of admitted) {
    within += count;
    while (admitted[first]![0] <= endUs - MINUTE) within -= admitted[first++]![1];
    most = Math.max(most, within);
  }
  return most;
}

it.each([
  // The rows of docs/guides/limit-calls.md.
  ['fixed', { window: { fixed: '60s' } }, 2_000],
  ['a rate with a burst of its amount', { rate: { per: '60s', burst: 1_000 } }, 1_999],
  ['a rate with a small burst', { rate: { per: '60s', burst: 20 } }, 1_019],
  ['rolling', { window: { rolling: '60s' } }, 1_000],
  ['rolling by seven parts', { window: { rolling: '60s', parts: 7 } }, 1_000],
])('%s: the worst 60 seconds of 1,000 a minute', (_, limit, most) => {
  const seen = Object.fromEntries(Object.entries(traffics).map(([name, traffic]) => [name, worst(limit, traffic)]));
  expect(Math.max(...Object.values(seen)), JSON.stringify(seen)).toBe(most);
});
