import { compareUtf8 } from '../model/index.ts';
import type { Pool } from './cost-model.ts';
import { shareOutMany } from './share-out-many.ts';
import { shareOut } from './shares.ts';
import { joinedShares, residualShare, type SliceShares, takerShares } from './slice-shares.ts';
import { takersOf } from './takers.ts';
import type { WorkTotals } from './work-totals.ts';

/**
 * Shares one slice's amount over the work of its charge period.
 *
 * Takes  amountAtto: any sign. pool: the rule, null when no pool takes the charge. work: of the charge period; its texts
 *        get the services that the amount is split over. integrals: for a step-down, the metric's integral per service.
 * Gives  the shares of tenants and of the residual accounts.
 * Holds  shares add up to the amount.
 * From   DESIGN, arithmetic 5 and 6; docs/internals/allocation.md
 */
export function allocateSlice(
  amountAtto: bigint,
  pool: Pool | null,
  work: WorkTotals,
  integrals: ReadonlyMap<string, bigint>,
): SliceShares {
  if (pool === null) return residualShare(work.texts, 'out_of_scope', 0, amountAtto);
  if (!pool.split) return shareByDriver(amountAtto, pool, work, null);
  const inScope = [...integrals].filter(([service, integral]) => integral > 0n && isInScope(pool, service));
  if (inScope.length === 0) return residualShare(work.texts, 'idle', 0, amountAtto);
  inScope.sort(([a], [b]) => compareUtf8(a, b));
  const parts = shareOut(
    amountAtto,
    inScope.map(([, integral]) => integral),
  );
  return joinedShares(inScope.map(([service], place) => shareByDriver(parts[place]!, pool, work, service)));
}

function shareByDriver(amountAtto: bigint, pool: Pool, work: WorkTotals, service: string | null): SliceShares {
  const takers = takersOf(pool, work, service);
  const label = service === null ? 0 : work.texts.idOfString(service);
  if (takers.tenants.length === 0) return residualShare(work.texts, 'idle', label, amountAtto);
  return takerShares(work.texts, label, takers, shareOutMany(amountAtto, takers.weights));
}

function isInScope(pool: Pool, service: string): boolean {
  return pool.services === undefined || pool.services.includes(service);
}
