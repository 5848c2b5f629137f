import type { Dimension } from '../sums/dimensions.ts';

/** How long a stretch one row of a cut is for: a quarter of an hour, or a day, week (from Monday) or month of UTC. */
export const rollupGrains = ['month', 'week', 'day', 'slot'] as const;
export type RollupGrain = (typeof rollupGrains)[number];

/** A set of dimensions by which `usage_rollup` holds sums, with the grain of its rows. Zero is for markers. */
export interface Cut {
  readonly id: number;
  readonly grain: RollupGrain;
  readonly by: readonly Dimension[];
}

/** The quarter of an hour: days and hours of every zone of today begin at one. */
export const SLOT_MS = 900_000;
export const DAY_MS = 86_400_000;

export const cuts: readonly Cut[] = [
  { id: 1, grain: 'slot', by: [] },
  { id: 2, grain: 'slot', by: ['endpoint'] },
  { id: 3, grain: 'slot', by: ['tenant'] },
  { id: 4, grain: 'day', by: ['tenant'] },
  { id: 5, grain: 'day', by: ['tenant', 'endpoint'] },
  { id: 6, grain: 'day', by: ['tenant', 'consumer'] },
  // Of what has the most rows a day, those that whole weeks and months come to: who is active goes by the same few again and again.
  { id: 7, grain: 'week', by: ['tenant', 'endpoint'] },
  { id: 8, grain: 'week', by: ['tenant', 'consumer'] },
  { id: 9, grain: 'month', by: ['tenant', 'consumer'] },
];

/**
 * The cut of a grain that can tell these dimensions apart with the fewest rows; undefined where there is none.
 * One of weeks or months is of the same dimensions as that of days: by more of them it could have more rows than the days.
 */
export function cutFor(grain: RollupGrain, needed: ReadonlySet<Dimension>): Cut | undefined {
  const found = cuts.find((cut) => cut.grain === grain && [...needed].every((name) => cut.by.includes(name)));
  if (grain === 'slot' || grain === 'day' || found === undefined) return found;
  const days = cutFor('day', needed)!;
  return cuts.find((cut) => cut.grain === grain && isSame(cut, days));
}

/** The cuts of weeks and months that days of this one add up to. */
export function longerCuts(days: Cut): readonly Cut[] {
  return cuts.filter((cut) => (cut.grain === 'week' || cut.grain === 'month') && isSame(cut, days));
}

function isSame(a: Cut, b: Cut): boolean {
  return a.by.join() === b.by.join();
}
