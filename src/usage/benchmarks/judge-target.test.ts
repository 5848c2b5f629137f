import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeTarget } from './judge-target.ts';

const WEEK = 604_800_000;
const NOW = Date.UTC(2026, 9, 5);

/** Thirteen weeks that end now. */
function weeks(valueAt: (place: number) => number, count = 13) {
  return Array.from({ length: count }, (_, place) => ({
    at: NOW - (count - 1 - place) * WEEK,
    value: valueAt(place),
  }));
}
const falling = weeks((place) => 13 - place);
const flat = weeks((place) => 5 + (place % 2) * 0.1);

describe('a target', () => {
  test.each([
    ['is met and stays so', flat, 'atMost', 6, 10, 'met'],
    ['is not met and nothing moves', flat, 'atMost', 4, 10, 'off_track'],
    ['is not met yet, and the line gets there in time', falling, 'atMost', 0.5, 4, 'on_track'],
    ['is not met yet, and the line gets there too late', falling, 'atMost', 0, 0.5, 'off_track'],
    ['is met, and the line leads away from it', falling, 'atLeast', 0.5, 10, 'off_track'],
    ['was met when its day came', flat, 'atMost', 6, -1, 'met'],
    ['was not met when its day came', flat, 'atMost', 4, -1, 'missed'],
    ['is of a figure that nobody knows', [], 'atMost', 4, 10, 'unknown'],
    ['is not met, of a figure of which little is known', weeks(() => 9, 3), 'atMost', 4, 10, 'unknown'],
    ['is met, of a figure of which little is known', weeks(() => 3, 3), 'atMost', 4, 10, 'met'],
  ] as const)('%s', (_name, points, direction, aim, weeksLeft, state) => {
    const deadlineMs = NOW + weeksLeft * WEEK;
    expect(judgeTarget({ points, aim, direction, nowMs: NOW, deadlineMs }).state).toBe(state);
  });

  test('is reached on the day on which the line crosses it', () => {
    const judged = judgeTarget({
      points: falling,
      aim: 0.5,
      direction: 'atMost',
      nowMs: NOW,
      deadlineMs: NOW + 4 * WEEK,
    });
    expect(judged.reachedMs! - NOW).toBeCloseTo(0.5 * WEEK, -3);
    expect(judged.current).toBe(1);
  });

  test('no figure is projected below nothing', () => {
    const { projected } = judgeTarget({
      points: falling,
      aim: 0,
      direction: 'atMost',
      nowMs: NOW,
      deadlineMs: NOW + 90 * WEEK,
    });
    expect(projected).toBe(0);
  });

  test('is never judged worse for asking less', () => {
    const rank = { off_track: 0, missed: 0, unknown: 0, on_track: 1, met: 2 } as const;
    const lists = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 15 });
    const property = fc.property(
      lists,
      fc.nat(100),
      fc.nat(50),
      fc.integer({ min: -2, max: 30 }),
      (list, aim, easier, left) => {
        const points = weeks((place) => list[place]!, list.length);
        const ask = (of: number) =>
          judgeTarget({ points, aim: of, direction: 'atMost', nowMs: NOW, deadlineMs: NOW + left * WEEK }).state;
        expect(rank[ask(aim + easier)]).toBeGreaterThanOrEqual(rank[ask(aim)]);
      },
    );
    fc.assert(property, { numRuns: 500, seed: 74 });
  });
});
