import { activeImports } from '../bill/index.ts';
import type { TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { allocateSlice } from './allocate-slice.ts';
import { modelsInForce } from './cost-model.ts';
import type { SliceShares } from './slice-shares.ts';
import { type Slice, slicesOf } from './slices.ts';
import { noIntegrals, WorkByPeriod } from './work-by-period.ts';

/** A slice and how it was shared out. */
export interface AllocatedSlice {
  readonly slice: Slice;
  readonly shares: SliceShares;
}

/**
 * Shares out everything that starts in a range.
 *
 * Takes  range: slices whose charge period starts in it.
 * Gives  one entry per slice, charge period after charge period; memory holds one period at a time.
 * Holds  the shares of a slice add up to its amount; the same inputs give the same shares, digit for digit.
 */
export async function* allocate(store: Store, range: TimeRange): AsyncGenerator<AllocatedSlice> {
  const imports = await activeImports(store);
  const slices = await slicesOf(store.columns, imports, await modelsInForce(store.documents), range);
  const work = await WorkByPeriod.open(store.columns, slices);
  for (const slice of slices) {
    const { pool } = slice;
    const period = { fromMs: slice.chargeStartMs, toMs: slice.chargeEndMs };
    const totals = pool ? await work.totals(period) : work.none();
    const integrals = pool?.split ? await work.integrals(pool.split.by, period) : noIntegrals;
    yield { slice, shares: allocateSlice(slice.amountAtto, pool, totals, integrals) };
  }
}
