import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PastValue, profileOf } from './profile.ts';

const usual = [100, 110, 120, 110, 100, 40, 30];

/** Weeks of days, the last one just before now. */
function weeks(count: number, valueAt: (slot: number, week: number) => number): PastValue[] {
  return Array.from({ length: count }, (_, place) => place - count).flatMap((week) =>
    usual.map((_, slot) => ({ slot, week, value: valueAt(slot, week), noise: 0 })),
  );
}

const wobble = (slot: number, week: number) => ((slot * 7 + week * 13) % 5) - 2;

describe('what is usual', () => {
  test('is the median of each day of the week, with a range around it', () => {
    const { slots, weeks: known } = profileOf(weeks(26, (slot, week) => usual[slot]! + wobble(slot, Math.abs(week))));
    expect(known).toBe(26);
    usual.forEach((value, slot) => {
      const range = slots.get(slot)!;
      expect(Math.abs(range.expected - value)).toBeLessThanOrEqual(1);
      expect(range.low).toBeLessThanOrEqual(value - 2);
      expect(range.high).toBeGreaterThanOrEqual(value + 2);
      expect(range.values).toBe(26);
    });
  });

  test('is not moved by a few wild weeks', () => {
    const calm = profileOf(weeks(30, (slot) => usual[slot]!));
    const wild = profileOf(weeks(30, (slot, week) => (week % 10 === 0 ? 50 : 1) * usual[slot]!));
    for (const slot of usual.keys()) expect(wild.slots.get(slot)!.expected).toBe(calm.slots.get(slot)!.expected);
  });

  test('is not known of fewer than eight values', () => {
    expect(profileOf(weeks(7, (slot) => usual[slot]!)).slots.size).toBe(0);
    expect(profileOf(weeks(8, (slot) => usual[slot]!)).slots.size).toBe(7);
    expect(profileOf([])).toEqual({ slots: new Map(), trend: null, weeks: 0 });
  });

  test('is no narrower than chance, nor beyond what can be', () => {
    const past = weeks(20, () => 0.99).map((value) => ({ ...value, noise: 0.1 }));
    const { low, high, expected } = profileOf(past, 1).slots.get(0)!;
    expect({ expected, high }).toEqual({ expected: 0.99, high: 1 });
    expect(low).toBeCloseTo(0.69, 9);
  });

  test('goes on with a drift: what was usual at another level is moved to that of now', () => {
    const growing = weeks(39, (slot, week) => usual[slot]! * (1 + 0.02 * (week + 39)));
    const { slots, trend } = profileOf(growing);
    expect(trend!.pValue).toBeLessThan(0.001);
    usual.forEach((value, slot) => {
      expect(slots.get(slot)!.expected / (value * (1 + 0.02 * 39))).toBeCloseTo(1, 1);
    });
  });

  test('is multiplied with its values', () => {
    const scaled = fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 8, max: 30 }), (factor, count) => {
      const value = (slot: number, week: number) => usual[slot]! + wobble(slot, Math.abs(week));
      const one = profileOf(weeks(count, value));
      const many = profileOf(weeks(count, (slot, week) => factor * value(slot, week)));
      for (const [slot, range] of one.slots) {
        expect(many.slots.get(slot)!.expected).toBeCloseTo(factor * range.expected, 6);
        expect(many.slots.get(slot)!.high).toBeCloseTo(factor * range.high, 6);
      }
    });
    fc.assert(scaled, { numRuns: 100, seed: 73 });
  });

  test('a week of which little is known has no level', () => {
    const past = weeks(20, (slot) => usual[slot]!).filter(({ week, slot }) => week !== -3 || slot < 2);
    expect(profileOf(past).weeks).toBe(19);
  });
});
