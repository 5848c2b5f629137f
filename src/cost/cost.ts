import { activeImports } from '../bill/index.ts';
import type { TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { allocateSlice, type Share } from './allocate-slice.ts';
import { modelsInForce } from './cost-model.ts';
import { type Slice, slicesOf } from './slices.ts';
import { noIntegrals, noWork, WorkByPeriod } from './work-by-period.ts';

/** A slice and how it was shared out. */
export interface AllocatedSlice {
  readonly slice: Slice;
  readonly shares: readonly Share[];
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
    if (pool === null) {
      yield { slice, shares: allocateSlice(slice.amountAtto, null, noWork, noIntegrals) };
      continue;
    }
    const period = { fromMs: slice.chargeStartMs, toMs: slice.chargeEndMs };
    const totals = await work.totals(period);
    const integrals = pool.split ? await work.integrals(pool.split.by, period) : noIntegrals;
    yield { slice, shares: allocateSlice(slice.amountAtto, pool, totals, integrals) };
  }
}
