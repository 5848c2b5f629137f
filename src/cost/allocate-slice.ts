import { compareUtf8, type Driver } from '../model/index.ts';
import type { Pool } from './cost-model.ts';
import { shareOut } from './shares.ts';

/** The work of one tenant at one endpoint in one service; an empty tenant is unattributed work. */
export interface WorkTotal {
  readonly tenant: string;
  readonly endpoint: string;
  readonly service: string;
  readonly totals: readonly bigint[];
}

/** Driver totals of a charge period: ordered by tenant, endpoint, service in UTF-8 bytes, unattributed work last. */
export interface WorkTotals {
  readonly drivers: readonly Driver[];
  readonly rows: readonly WorkTotal[];
}

export type LedgerAccount = 'tenant' | 'idle' | 'unattributed' | 'out_of_scope';

/** One taker's part of a slice. */
export interface Share {
  readonly ledger: LedgerAccount;
  /** The service that a step-down gave it to; empty without one. */
  readonly service: string;
  readonly tenant: string;
  readonly endpoint: string;
  readonly weight: bigint;
  readonly amountAtto: bigint;
}

/**
 * Shares one slice's amount over the work of its charge period.
 *
 * Takes  amountAtto: any sign. pool: the rule, null when no pool takes the charge. work: of the charge period.
 *        integrals: for a step-down, the metric's integral per service over the charge period.
 * Gives  the shares of tenants and of the residual accounts.
 * Holds  shares add up to the amount.
 * From   DESIGN, arithmetic 5 and 6; docs/internals/allocation.md
 */
export function allocateSlice(
  amountAtto: bigint,
  pool: Pool | null,
  work: WorkTotals,
  integrals: ReadonlyMap<string, bigint>,
): Share[] {
  if (pool === null) return [residual('out_of_scope', '', amountAtto)];
  if (!pool.split) return shareByDriver(amountAtto, pool, work, null);
  const inScope = [...integrals].filter(([service, integral]) => integral > 0n && isInScope(pool, service));
  if (inScope.length === 0) return [residual('idle', '', amountAtto)];
  inScope.sort(([a], [b]) => compareUtf8(a, b));
  const parts = shareOut(
    amountAtto,
    inScope.map(([, integral]) => integral),
  );
  return inScope.flatMap(([service], place) => shareByDriver(parts[place]!, pool, work, service));
}

function shareByDriver(amountAtto: bigint, pool: Pool, work: WorkTotals, service: string | null): Share[] {
  const takers = takersOf(pool, work, service);
  if (takers.length === 0) return [residual('idle', service ?? '', amountAtto)];
  const amounts = shareOut(
    amountAtto,
    takers.map(({ weight }) => weight),
  );
  return takers.map(({ tenant, endpoint, weight }, place) => ({
    ledger: tenant === '' ? 'unattributed' : 'tenant',
    service: service ?? '',
    tenant,
    endpoint,
    weight,
    amountAtto: amounts[place]!,
  }));
}

/** Adds up the driver per tenant and endpoint over the services in scope; who has none of it takes no part. */
function takersOf(pool: Pool, work: WorkTotals, service: string | null) {
  const column = work.drivers.indexOf(pool.driver);
  const takers: { tenant: string; endpoint: string; weight: bigint }[] = [];
  for (const row of work.rows) {
    if (service !== null ? row.service !== service : !isInScope(pool, row.service)) continue;
    const weight = row.totals[column] ?? 0n;
    if (weight <= 0n) continue;
    const last = takers.at(-1);
    if (last && last.tenant === row.tenant && last.endpoint === row.endpoint) last.weight += weight;
    else takers.push({ tenant: row.tenant, endpoint: row.endpoint, weight });
  }
  return takers;
}

function isInScope(pool: Pool, service: string): boolean {
  return pool.services === undefined || pool.services.includes(service);
}

function residual(ledger: LedgerAccount, service: string, amountAtto: bigint): Share {
  return { ledger, service, tenant: '', endpoint: '', weight: 0n, amountAtto };
}
