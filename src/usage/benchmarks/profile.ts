import { median, SIGNIFICANT, type Trend, trendOf } from './trend.ts';

/** A value of the past. */
export interface PastValue {
  /** Which hour or day of the week it is of. */
  readonly slot: number;
  /** How many weeks before what is judged: -1 is the week just before. */
  readonly week: number;
  readonly value: number;
  /** By how much such a value differs by chance alone. */
  readonly noise: number;
}

/** What is usual for an hour or a day of the week. */
export interface UsualRange {
  readonly expected: number;
  readonly low: number;
  readonly high: number;
  /** How many values of the past say so. */
  readonly values: number;
}

export interface Profile {
  /** By slot; a slot of which too little is known has none. */
  readonly slots: ReadonlyMap<number, UsualRange>;
  /** Of weekly levels, without the rhythm of the week: 1 is the usual level. Null where too few weeks are known. */
  readonly trend: Trend | null;
  /** Weeks of which enough is known to have a level. */
  readonly weeks: number;
}

/** A range that fewer values speak for says nothing. */
export const LEAST_VALUES = 8;
/** The normal distribution has its standard deviation at this many absolute deviations from the median. */
const DEVIATION = 1.4826;
const DEVIATIONS = 3;
/** A week counts where so many of the slots are known in which there usually is something. */
const KNOWN_SHARE = 0.4;
/** A line through weeks is followed no further than this: beyond it is another thing than a drift. */
const MOST_MOVED = 4;

/**
 * Says what is usual for each hour or day of a week, and whether the level drifts.
 *
 * Takes  past: values that are known. most: what no value can be above, such as 1 for a share.
 * Gives  medians, and around them three standard deviations as the absolute deviations from the median say, but no less than chance.
 *        Where the level drifts for certain, values are first moved along the drift to the present.
 * Holds  a few wild weeks do not move it; with all values multiplied by a number it is multiplied too, where chance is.
 */
export function profileOf(past: readonly PastValue[], most = Number.POSITIVE_INFINITY): Profile {
  const bySlot = grouped(past, ({ slot }) => slot);
  const medians = new Map([...bySlot].map(([slot, values]) => [slot, median(values.map(({ value }) => value))!]));
  const levels = levelsOf(past, medians);
  const trend = trendOf(levels);
  const move = trend !== null && trend.pValue < SIGNIFICANT ? alongOf(trend) : () => 1;
  const slots = new Map<number, UsualRange>();
  for (const [slot, values] of bySlot) {
    if (values.length < LEAST_VALUES) continue;
    const moved = values.map(({ value, week }) => Math.min(most, value * move(week)));
    const expected = median(moved)!;
    const deviation = DEVIATION * median(moved.map((value) => Math.abs(value - expected)))!;
    const spread = DEVIATIONS * Math.max(deviation, median(values.map(({ noise }) => noise))!);
    const range = { low: Math.max(0, expected - spread), high: Math.min(most, expected + spread) };
    slots.set(slot, { expected, ...range, values: values.length });
  }
  return { slots, trend, weeks: levels.length };
}

/** The level of each week beside the usual one: the median of what its values are of those of their slots. */
function levelsOf(past: readonly PastValue[], medians: ReadonlyMap<number, number>) {
  const least = KNOWN_SHARE * [...medians.values()].filter((usual) => usual > 0).length;
  const weeks = grouped(past, ({ week }) => week);
  return [...weeks]
    .flatMap(([at, values]) => {
      const shares = values.flatMap(({ slot, value }) => {
        const usual = medians.get(slot)!;
        return usual > 0 ? [value / usual] : [];
      });
      return shares.length === 0 || shares.length < least ? [] : [{ at, value: median(shares)! }];
    })
    .sort((a, b) => a.at - b.at);
}

function grouped(past: readonly PastValue[], key: (value: PastValue) => number): Map<number, PastValue[]> {
  const groups = new Map<number, PastValue[]>();
  for (const each of past) {
    const group = groups.get(key(each));
    if (group) group.push(each);
    else groups.set(key(each), [each]);
  }
  return groups;
}

/** What a value of a week is to be multiplied by to be one of now. */
function alongOf({ slope, intercept }: Trend): (week: number) => number {
  return (week) => {
    const then = intercept + slope * week;
    const moved = then > 0 ? intercept / then : MOST_MOVED;
    return Math.min(MOST_MOVED, Math.max(1 / MOST_MOVED, moved));
  };
}
