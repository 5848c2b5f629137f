import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attoFromDecimal } from './decimal.ts';
import { RetryBudget } from './retry-budget.ts';
import { RollingSum } from './rolling-sum.ts';
import { VendorQuota } from './vendor-quota.ts';

describe('a budget of retries', () => {
  test('allows at most so many, and a share of what succeeded', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1000 }),
        fc.nat(20),
        fc.array(fc.boolean(), { maxLength: 300 }),
        (thousandths, most, steps) => {
          const budget = new RetryBudget({ perSuccess: thousandths / 1000, most });
          let [retries, successes] = [0, 0];
          for (const isSuccess of steps) {
            if (isSuccess) {
              budget.succeeded();
              successes += 1;
            } else if (budget.take()) retries += 1;
            expect(retries * 1000).toBeLessThanOrEqual(most * 1000 + thousandths * successes);
          }
        },
      ),
    );
  });

  test('is used up when nothing succeeds, and comes back with what does', () => {
    const budget = new RetryBudget({ perSuccess: 0.1, most: 3 });
    expect([1, 2, 3, 4].map(() => budget.take())).toEqual([true, true, true, false]);
    for (let i = 0; i < 10; i++) budget.succeeded();
    expect([budget.take(), budget.take()]).toEqual([true, false]);
  });
});

describe('a rolling sum', () => {
  const steps = fc.array(fc.tuple(fc.nat(2_000), fc.nat(400), fc.integer({ min: -100, max: 0 })), { maxLength: 120 });

  test('admits no more than its most in any stretch as long as its window, also when a part is given back', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 64, max: 20_000 }), (takes, windowMs) => {
        const most = 1_000;
        const sum = new RollingSum(BigInt(most), windowMs);
        const taken: { atMs: number; amount: number }[] = [];
        let nowMs = 1_000_000;
        for (const [passedMs, amount, change] of takes) {
          nowMs += passedMs;
          if (!sum.take(BigInt(amount), nowMs)) continue;
          const givenBack = Math.max(change, -amount);
          sum.correct(BigInt(givenBack), nowMs, nowMs);
          taken.push({ atMs: nowMs, amount: amount + givenBack });
          const within = taken.filter(({ atMs }) => nowMs - atMs < windowMs);
          expect(within.reduce((total, each) => total + each.amount, 0)).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  test('what is given back late makes no room once it was over anyway', () => {
    const sum = new RollingSum(10n, 6_400);
    expect(sum.take(10n, 0)).toBe(true);
    expect(sum.take(1n, 6_000)).toBe(false);
    sum.correct(-4n, 0, 6_000);
    expect(sum.take(4n, 6_000)).toBe(true);
    expect(sum.take(10n, 7_000)).toBe(false);
    expect(sum.take(6n, 7_000)).toBe(true);
    sum.correct(-6n, 0, 20_000);
    expect(sum.take(11n, 20_000)).toBe(false);
    expect(sum.take(10n, 20_000)).toBe(true);
  });

  test('says when something is given back', () => {
    const sum = new RollingSum(10n, 6_400);
    expect(sum.freesInMs(0)).toBe(0);
    sum.take(10n, 1_000);
    const inMs = sum.freesInMs(3_000);
    expect(sum.take(1n, 3_000 + inMs - 1)).toBe(false);
    expect(sum.take(1n, 3_000 + inMs)).toBe(true);
  });
});

describe("a vendor's quota", () => {
  test('after r are left, at most r - keep more are sent until the reset', () => {
    const action = fc.oneof(fc.constant('send' as const), fc.nat(20));
    fc.assert(
      fc.property(fc.nat(3), fc.array(action, { maxLength: 100 }), (keep, actions) => {
        const quota = new VendorQuota(keep);
        // The vendor counts each request when it answers it; what is left there never falls below what we keep.
        const underway: number[] = [];
        let left = 25;
        quota.hear(quota.send(), { left, resetMs: 1_000_000 }, 0, 0);
        for (const each of actions) {
          if (each === 'send') {
            if (quota.opensAtMs(1) > 1) continue;
            underway.push(quota.send());
          } else if (underway.length > 0) {
            const [number] = underway.splice(each % underway.length, 1);
            left -= 1;
            quota.hear(number!, { left, resetMs: 1_000_000 }, 0, 1);
          }
          expect(left - underway.length).toBeGreaterThanOrEqual(Math.min(keep, 25));
        }
      }),
    );
  });

  test('after the reset one goes ahead, and the others follow its answer', () => {
    const quota = new VendorQuota(0);
    quota.hear(quota.send(), { left: 0, resetMs: 1_000 }, 0, 0);
    expect(quota.opensAtMs(999)).toBe(1_000);
    expect(quota.opensAtMs(1_000)).toBe(1_000);
    const ahead = quota.send();
    expect(quota.opensAtMs(1_001)).toBeGreaterThan(1_001);
    quota.hear(ahead, { left: 2, resetMs: 1_000 }, 0, 1_002);
    expect([quota.opensAtMs(1_002), quota.send()].length).toBe(2);
    expect(quota.opensAtMs(1_002)).toBe(1_002);
    quota.send();
    expect(quota.opensAtMs(1_002)).toBe(2_002);
  });

  test('one that went ahead and got no answer makes way for the next', () => {
    const quota = new VendorQuota(0);
    quota.hear(quota.send(), { left: 0, resetMs: 10 }, 0, 0);
    quota.hear(quota.send(), null, 0, 20);
    expect(quota.opensAtMs(20)).toBe(20);
  });

  test('Retry-After holds whatever is left', () => {
    const quota = new VendorQuota(0);
    quota.hear(quota.send(), { left: 9, resetMs: 10 }, 5_000, 0);
    expect([quota.opensAtMs(0), quota.opensAtMs(5_000)]).toEqual([5_000, 5_000]);
  });
});

describe('prices', () => {
  test.each([
    ['0', 0n],
    ['1', 10n ** 18n],
    ['0.000000000000000001', 1n],
    ['12.5', 125n * 10n ** 17n],
  ])('%s', (text, atto) => {
    expect(attoFromDecimal(text)).toBe(atto);
  });

  test.each(['', '-1', '1e3', '.5', '1.', '0.0000000000000000001', ' 1', 'NaN'])('%j is none', (text) => {
    expect(() => attoFromDecimal(text)).toThrow(TypeError);
  });
});
