import { formatInstant, type TimeRange } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import { SLOT_MS } from '../rollups/cuts.ts';
import { refreshRollups } from '../rollups/refresh.ts';

/** How much of what was asked for the answer knows, and of when it is. */
export interface Standing {
  readonly coverage: {
    /** Share of calls whose sampling is known; null where there are no calls. */
    readonly weight: number | null;
    /** Share of the range, up to now, in whose quarters of an hour calls of anybody arrived; null for a range in the future. */
    readonly time: number | null;
  };
  readonly freshness: { readonly asOf: string; readonly newestCall: string | null };
}

/** The quarters of an hour of a range in which calls of anybody arrived, and where now is. */
export class Presence {
  readonly nowMs: number;
  /** Ascending. */
  readonly #slots: readonly number[];
  readonly #newestMs: number | null;

  constructor(slots: Iterable<number>, nowMs: number, newestMs: number | null) {
    this.#slots = [...slots].sort((a, b) => a - b);
    this.nowMs = nowMs;
    this.#newestMs = newestMs;
  }

  /**
   * Says what a stretch of time is worth: `future` has not begun, `gap` is one in which no call of anybody arrived, so nobody knows
   * whether there were none or the senders were silent; `partial` is not over, or not wholly asked for; `complete` is the rest.
   */
  stateOf({ fromMs, toMs }: TimeRange, asked: TimeRange): 'complete' | 'partial' | 'gap' | 'future' {
    if (fromMs >= this.nowMs) return 'future';
    const within = { fromMs: Math.max(fromMs, asked.fromMs), toMs: Math.min(toMs, asked.toMs, this.nowMs) };
    if (this.#present(within) === 0) return 'gap';
    return within.fromMs === fromMs && within.toMs === toMs ? 'complete' : 'partial';
  }

  /** The share of a range, up to now, in which calls arrived. */
  shareOf(range: TimeRange): number | null {
    const toMs = Math.min(range.toMs, this.nowMs);
    const slots = Math.ceil(toMs / SLOT_MS) - Math.floor(range.fromMs / SLOT_MS);
    return toMs <= range.fromMs ? null : this.#present({ fromMs: range.fromMs, toMs }) / slots;
  }

  /** The longest stretch of a range, up to now, in which no call of anybody arrived. */
  longestSilenceMs({ fromMs, toMs }: TimeRange): number {
    const [first, end] = [Math.floor(fromMs / SLOT_MS), Math.ceil(Math.min(toMs, this.nowMs) / SLOT_MS)];
    let [longest, last] = [0, first - 1];
    for (let place = this.#placeOf(first); place < this.#placeOf(end); place++) {
      longest = Math.max(longest, this.#slots[place]! - last - 1);
      last = this.#slots[place]!;
    }
    return Math.max(0, longest, end - last - 1) * SLOT_MS;
  }

  standing(range: TimeRange, calls: bigint, known: bigint): Standing {
    return {
      coverage: { weight: calls > 0n ? Number(known) / Number(calls) : null, time: this.shareOf(range) },
      freshness: {
        asOf: formatInstant(this.nowMs),
        newestCall: this.#newestMs === null ? null : formatInstant(this.#newestMs),
      },
    };
  }

  #present({ fromMs, toMs }: TimeRange): number {
    return Math.max(0, this.#placeOf(Math.ceil(toMs / SLOT_MS)) - this.#placeOf(Math.floor(fromMs / SLOT_MS)));
  }

  /** How many are before a slot: a range may be a century, of which few quarters of an hour have calls. */
  #placeOf(slot: number): number {
    let [from, to] = [0, this.#slots.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#slots[middle]! < slot) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** Brings the rollups up to date and reads when calls arrived. Takes  range: what will be asked about. */
export async function readPresence(columns: ColumnStore, range: TimeRange, now: Date): Promise<Presence> {
  await refreshRollups(columns);
  const within = 'day >= toDate({first:Int32}) AND day <= toDate({last:Int32})';
  const newest = readNewestMs(columns);
  // Heard of below; without this it would be nobody's failure when the next one fails first.
  newest.catch(() => undefined);
  const [row] = await columns.query<{ slots: string[] }>(
    `SELECT groupArray(at) AS slots FROM (
      SELECT intDiv(toUnixTimestamp(slot), ${SLOT_MS / 1000}) AS at FROM usage_rollup WHERE marker = 0 AND cut = 1 AND ${within}
      GROUP BY at HAVING sum(calls) > 0)`,
    { first: Math.floor(range.fromMs / 86_400_000), last: Math.floor(range.toMs / 86_400_000) },
  );
  return new Presence((row?.slots ?? []).map(Number), now.getTime(), await newest);
}

/** The newest call, to the minute. */
async function readNewestMs(columns: ColumnStore): Promise<number | null> {
  const [row] = await columns.query<{ newest: string; n: string }>(
    `SELECT max(at) AS newest, count() AS n FROM (SELECT toUnixTimestamp(slot) AS at FROM usage_rollup
      WHERE marker = 0 AND cut = 1 GROUP BY at HAVING sum(calls) > 0 ORDER BY at DESC LIMIT 1)`,
  );
  if (row === undefined || row.n === '0') return null;
  const slot = Number(row.newest);
  const [minute] = await columns.query<{ newest: string }>(
    `SELECT toUnixTimestamp(max(toStartOfMinute(toDateTime(start_at, 'UTC')))) AS newest FROM work
     WHERE is_call = 1 AND toStartOfHour(start_at) = toStartOfHour(toDateTime({slot:UInt32}, 'UTC'))
       AND start_at >= toDateTime({slot:UInt32}, 'UTC') AND start_at < toDateTime({end:UInt32}, 'UTC')`,
    { slot, end: slot + SLOT_MS / 1000 },
  );
  return Math.max(slot, Number(minute!.newest)) * 1000;
}

/** Counts of calls as answers show them: numbers with at most six decimals. */
export function shownCalls(calls: bigint): number {
  return Number(calls) / 1e6;
}

/** A share from 0 to 1; null of nothing. */
export function shareOf(part: bigint, whole: bigint): number | null {
  return whole === 0n ? null : Number(part) / Number(whole);
}
