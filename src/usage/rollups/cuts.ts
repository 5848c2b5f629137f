import type { Dimension } from '../sums/dimensions.ts';

/** A set of dimensions by which `usage_rollup` holds sums, in quarters of an hour or in UTC days. Zero is for markers. */
export interface Cut {
  readonly id: number;
  readonly grain: 'slot' | 'day';
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
];

/** The cut of a grain that can tell these dimensions apart with the fewest rows; undefined where there is none. */
export function cutFor(grain: Cut['grain'], needed: ReadonlySet<Dimension>): Cut | undefined {
  return cuts.find((cut) => cut.grain === grain && [...needed].every((name) => cut.by.includes(name)));
}
