/** A straight line through values, and how sure it is that they move at all. */
export interface Trend {
  /** Change of the value for each unit of `at`. */
  readonly slope: number;
  /** The line at 0. */
  readonly intercept: number;
  /** How likely values without a trend would look like this. From 0 to 1. */
  readonly pValue: number;
  readonly points: number;
}

export interface TrendPoint {
  readonly at: number;
  readonly value: number;
}

/** Fewer points have no trend that anybody should believe. */
export const LEAST_POINTS = 6;
/** Below this a trend is taken for real. */
export const SIGNIFICANT = 0.05;

/** The middle value, of two middle ones their mean; null of nothing. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Fits a line that a third of wild values cannot move, and tests whether there is a trend.
 *
 * Takes  points: in the order of `at`, no two at the same place; some hundred at most.
 * Gives  null of fewer than 6 points.
 * Holds  the slope of a straight line is found exactly; turning time around turns the slope around and leaves `pValue`.
 * From   Theil and Sen for the slope; Mann and Kendall for the test, ties counted. What a value takes over from the one before it makes
 *        the test less sure (Yue and Wang, for a first-order process).
 */
export function trendOf(points: readonly TrendPoint[]): Trend | null {
  const n = points.length;
  if (n < LEAST_POINTS) return null;
  const slopes: number[] = [];
  let sign = 0;
  for (let later = 1; later < n; later++) {
    for (let earlier = 0; earlier < later; earlier++) {
      const rise = points[later]!.value - points[earlier]!.value;
      slopes.push(rise / (points[later]!.at - points[earlier]!.at));
      sign += Math.sign(rise);
    }
  }
  const slope = median(slopes)!;
  const intercept = median(points.map(({ at, value }) => value - slope * at))!;
  const rests = points.map(({ at, value }) => value - slope * at - intercept);
  return { slope, intercept, pValue: pValueOf(sign, points, inflation(rests)), points: n };
}

function pValueOf(sign: number, points: readonly TrendPoint[], factor: number): number {
  const n = points.length;
  const ties = new Map<number, number>();
  for (const { value } of points) ties.set(value, (ties.get(value) ?? 0) + 1);
  const spread = (count: number) => count * (count - 1) * (2 * count + 5);
  const tied = [...ties.values()].reduce((sum, count) => sum + spread(count), 0);
  const variance = ((spread(n) - tied) / 18) * factor;
  if (variance <= 0) return 1;
  const z = Math.max(0, Math.abs(sign) - 1) / Math.sqrt(variance);
  return Math.min(1, twoSided(z));
}

/** By how much the variance of the test is larger where each value takes something over from the one before it. */
function inflation(rests: readonly number[]): number {
  const whole = rests.reduce((sum, rest) => sum + rest * rest, 0);
  if (whole === 0) return 1;
  const next = rests.slice(1).reduce((sum, rest, place) => sum + rest * rests[place]!, 0);
  const carried = Math.max(0, Math.min(0.9, next / whole));
  const n = rests.length;
  let factor = 1;
  for (let lag = 1, part = carried; lag < n; lag++, part *= carried) factor += 2 * (1 - lag / n) * part;
  return factor;
}

/** The share of a normal distribution beyond z on both sides, to seven digits. From  Abramowitz and Stegun 7.1.26. */
function twoSided(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return series * Math.exp(-x * x);
}
