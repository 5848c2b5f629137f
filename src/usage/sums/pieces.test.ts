import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MILLIS_PER_HOUR } from '../../model/index.ts';
import { type Grain, piecesOf } from './pieces.ts';

const START = Date.UTC(2024, 0, 1);
const units: readonly [Grain, number][] = [
  ['day', 86_400_000],
  ['slot', 900_000],
  ['minute', 60_000],
  ['call', 1],
];

test('pieces are the ranges, none twice, each on the bounds of its grain', () => {
  const lengths = fc.array(fc.tuple(fc.nat(3 * 86_400_000), fc.nat(4 * 86_400_000)), { minLength: 1, maxLength: 5 });
  const grains = fc.record({ hasDays: fc.boolean(), hasSlots: fc.boolean(), callsSince: fc.nat(10 * 24) });
  const property = fc.property(lengths, grains, (steps, { callsSince, ...has }) => {
    const ranges = spaced(START, steps);
    const pieces = piecesOf(ranges, { ...has, callsSinceMs: START + callsSince * MILLIS_PER_HOUR });
    for (const [grain, size] of units)
      for (const { fromMs, toMs } of pieces[grain])
        expect([fromMs % size, toMs % size, fromMs < toMs]).toEqual([0, 0, true]);
    const joined = units.flatMap(([grain]) => pieces[grain]).sort((a, b) => a.fromMs - b.fromMs);
    expect(joined.slice(1).every((piece, place) => piece.fromMs >= joined[place]!.toMs)).toBe(true);
    const length = (list: readonly { fromMs: number; toMs: number }[]) =>
      list.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    expect(length(joined)).toBe(length(ranges));
    for (const { fromMs, toMs } of joined)
      expect(
        ranges.some((range) => (range.fromMs <= fromMs && toMs <= range.toMs) || spans(ranges, fromMs, toMs)),
      ).toBe(true);
    if (!has.hasDays) expect(pieces.day).toEqual([]);
  });
  fc.assert(property, { numRuns: 300, seed: 21 });
});

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
