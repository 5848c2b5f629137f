import { formatInstant, type TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import { readPresence, type Standing, shownCalls } from '../reports/freshness.ts';
import type { Choice } from '../sums/dimensions.ts';
import { checkCallsKept, sumCalls } from '../sums/sum-calls.ts';
import { findPatterns, type Waste } from './find-patterns.ts';
import { readTraffic } from './read-traffic.ts';

export interface PatternsReport extends Standing {
  /** Of the choice in the part that was looked at. */
  readonly calls: number;
  /** What was looked at: the end of the range, where it has more calls than can be looked at one by one. */
  readonly looked: { readonly from: string; readonly to: string };
  readonly isCut: boolean;
  readonly rows: readonly Waste[];
}

/** Calls that are looked at one by one, at most. */
const MOST_CALLS = 1_000_000;

/**
 * Finds calls that tenants could do without: reads that say nothing new, writes that could be one, steps that could be one.
 *
 * Takes  mostCalls: the end of the range that has about as many is looked at.
 * Fails  RANGE_DROPPED where single calls of the range were let go: nobody knows how they followed each other.
 */
export async function patternsReport(
  store: Store,
  {
    range,
    only,
    mostCalls = MOST_CALLS,
  }: { readonly range: TimeRange; readonly only: Choice; readonly mostCalls?: number },
  now: Date,
): Promise<PatternsReport> {
  const { columns } = store;
  await checkCallsKept(columns, range);
  const presence = await readPresence(columns, range, now);
  const count = async (asked: TimeRange) => {
    const [sums] = await sumCalls(columns, { ranges: [asked], by: [], only, isByRange: false });
    return sums ?? { calls: 0n, known: 0n };
  };
  const looked = await lastCalls(range, mostCalls, async (asked) => shownCalls((await count(asked)).calls));
  const { calls, known } = await count(looked);
  return {
    calls: shownCalls(calls),
    looked: { from: formatInstant(looked.fromMs), to: formatInstant(looked.toMs) },
    isCut: looked.fromMs > range.fromMs,
    rows: calls === 0n ? [] : findPatterns(await readTraffic(columns, looked, only)),
    ...presence.standing(looked, calls, known),
  };
}

const MINUTE_MS = 60_000;

/** The end of a range with no more than so many calls, by halves; to the minute. */
async function lastCalls(
  range: TimeRange,
  most: number,
  count: (range: TimeRange) => Promise<number>,
): Promise<TimeRange> {
  if ((await count(range)) <= most) return range;
  let [tooEarly, late] = [range.fromMs, range.toMs];
  while (late - tooEarly > MINUTE_MS) {
    const middle = Math.ceil((tooEarly + late) / 2 / MINUTE_MS) * MINUTE_MS;
    if (middle <= tooEarly || middle >= late) break;
    if ((await count({ fromMs: middle, toMs: range.toMs })) > most) tooEarly = middle;
    else late = middle;
  }
  return { fromMs: Math.min(late, range.toMs - 1), toMs: range.toMs };
}
