import type { ColumnStore } from '../store/index.ts';
import { allocateSlice } from './allocate-slice.ts';
import type { SliceShares } from './slice-shares.ts';
import type { Slice } from './slices.ts';
import { noIntegrals, WorkByPeriod } from './work-by-period.ts';

/** A slice and how it was shared out. */
export interface AllocatedSlice<Of extends Slice = Slice> {
  readonly slice: Of;
  readonly shares: SliceShares;
}

/**
 * Shares out slices over the work of their charge periods.
 *
 * Takes  slices: in the order of their charge periods.
 * Gives  one entry per slice, in the same order; memory holds one period at a time.
 * Holds  the shares of a slice add up to its amount; the same inputs give the same shares, digit for digit; slices of the same
 *        charge period one after the other have shares with the same texts.
 */
export async function* allocate<Of extends Slice>(
  columns: ColumnStore,
  slices: readonly Of[],
): AsyncGenerator<AllocatedSlice<Of>> {
  const work = await WorkByPeriod.open(columns, slices);
  for (const slice of slices) {
    const { pool } = slice;
    const period = { fromMs: slice.chargeStartMs, toMs: slice.chargeEndMs };
    const totals = pool ? await work.totals(period) : work.none();
    const integrals = pool?.split ? await work.integrals(pool.split.by, period) : noIntegrals;
    yield { slice, shares: allocateSlice(slice.amountAtto, pool, totals, integrals) };
  }
}
