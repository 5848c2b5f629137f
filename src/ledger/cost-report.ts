import { activeImports } from '../bill/index.ts';
import { FIXED_SOURCE, modelsInForce, type Slice, slicesOf } from '../cost/index.ts';
import { fail, type TimeRange } from '../model/index.ts';
import type { Store, StoredPeriod } from '../store/index.ts';
import { billOfRow, billOfSlice } from './bill-key.ts';
import { callTotals, depends, measuredShares } from './call-queries.ts';
import { rowsOf } from './cost-rows.ts';
import { type Identity, identityOf, type PoolSum, poolsOf, sumOf } from './identity.ts';
import { closedPeriods, postedSlices } from './queries.ts';
import { type EstimatedRow, withStandardErrors } from './standard-errors.ts';
import { type Dimension, sumByPool, sumCosts } from './sum-queries.ts';

export interface CostReport {
  readonly currency: string;
  readonly identity: Identity;
  readonly pools: readonly PoolSum[];
  readonly rows: readonly EstimatedRow[];
}

/**
 * Says what calls cost, from the ledger, beside what the bill says.
 *
 * Takes  range: charges and calls that start in it. by: dimensions of the rows. currency: needed only where bills have several.
 *        zone: where days begin; a charge is shown on all days that it covers, also on those after the range.
 * Gives  identity, pools and rows; a residual other than zero means that something was not allocated yet.
 * Fails  CURRENCY_MIXED; PARAMETER_INVALID when the range is not of whole minutes.
 */
export async function costReport(
  store: Store,
  range: TimeRange,
  by: readonly Dimension[],
  currency?: string,
  zone = 'UTC',
): Promise<CostReport> {
  const models = await modelsInForce(store.documents);
  const slices = await slicesOf(store.columns, await activeImports(store), models, range);
  const chosen = currency ?? onlyCurrency(slices, models.at(-1)?.spec.currency);
  const closed = (await closedPeriods(store.documents)).filter((period) => period.currency === chosen);
  const wanted = await asClosed(
    store,
    range,
    slices.filter((slice) => slice.currency === chosen),
    closed,
  );
  const sums = await sumByPool(store.columns, range, chosen);
  const costs = await sumCosts(store.columns, range, chosen, by, closed, zone);
  const calls = await callTotals(store.columns, range, by, zone);
  const coverage = await measuredShares(store.columns, range, by, depends(wanted.map(({ driver }) => driver)), zone);
  const amountOf = (isFixed: boolean) =>
    sumOf(wanted.filter(({ source }) => (source === FIXED_SOURCE) === isFixed).map((slice) => slice.amountAtto));
  return {
    currency: chosen,
    identity: identityOf(amountOf(false), amountOf(true), sums),
    pools: poolsOf(sums),
    rows: await withStandardErrors(store.columns, range, chosen, by, rowsOf(by, costs, calls, coverage)),
  };
}

/** A closed bill is what it was closed with, whatever models say since. */
async function asClosed(
  store: Store,
  range: TimeRange,
  slices: readonly Slice[],
  closed: readonly StoredPeriod[],
): Promise<readonly Slice[]> {
  if (closed.length === 0) return slices;
  const keys = new Set(closed.map(billOfRow));
  const posted = [...(await postedSlices(store.columns, range)).values()].map(({ slice }) => slice);
  return [
    ...slices.filter((slice) => !keys.has(billOfSlice(slice))),
    ...posted.filter((slice) => keys.has(billOfSlice(slice))),
  ];
}

function onlyCurrency(slices: readonly Slice[], modelCurrency: string | undefined): string {
  const distinct = [...new Set(slices.map((slice) => slice.currency))];
  if (distinct.length > 1) throw fail('CURRENCY_MIXED', { currencies: distinct.join(', ') });
  return distinct[0] ?? modelCurrency ?? 'USD';
}
