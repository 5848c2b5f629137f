import { FIXED_SOURCE, modelsInForce, type Slice } from '../cost/index.ts';
import { fail, type TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { callTotals, depends, measuredShares } from './call-queries.ts';
import { rowsOf } from './cost-rows.ts';
import { type Identity, identityOf, type PoolSum, poolsOf, sumOf } from './identity.ts';
import { lateCalls } from './late-calls.ts';
import { postedSlices } from './queries.ts';
import { type EstimatedRow, withStandardErrors } from './standard-errors.ts';
import { type Dimension, sumByPool, sumCosts } from './sum-queries.ts';
import { wantedSlices } from './wanted.ts';

export interface CostReport {
  readonly currency: string;
  readonly identity: Identity;
  readonly pools: readonly PoolSum[];
  /** Calls that came, less those that went, after their month was closed; null where it cannot be said. */
  readonly late: number | null;
  readonly rows: readonly EstimatedRow[];
}

/**
 * Says what calls cost, from the ledger, beside what the bill says.
 *
 * Takes  range: charges and calls that start in it. by: dimensions of the rows. currency: needed only where bills have several.
 *        zone: where days begin; a charge is shown on all days that it covers, also on those after the range.
 *        asOf: money as it was known then; none: now.
 * Gives  identity, pools and rows; a residual other than zero means that something was not allocated yet. As of a past date calls are
 *        not known, and so nothing per call.
 * Fails  CURRENCY_MIXED; PARAMETER_INVALID when the range is not of whole minutes.
 */
export async function costReport(
  store: Store,
  range: TimeRange,
  by: readonly Dimension[],
  currency?: string,
  zone = 'UTC',
  asOf?: Date,
): Promise<CostReport> {
  const { columns, documents } = store;
  const { open, corrections, closings } = await wantedSlices(store, { range, asOf });
  // A closed bill is what it was closed with, whatever models say since.
  const posted = closings.isEmpty ? [] : [...(await postedSlices(columns, range, asOf)).values()];
  const closed = posted.map(({ slice }) => slice).filter((slice) => closings.hasSlice(slice));
  const slices: readonly Slice[] = [...open, ...corrections, ...closed];
  const chosen = currency ?? onlyCurrency(slices, (await modelsInForce(documents, asOf)).at(-1)?.spec.currency);
  const wanted = slices.filter((slice) => slice.currency === chosen);
  const sums = await sumByPool(columns, range, chosen, asOf);
  const periods = closings.periods.filter((period) => period.currency === chosen);
  const costs = await sumCosts(columns, range, chosen, by, periods, zone, asOf);
  const calls = asOf ? null : await callTotals(columns, range, by, zone);
  const drivers = depends(wanted.map(({ driver }) => driver));
  const coverage = asOf ? new Map<string, number>() : await measuredShares(columns, range, by, drivers, zone);
  const late = asOf ? null : await lateCalls(store, range, by, closings.periods);
  const amountOf = (isFixed: boolean) =>
    sumOf(wanted.filter(({ source }) => (source === FIXED_SOURCE) === isFixed).map((slice) => slice.amountAtto));
  return {
    currency: chosen,
    identity: identityOf(amountOf(false), amountOf(true), sums),
    pools: poolsOf(sums),
    late: late?.total ?? null,
    rows: await withStandardErrors(
      store.columns,
      range,
      chosen,
      by,
      rowsOf(by, costs, { calls, measured: coverage, late }),
    ),
  };
}

function onlyCurrency(slices: readonly Slice[], modelCurrency: string | undefined): string {
  const distinct = [...new Set(slices.map((slice) => slice.currency))];
  if (distinct.length > 1) throw fail('CURRENCY_MIXED', { currencies: distinct.join(', ') });
  return distinct[0] ?? modelCurrency ?? 'USD';
}
