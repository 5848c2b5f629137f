import { type Rate, type RateCard, type RatedRow, rateWork, type Slice } from '../cost/index.ts';
import type { TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { rateCardAt } from './rates.ts';

/** What no bill says yet: live work at the rates in force. */
export interface RatedPart {
  readonly card: RateCard;
  /** From the first instant on that any pool is rated. */
  readonly range: TimeRange;
  readonly rows: readonly RatedRow[];
}

/**
 * Rates the end of a range that has no bill yet.
 *
 * Takes  slices: what there is to share out in the range. now: work after it is not there yet.
 * Gives  null where everything has its bill, or there are no rates.
 * Holds  a pool is rated from the end of its last charge on: no work is both rated and shared out by the same pool.
 */
export async function ratedPart(
  store: Store,
  range: TimeRange,
  slices: readonly Slice[],
  currency: string,
  now: Date,
): Promise<RatedPart | null> {
  const toMs = Math.min(range.toMs, now.getTime());
  const covered = new Map<string, number>();
  for (const { poolId, chargeEndMs } of slices) covered.set(poolId, Math.max(covered.get(poolId) ?? 0, chargeEndMs));
  const lastMs = [...covered.values()].reduce((a, b) => Math.max(a, b), range.fromMs);
  if (range.fromMs >= toMs) return null;
  const card = await rateCardAt(store, Math.min(lastMs, toMs), currency);
  if (card === null) return null;
  const stretches = new Map<number, Rate[]>();
  for (const rate of card.rates) {
    const fromMs = Math.max(range.fromMs, covered.get(rate.pool) ?? 0);
    if (fromMs < toMs) stretches.set(fromMs, [...(stretches.get(fromMs) ?? []), rate]);
  }
  const rows: RatedRow[] = [];
  for (const [fromMs, rates] of stretches) rows.push(...(await rateWork(store.columns, { fromMs, toMs }, rates)));
  if (rows.length === 0) return null;
  return { card, range: { fromMs: Math.min(...stretches.keys()), toMs }, rows };
}
