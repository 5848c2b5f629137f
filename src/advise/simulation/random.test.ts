import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random, runningSums } from './random.ts';
import { seasonAt } from './season.ts';
import { tenantsOf } from './tenants.ts';

describe('a seeded stream', () => {
  it('gives the same values for the same seed and key, others for another', () => {
    const draw = (...key: (string | number)[]) => new Random('seed', ...key).hex(64);
    expect(draw('a', 1)).toBe(draw('a', 1));
    expect(
      new Set([draw('a', 1), draw('a', 2), draw('a,1'), draw('a1'), new Random('other', 'a', 1).hex(64)]).size,
    ).toBe(5);
  });

  it('picks every weight as often as its share, never one of zero', () => {
    const random = new Random('pick');
    const weights = [0, 6, 3, 0, 1, 0];
    const hits = weights.map(() => 0);
    for (let i = 0; i < 20_000; i++) hits[random.pick(runningSums(weights))]! += 1;
    expect(hits.map((count) => Math.round((count / 20_000) * 10))).toEqual(weights);
  });

  it('counts on average what is expected', () => {
    const random = new Random('count');
    const total = Array.from({ length: 20_000 }, () => random.count(2.3)).reduce((sum, count) => sum + count, 0);
    expect(total / 20_000).toBeCloseTo(2.3, 1);
  });

  it('writes ids of the asked length', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 80 }), (seed, digits) => {
        expect(new Random(seed).hex(digits)).toMatch(new RegExp(`^(?=.*[^0])[0-9a-f]{${digits}}$`));
      }),
    );
  });
});

it('the season has mean 1 over any week', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30_000 }), (day) => {
      const minutes = Array.from({ length: 7 * 1440 }, (_, i) => seasonAt(day * 86_400_000 + i * 60_000));
      expect(minutes.reduce((sum, factor) => sum + factor, 0) / minutes.length).toBeCloseTo(1, 2);
    }),
    { numRuns: 10 },
  );
});

it('tenants have names of their own and shares of one whole', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), (count) => {
      const tenants = tenantsOf(count, true);
      expect(new Set(tenants.map(({ name }) => name)).size).toBe(count);
      expect(tenants.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    }),
  );
});
