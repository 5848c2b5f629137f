import { formatInstant, type TimeRange } from '../../model/index.ts';
import type { ColumnStore, Store } from '../../store/index.ts';
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
  const looked = await lastCalls(columns, range, only, mostCalls);
  const [sums] = await sumCalls(columns, { ranges: [looked], by: [], only, isByRange: false });
  const { calls, known } = sums ?? { calls: 0n, known: 0n };
  return {
    calls: shownCalls(calls),
    looked: { from: formatInstant(looked.fromMs), to: formatInstant(looked.toMs) },
    isCut: looked.fromMs > range.fromMs,
    rows: calls === 0n ? [] : findPatterns(await readTraffic(columns, looked, only)),
    ...presence.standing(looked, calls, known),
  };
}

const MINUTE_MS = 60_000;
const PIECES = 240;

/** The end of a range with no more than so many calls, to a part of it; to the minute where even the last part has more. */
async function lastCalls(columns: ColumnStore, range: TimeRange, only: Choice, most: number): Promise<TimeRange> {
  const size = Math.max(1, Math.ceil((range.toMs - range.fromMs) / MINUTE_MS / PIECES)) * MINUTE_MS;
  const ranges: TimeRange[] = [];
  for (let toMs = range.toMs; toMs > range.fromMs; toMs = ranges[0]!.fromMs) {
    const startMs = Math.floor((toMs - 1) / size) * size;
    ranges.unshift({ fromMs: Math.max(range.fromMs, startMs), toMs });
  }
  const sums = await sumCalls(columns, { ranges, by: [], only, isByRange: true });
  let left = BigInt(most) * 1_000_000n;
  for (const { range: place, calls } of sums.toReversed()) {
    left -= calls;
    if (left >= 0n) continue;
    const last = ranges[place]!;
    if (last.toMs < range.toMs) return { fromMs: last.toMs, toMs: range.toMs };
    return size > MINUTE_MS ? lastCalls(columns, last, only, most) : last;
  }
  return range;
}
