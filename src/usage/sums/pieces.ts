import { MILLIS_PER_MINUTE, type TimeRange } from '../../model/index.ts';
import { DAY_MS, type RollupGrain, SLOT_MS } from '../rollups/cuts.ts';

/** From where a stretch of time is summed: rollups, minutes, or the calls themselves. */
export type Grain = RollupGrain | 'minute' | 'call';

/** What can be used. Calls can always be used for what was not dropped yet. */
export interface Grains {
  /** Coarsest first. */
  readonly rollups: readonly RollupGrain[];
  /** Before this, calls may have been dropped, and minutes are used. */
  readonly callsSinceMs: number;
}

export type Pieces = Readonly<Record<Grain, readonly TimeRange[]>>;

const WEEK_MS = 7 * DAY_MS;
/** 1970 began on a Thursday. */
const MONDAY_MS = 4 * DAY_MS;

/** The last bound of a grain that is not after an instant, and the first that is not before it. */
interface Bounds {
  down(at: number): number;
  up(at: number): number;
}

const every = (size: number, since = 0): Bounds => ({
  down: (at) => Math.floor((at - since) / size) * size + since,
  up: (at) => Math.ceil((at - since) / size) * size + since,
});

const months: Bounds = {
  down: (at) => firstOfMonth(at, 0),
  up: (at) => (firstOfMonth(at, 0) === at ? at : firstOfMonth(at, 1)),
};

function firstOfMonth(at: number, further: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + further);
}

const bounds: Record<Exclude<Grain, 'call'>, Bounds> = {
  ...{ month: months, week: every(WEEK_MS, MONDAY_MS) },
  ...{ day: every(DAY_MS), slot: every(SLOT_MS), minute: every(MILLIS_PER_MINUTE) },
};

/**
 * Cuts ranges into pieces, each to be summed from the coarsest rows that say it exactly.
 *
 * Takes  ranges: ascending, none overlapping another.
 * Gives  by grain, stretches that begin and end where a row of that grain does; those that touch are joined.
 * Holds  the pieces of all grains together are the ranges, none twice.
 */
export function piecesOf(ranges: readonly TimeRange[], { rollups, callsSinceMs }: Grains): Pieces {
  const pieces: Record<Grain, TimeRange[]> = { month: [], week: [], day: [], slot: [], minute: [], call: [] };
  const put = (grain: Grain, fromMs: number, toMs: number) => {
    if (fromMs >= toMs) return;
    const last = pieces[grain].at(-1);
    if (last?.toMs === fromMs) pieces[grain][pieces[grain].length - 1] = { fromMs: last.fromMs, toMs };
    else pieces[grain].push({ fromMs, toMs });
  };
  const cut = (fromMs: number, toMs: number, place: number): void => {
    if (fromMs >= toMs) return;
    const grain = rollups[place];
    const [first, last] = grain === undefined ? [0, 0] : [bounds[grain].up(fromMs), bounds[grain].down(toMs)];
    if (grain === undefined) rest(fromMs, toMs);
    else if (first >= last) cut(fromMs, toMs, place + 1);
    else {
      cut(fromMs, first, place + 1);
      put(grain, first, last);
      cut(last, toMs, place + 1);
    }
  };
  const rest = (fromMs: number, toMs: number): void => {
    const old = Math.min(toMs, callsSinceMs);
    const [first, last] = [bounds.minute.up(fromMs), bounds.minute.down(old)];
    if (first >= last) put('call', fromMs, toMs);
    else {
      put('call', fromMs, first);
      put('minute', first, last);
      put('call', last, toMs);
    }
  };
  for (const { fromMs, toMs } of ranges) cut(fromMs, toMs, 0);
  return pieces;
}
