import { fail, formatInstant, type TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import type { Choice, Dimension } from '../sums/dimensions.ts';
import { type CallSums, sumCalls } from '../sums/sum-calls.ts';
import { type CalendarUnit, windowsOf } from '../time/calendar.ts';
import { type Presence, readPresence, type Standing, shareOf, shownCalls } from './freshness.ts';

export interface VolumeQuestion {
  readonly range: TimeRange;
  /** Null for one figure over the range. */
  readonly window: CalendarUnit | null;
  readonly timeZone: string;
  readonly by: readonly Dimension[];
  readonly only: Choice;
  /** What it is compared with; null for nothing. */
  readonly base: TimeRange | null;
  /** The calls of the range to compare with, where they are others: another cohort. */
  readonly baseOnly?: Choice;
}

export interface VolumeRow extends Partial<Record<Dimension, string>> {
  readonly start?: string;
  readonly end?: string;
  readonly state?: ReturnType<Presence['stateOf']>;
  /** Null where nobody knows: a gap, or the future. */
  readonly calls: number | null;
  readonly errors: number | null;
  /** Of the calls of its window, or of the range. */
  readonly share: number | null;
  readonly baseCalls?: number | null;
  readonly change?: number | null;
  /** Change by what it changed from; null where that was nothing. */
  readonly growth?: number | null;
}

export interface VolumeReport extends Standing {
  readonly calls: number;
  readonly errors: number;
  /** Null without a range to compare with, and where nothing is known of it. */
  readonly baseCalls: number | null;
  readonly growth: number | null;
  readonly rows: readonly VolumeRow[];
}

const MOST_ROWS = 100_000;

/**
 * Counts calls in windows and groups, beside those of another range or cohort.
 *
 * Gives  a row for every window and every group that has calls in either range; windows with calls of nobody are gaps, not zeros.
 * Holds  rows add up to the calls of the range; with groups, the shares of a window add up to 1.
 * Fails  RANGE_TOO_LONG beyond 10,000 windows or 100,000 rows.
 */
export async function volumeReport(store: Store, question: VolumeQuestion, now: Date): Promise<VolumeReport> {
  const { range, window, timeZone, base, only } = question;
  const windows = window === null ? [range] : windowsOf(range, window, timeZone);
  const baseWindows = base === null ? [] : window === null ? [base] : windowsOf(base, window, timeZone);
  const presence = await readPresence(store.columns, base === null ? range : around(range, base), now);
  const counted = await groupSums(store, question, range, windows, only);
  const compared =
    base === null ? null : await groupSums(store, question, base, baseWindows, question.baseOnly ?? only);
  const groups = new Map([...counted.groups, ...(compared?.groups ?? [])]);
  // Without dimensions there is one group, also where it has no calls.
  if (question.by.length === 0) groups.set(keyOf({}, []), {});
  if (windows.length * groups.size > MOST_ROWS) throw fail('RANGE_TOO_LONG', { rows: MOST_ROWS });
  const ordered = [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = windows.flatMap((each, place) => {
    const state = presence.stateOf(each, range);
    const baseWindow = baseWindows[place];
    const isBaseKnown = base !== null && baseWindow !== undefined && isKnownState(presence.stateOf(baseWindow, base));
    return ordered.map(([key, keys]): VolumeRow => {
      const found = counted.at(place, key);
      // A sender whose clock is ahead has calls in the future.
      const isKnown = state === 'future' ? found.calls !== 0n : state !== 'gap';
      const calls = isKnown ? found.calls : null;
      const other = compared === null ? undefined : isBaseKnown ? compared.at(place, key).calls : null;
      return {
        ...(window === null ? {} : { start: formatInstant(each.fromMs), end: formatInstant(each.toMs), state }),
        ...(window === null && !isKnown ? { state } : {}),
        ...keys,
        calls: calls === null ? null : shownCalls(calls),
        errors: isKnown ? shownCalls(found.errors) : null,
        share: calls === null ? null : shareOf(calls, counted.total(place)),
        ...(other === undefined ? {} : changeOf(calls, other)),
      };
    });
  });
  const isBaseKnown = base !== null && (compared!.sum !== 0n || isKnownState(presence.stateOf(base, base)));
  const baseCalls = isBaseKnown ? compared!.sum : null;
  return {
    calls: shownCalls(counted.sum),
    errors: shownCalls(counted.errors),
    baseCalls: baseCalls === null ? null : shownCalls(baseCalls),
    growth: baseCalls === null ? null : shareOf(counted.sum - baseCalls, baseCalls),
    rows,
    ...presence.standing(range, counted.sum, counted.known),
  };
}

function around(a: TimeRange, b: TimeRange): TimeRange {
  return { fromMs: Math.min(a.fromMs, b.fromMs), toMs: Math.max(a.toMs, b.toMs) };
}

function isKnownState(state: ReturnType<Presence['stateOf']>): boolean {
  return state !== 'gap' && state !== 'future';
}

function changeOf(calls: bigint | null, base: bigint | null) {
  const isKnown = calls !== null && base !== null;
  return {
    baseCalls: base === null ? null : shownCalls(base),
    change: isKnown ? shownCalls(calls - base) : null,
    growth: isKnown ? shareOf(calls - base, base) : null,
  };
}

export function keyOf(keys: CallSums['keys'], by: readonly Dimension[]): string {
  return JSON.stringify(by.map((name) => keys[name] ?? ''));
}

async function groupSums(
  store: Store,
  { by }: VolumeQuestion,
  range: TimeRange,
  windows: readonly TimeRange[],
  only: Choice,
) {
  const ranges = windows.map(({ fromMs, toMs }) => ({
    fromMs: Math.max(fromMs, range.fromMs),
    toMs: Math.min(toMs, range.toMs),
  }));
  const sums = await sumCalls(store.columns, { ranges, by, only, isByRange: true });
  const [cells, totals] = [new Map<string, CallSums>(), new Map<number, bigint>()];
  const groups = new Map<string, CallSums['keys']>();
  let [sum, errors, known] = [0n, 0n, 0n];
  for (const row of sums) {
    const key = keyOf(row.keys, by);
    groups.set(key, row.keys);
    cells.set(`${row.range} ${key}`, row);
    totals.set(row.range, (totals.get(row.range) ?? 0n) + row.calls);
    [sum, errors, known] = [sum + row.calls, errors + row.errors, known + row.known];
  }
  return {
    ...{ sum, errors, known, groups },
    total: (place: number) => totals.get(place) ?? 0n,
    at: (place: number, key: string) => cells.get(`${place} ${key}`) ?? { calls: 0n, errors: 0n },
  };
}
