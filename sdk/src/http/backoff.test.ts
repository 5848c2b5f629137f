import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { backoffMs } from './backoff.ts';
import { retryAfterMs } from './retry-after.ts';

afterEach(() => void vi.unstubAllEnvs());

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('waiting before an attempt is repeated', () => {
  const config = { baseMs: 100, mostMs: 5_000 };

  test('is never sooner than was asked for, and never longer than the most beyond it', () => {
    fc.assert(
      fc.property(fc.nat(2_000), random, fc.nat(100_000), (attempt, chance, asked) => {
        const waitMs = backoffMs(config, attempt, chance, asked);
        expect(waitMs).toBeGreaterThanOrEqual(asked);
        expect(waitMs).toBeLessThanOrEqual(asked + config.mostMs);
        expect(Number.isInteger(waitMs)).toBe(true);
      }),
    );
  });

  test('is spread over all of its time, which doubles', () => {
    for (const [attempt, ceiling] of [
      [0, 100],
      [1, 200],
      [3, 800],
      [9, 5_000],
    ] as const) {
      const waits = Array.from({ length: 100 }, (_, i) => backoffMs(config, attempt, i / 100));
      expect([Math.min(...waits), Math.max(...waits)]).toEqual([0, Math.floor(0.99 * ceiling)]);
      expect(new Set(waits).size).toBeGreaterThan(90);
    }
  });
});

describe('Retry-After', () => {
  const nowMs = Date.UTC(2026, 5, 1, 12);
  test.each([
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7_000],
    ['Mon, 01 Jun 2026 12:00:30 GMT', 30_000],
    ['Mon, 01 Jun 2026 11:00:00 GMT', 0],
    ['Monday, 01-Jun-26 12:00:30 GMT', 30_000],
    ['Mon Jun  1 12:00:30 2026', 30_000],
    ['9999999999', 366 * 86_400_000],
    ['-1', null],
    ['1.5', null],
    ['2026', 2_026_000],
    ['soon', null],
    ['2026-06-01T12:00:30Z', null],
    ['', null],
    [null, null],
  ])('%s', (value, ms) => {
    for (const zone of ['UTC', 'America/New_York']) {
      vi.stubEnv('TZ', zone);
      expect(retryAfterMs(value, nowMs)).toBe(ms);
    }
  });
});
