import { MILLIS_PER_MINUTE, type TimeRange } from '../../model/index.ts';
import { DAY_MS, SLOT_MS } from '../rollups/cuts.ts';

/** From where a stretch of time is summed: rollups of days or quarters of an hour, minutes, or the calls themselves. */
export type Grain = 'day' | 'slot' | 'minute' | 'call';

/** What can be used, coarsest first. Calls can always be used for what was not dropped yet. */
export interface Grains {
  readonly hasDays: boolean;
  readonly hasSlots: boolean;
  /** Before this, calls may have been dropped, and minutes are used. */
  readonly callsSinceMs: number;
}

export type Pieces = Readonly<Record<Grain, readonly TimeRange[]>>;

const sizes: Record<Exclude<Grain, 'call'>, number> = { day: DAY_MS, slot: SLOT_MS, minute: MILLIS_PER_MINUTE };

/**
 * Cuts ranges into pieces, each to be summed from the coarsest rows that say it exactly.
 *
 * Takes  ranges: ascending, none overlapping another.
 * Gives  by grain, stretches that begin and end where a row of that grain does; those that touch are joined.
 * Holds  the pieces of all grains together are the ranges, none twice.
 */
export function piecesOf(ranges: readonly TimeRange[], { hasDays, hasSlots, callsSinceMs }: Grains): Pieces {
  const pieces: Record<Grain, TimeRange[]> = { day: [], slot: [], minute: [], call: [] };
  const grains = [...(hasDays ? ['day' as const] : []), ...(hasSlots ? ['slot' as const] : [])];
  const put = (grain: Grain, fromMs: number, toMs: number) => {
    if (fromMs >= toMs) return;
    const last = pieces[grain].at(-1);
    if (last?.toMs === fromMs) pieces[grain][pieces[grain].length - 1] = { fromMs: last.fromMs, toMs };
    else pieces[grain].push({ fromMs, toMs });
  };
  const cut = (fromMs: number, toMs: number, place: number): void => {
    if (fromMs >= toMs) return;
    const grain = grains[place];
    const [first, last] = grain === undefined ? [0, 0] : [roundUp(fromMs, sizes[grain]), roundDown(toMs, sizes[grain])];
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
    const [first, last] = [roundUp(fromMs, sizes.minute), roundDown(old, sizes.minute)];
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

function roundUp(at: number, size: number): number {
  return Math.ceil(at / size) * size;
}

function roundDown(at: number, size: number): number {
  return Math.floor(at / size) * size;
}
