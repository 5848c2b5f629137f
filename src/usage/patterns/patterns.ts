import { formatInstant, type TimeRange } from '../../model/index.ts';
import type { ColumnStore, Store } from '../../store/index.ts';
import { readPresence, type Standing, shownCalls } from '../reports/freshness.ts';
import { SLOT_MS } from '../rollups/cuts.ts';
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
const MOST_CALLS = 500_000;

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

/** The end of a range with no more than so many calls, to the minute; the last minute where even that has more. */
async function lastCalls(columns: ColumnStore, range: TimeRange, only: Choice, most: number): Promise<TimeRange> {
  const found = await lastWithin(columns, range, only, BigInt(most) * 1_000_000n);
  return found ?? { fromMs: Math.max(range.fromMs, range.toMs - MINUTE_MS), toMs: range.toMs };
}

/** Takes  left: how many calls may be in it, in millionths. Gives  null where not even the last minute fits. */
async function lastWithin(
  columns: ColumnStore,
  range: TimeRange,
  only: Choice,
  left: bigint,
): Promise<TimeRange | null> {
  const { size, ranges } = inPieces(range);
  const sums = await sumCalls(columns, { ranges, by: [], only, isByRange: true });
  let room = left;
  for (const { range: place, calls } of sums.toReversed()) {
    const piece = ranges[place]!;
    if (calls > room) {
      const inside = size > MINUTE_MS ? await lastWithin(columns, piece, only, room) : null;
      const fromMs = inside?.fromMs ?? piece.toMs;
      return fromMs < range.toMs ? { fromMs, toMs: range.toMs } : null;
    }
    room -= calls;
  }
  return range;
}

/** A range in pieces, ascending. Sums of quarters of an hour are there already; those of minutes have to be made. */
function inPieces(range: TimeRange): { readonly size: number; readonly ranges: readonly TimeRange[] } {
  const unit = range.toMs - range.fromMs > PIECES * MINUTE_MS ? SLOT_MS : MINUTE_MS;
  const size = Math.max(1, Math.ceil((range.toMs - range.fromMs) / unit / PIECES)) * unit;
  const ranges: TimeRange[] = [];
  for (let toMs = range.toMs; toMs > range.fromMs; toMs = ranges[0]!.fromMs) {
    const startMs = Math.floor((toMs - 1) / size) * size;
    ranges.unshift({ fromMs: Math.max(range.fromMs, startMs), toMs });
  }
  return { size, ranges };
}
