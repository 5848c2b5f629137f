import type { Store } from '../store/index.ts';
import { allocateSlice } from './allocate-slice.ts';
import { metersFor } from './metered.ts';
import type { Slice } from './slice.ts';
import type { SliceShares } from './slice-shares.ts';
import { WorkByPeriod } from './work-by-period.ts';

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
  { columns, documents }: Store,
  slices: readonly Of[],
): AsyncGenerator<AllocatedSlice<Of>> {
  const work = await WorkByPeriod.open(columns, slices, await metersFor(documents, slices));
  for (const slice of slices) {
    yield { slice, shares: allocateSlice(slice.amountAtto, slice.pool, await work.measured(slice)) };
  }
}
