import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Intervals } from './busy.ts';

type Pair = readonly [start: number, end: number];
const busyNanos = (durationNs: number, pairs: readonly Pair[]): number => {
  const children = new Intervals();
  for (const [start, end] of pairs) children.add(start, end);
  return children.busyNanos(durationNs);
};

describe('how long a span was busy itself', () => {
  it.each<readonly [string, number, readonly Pair[], number]>([
    ['no children', 10, [], 10],
    ['one child inside', 10, [[2, 5]], 7],
    [
      'two that overlap',
      10,
      [
        [2, 5],
        [4, 8],
      ],
      4,
    ],
    [
      'one inside the other',
      10,
      [
        [2, 8],
        [3, 4],
      ],
      4,
    ],
    ['one that starts before', 10, [[-5, 3]], 7],
    ['one that ends after', 10, [[8, 30]], 8],
    ['one that covers all', 10, [[-1, 11]], 0],
    [
      'one wholly before, one wholly after',
      10,
      [
        [-9, -1],
        [10, 20],
      ],
      10,
    ],
    ['one that ends before it starts', 10, [[6, 2]], 10],
    [
      'two that touch',
      10,
      [
        [2, 4],
        [4, 6],
      ],
      6,
    ],
    ['an end before its start', -5, [[-3, -2]], 0],
    ['no length', 0, [[0, 0]], 0],
  ])('%s', (_, duration, children, busy) => {
    expect(busyNanos(duration, children)).toBe(busy);
  });

  const pair = fc.tuple(fc.integer({ min: -20, max: 60 }), fc.integer({ min: -20, max: 60 }));
  const children = fc.array(pair, { maxLength: 8 });
  const duration = fc.integer({ min: -3, max: 40 });

  it('is the number of moments that no child covers', () => {
    fc.assert(
      fc.property(duration, children, (length, pairs) => {
        const moments = Array.from({ length: Math.max(0, length) }, (_, at) => at);
        const free = moments.filter((at) => !pairs.some(([start, end]) => start <= at && at < end));
        expect(busyNanos(length, pairs)).toBe(free.length);
      }),
    );
  });

  it('does not depend on the order of the children', () => {
    const shuffled = children.chain((pairs) =>
      fc.tuple(fc.constant(pairs), fc.shuffledSubarray(pairs, { minLength: pairs.length })),
    );
    fc.assert(
      fc.property(duration, shuffled, (length, [pairs, others]) => {
        expect(busyNanos(length, others)).toBe(busyNanos(length, pairs));
      }),
    );
  });
});
