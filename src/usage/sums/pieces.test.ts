import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MILLIS_PER_HOUR } from '../../model/index.ts';
import { rollupGrains } from '../rollups/cuts.ts';
import { type Grain, piecesOf } from './pieces.ts';

const START = Date.UTC(2024, 0, 1);
const DAY = 86_400_000;
const units: readonly (readonly [Grain, (at: number) => boolean])[] = [
  ['month', (at) => at % DAY === 0 && new Date(at).getUTCDate() === 1],
  ['week', (at) => at % DAY === 0 && new Date(at).getUTCDay() === 1],
  ['day', (at) => at % DAY === 0],
  ['slot', (at) => at % 900_000 === 0],
  ['minute', (at) => at % 60_000 === 0],
  ['call', () => true],
];

test('pieces are the ranges, none twice, each on the bounds of its grain', () => {
  const length = fc.oneof(fc.nat(4 * DAY), fc.nat(70 * DAY), fc.constantFrom(DAY, 7 * DAY, 31 * DAY));
  const lengths = fc.array(fc.tuple(fc.nat(3 * DAY), length), { minLength: 1, maxLength: 5 });
  const grains = fc.record({ rollups: fc.subarray([...rollupGrains]), callsSince: fc.nat(10 * 24) });
  const property = fc.property(lengths, grains, (steps, { callsSince, rollups }) => {
    const ranges = spaced(START, steps);
    const pieces = piecesOf(ranges, { rollups, callsSinceMs: START + callsSince * MILLIS_PER_HOUR });
    for (const [grain, isBound] of units)
      for (const { fromMs, toMs } of pieces[grain])
        expect([grain, isBound(fromMs), isBound(toMs), fromMs < toMs]).toEqual([grain, true, true, true]);
    const joined = units.flatMap(([grain]) => pieces[grain]).sort((a, b) => a.fromMs - b.fromMs);
    expect(joined.slice(1).every((piece, place) => piece.fromMs >= joined[place]!.toMs)).toBe(true);
    const sum = (list: readonly { fromMs: number; toMs: number }[]) =>
      list.reduce((so, { fromMs, toMs }) => so + toMs - fromMs, 0);
    expect(sum(joined)).toBe(sum(ranges));
    for (const { fromMs, toMs } of joined)
      expect(
        ranges.some((range) => (range.fromMs <= fromMs && toMs <= range.toMs) || spans(ranges, fromMs, toMs)),
      ).toBe(true);
    for (const grain of rollupGrains) if (!rollups.includes(grain)) expect(pieces[grain]).toEqual([]);
    // Whatever a coarser grain could say is not left to a finer one.
    if (rollups.includes('month'))
      for (const { fromMs, toMs } of ranges)
        if (wholeMonths(fromMs, toMs) > 0)
          expect(pieces.month.some((piece) => overlaps(piece, fromMs, toMs))).toBe(true);
  });
  fc.assert(property, { numRuns: 300, seed: 21 });
});

function wholeMonths(fromMs: number, toMs: number): number {
  const [from, to] = [new Date(fromMs - 1), new Date(toMs)];
  return (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth() - 1;
}

function overlaps(piece: { fromMs: number; toMs: number }, fromMs: number, toMs: number): boolean {
  return piece.fromMs < toMs && fromMs < piece.toMs;
}

/** Ranges that touch make one piece. */
function spans(ranges: readonly { fromMs: number; toMs: number }[], fromMs: number, toMs: number): boolean {
  let at = fromMs;
  for (const range of ranges) if (range.fromMs <= at && at < range.toMs) at = range.toMs;
  return at >= toMs;
}

/** Ranges one behind the other. Takes  steps: how far from the last one, and how long. */
function spaced(start: number, steps: readonly (readonly [gap: number, length: number])[]) {
  let at = start;
  return steps.map(([gap, length]) => {
    const fromMs = at + gap;
    at = fromMs + length + 1;
    return { fromMs, toMs: at };
  });
}
