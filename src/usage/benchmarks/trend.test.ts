import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { median, SIGNIFICANT, trendOf } from './trend.ts';

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 6, maxLength: 30 });
const pointsOf = (list: readonly number[]) => list.map((value, at) => ({ at, value }));

describe('the median', () => {
  test.each([
    [[3], 3],
    [[1, 2], 1.5],
    [[9, 1, 5], 5],
    [[1, 1, 1, 100], 1],
  ])('of %j is %d', (list, middle) => {
    expect(median(list)).toBe(middle);
  });

  test('of nothing is not known', () => {
    expect(median([])).toBeNull();
  });
});

describe('a trend', () => {
  test('is not known of fewer than six points', () => {
    expect(trendOf(pointsOf([1, 2, 3, 4, 5]))).toBeNull();
  });

  test('of a straight line is that line, and certain', () => {
    const line = fc.property(
      fc.integer({ min: -1000, max: 1000 }),
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 12, max: 40 }),
      (intercept, slope, length) => {
        const trend = trendOf(pointsOf(Array.from({ length }, (_, at) => intercept + slope * at)))!;
        expect({ slope: trend.slope, intercept: trend.intercept }).toEqual({ slope, intercept });
        expect(trend.pValue).toBeLessThan(0.001);
      },
    );
    fc.assert(line, { numRuns: 200, seed: 71 });
  });

  test('keeps its slope when a quarter of the values are wild', () => {
    const list = Array.from({ length: 24 }, (_, at) => (at % 4 === 1 ? 1e9 * (at % 8 === 1 ? 1 : -1) : 10 + 3 * at));
    expect(trendOf(pointsOf(list))!.slope).toBeCloseTo(3, 6);
  });

  test('turns around with time, as sure as before; moves with the values', () => {
    const turned = fc.property(values, fc.integer({ min: -1000, max: 1000 }), (list, more) => {
      const [trend, back, moved] = [
        trendOf(pointsOf(list))!,
        trendOf(pointsOf([...list].reverse()))!,
        trendOf(pointsOf(list.map((value) => value + more)))!,
      ];
      expect(back.slope).toBeCloseTo(-trend.slope, 3);
      expect(back.pValue).toBeCloseTo(trend.pValue, 6);
      expect(moved.slope).toBeCloseTo(trend.slope, 3);
      expect(trend.pValue).toBeGreaterThanOrEqual(0);
      expect(trend.pValue).toBeLessThanOrEqual(1);
    });
    fc.assert(turned, { numRuns: 200, seed: 72 });
  });

  test('of the same value again and again is none', () => {
    expect(trendOf(pointsOf(Array(20).fill(7)))).toMatchObject({ slope: 0, pValue: 1 });
  });

  test('is seen in noise about as often as it is said to be', () => {
    const random = generator(5);
    const seen = Array.from({ length: 400 }, () => trendOf(pointsOf(Array.from({ length: 39 }, random)))!);
    const share = seen.filter(({ pValue }) => pValue < SIGNIFICANT).length / seen.length;
    expect(share).toBeLessThan(0.08);
    expect(share).toBeGreaterThan(0.005);
  });

  test('is not seen much more often where each value takes over from the one before it', () => {
    const random = generator(6);
    const wander = () => {
      let so = 0;
      return Array.from({ length: 39 }, () => {
        so = 0.5 * so + random();
        return so;
      });
    };
    const share = Array.from({ length: 300 }, () => trendOf(pointsOf(wander()))!.pValue).filter((p) => p < SIGNIFICANT);
    // Without regard to it, it is about every fourth time.
    expect(share.length / 300).toBeLessThan(0.14);
  });
});

/** Numbers around 0, always the same ones. */
function generator(seed: number): () => number {
  let state = seed;
  const next = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  return () => next() + next() + next() - 1.5;
}
