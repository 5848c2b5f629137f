import { checkGrain, checkKept, readLetGo } from '../collect/index.ts';
import { type Driver, divideHalfEven, type TimeRange } from '../model/index.ts';
import { type ColumnStore, Texts } from '../store/index.ts';
import { driverQuantity, driverTotals } from './queries.ts';
import type { Rate } from './rate-card.ts';
import { servicesOf } from './takers.ts';
import { readTotals, type WorkTotals } from './work-totals.ts';

/** What a tenant's work on an endpoint comes to at a rate; unattributed work has an empty tenant. */
export interface RatedRow {
  readonly tenant: string;
  readonly endpoint: string;
  readonly pool: string;
  readonly kind: 'direct' | 'indirect';
  readonly amountAtto: bigint;
}

/** Reads the live work of a stretch of time and rates it. Takes  rates: all of them for the whole stretch. */
export async function rateWork(columns: ColumnStore, stretch: TimeRange, rates: readonly Rate[]): Promise<RatedRow[]> {
  if (rates.length === 0 || stretch.fromMs >= stretch.toMs) return [];
  const drivers: Driver[] = [...new Set(rates.map(({ driver }) => driver))];
  const byService = rates.some(({ services }) => services !== null);
  await checkKept(columns, 'rollups', stretch.fromMs);
  const letGo = await readLetGo(columns);
  await checkGrain(columns, letGo, stretch);
  const bytes = await driverTotals(columns, letGo, stretch, drivers.map(driverQuantity), byService);
  return ratedRows(readTotals(bytes, drivers, new Texts()), rates);
}

/**
 * Rates work: quantity x weight x price, by tenant, endpoint and pool. Pure.
 *
 * Takes  work: driver totals. rates: unit prices.
 * Gives  a row for each rate and (tenant, endpoint) with any of its driver, in the order of rates and work.
 * Holds  one rounding, half-even, for each row: its error is at most half a unit of 10^-18.
 */
export function ratedRows(work: WorkTotals, rates: readonly Rate[]): RatedRow[] {
  return rates.flatMap((rate) => {
    const totals = work.totals.get(rate.driver);
    if (totals === undefined) return [];
    const inScope = servicesOf(work, rate.services);
    const sums = new Map<string, { row: number; sum: bigint }>();
    for (let row = 0; row < totals.count; row++) {
      if ((inScope !== null && !inScope.has(work.services[row]!)) || !totals.isPositive(row)) continue;
      const key = `${work.tenants[row]} ${work.endpoints[row]}`;
      const known = sums.get(key) ?? { row, sum: 0n };
      known.sum += totals.get(row);
      sums.set(key, known);
    }
    return [...sums.values()].map(({ row, sum }) => ({
      tenant: work.texts.string(work.tenants[row]!),
      endpoint: work.texts.string(work.endpoints[row]!),
      ...{ pool: rate.pool, kind: rate.kind },
      amountAtto: divideHalfEven(rate.amountAtto * sum, rate.perMicro),
    }));
  });
}

/** What calls cost on the average, to be asked by endpoint and tenant. */
export interface CallPrices {
  /** In atto-units: of the tenant's own calls, else of the endpoint's calls of all tenants; null where neither is known. */
  ratedCostOf(endpoint: string, tenant: string): bigint | null;
}

/**
 * Works out what a call costs, from rated costs and calls of the same time. Pure; whoever limits money asks it before a call.
 *
 * Takes  rows: of `rateWork`. calls: in millionths, by tenant and endpoint.
 */
export function callPrices(
  rows: readonly RatedRow[],
  calls: readonly { readonly tenant: string; readonly endpoint: string; readonly callsMicro: bigint }[],
): CallPrices {
  const sums = new Map<string, { amount: bigint; calls: bigint }>();
  const add = (key: string, amount: bigint, micro: bigint) => {
    const sum = sums.get(key) ?? { amount: 0n, calls: 0n };
    sums.set(key, { amount: sum.amount + amount, calls: sum.calls + micro });
  };
  const own = (tenant: string, endpoint: string) => JSON.stringify([endpoint, tenant]);
  const all = (endpoint: string) => JSON.stringify([endpoint]);
  for (const { tenant, endpoint, amountAtto } of rows) {
    if (tenant === '') continue;
    add(own(tenant, endpoint), amountAtto, 0n);
    add(all(endpoint), amountAtto, 0n);
  }
  for (const { tenant, endpoint, callsMicro } of calls) {
    add(own(tenant, endpoint), 0n, callsMicro);
    add(all(endpoint), 0n, callsMicro);
  }
  const priceOf = (key: string) => {
    const sum = sums.get(key);
    return sum && sum.calls > 0n ? divideHalfEven(sum.amount * 1_000_000n, sum.calls) : null;
  };
  return { ratedCostOf: (endpoint, tenant) => priceOf(own(tenant, endpoint)) ?? priceOf(all(endpoint)) };
}

/** What every call costs where all rates are for calls, whoever's: then it is known before the first one. Null otherwise. Pure. */
export function plainCallPrice(rates: readonly Rate[]): bigint | null {
  if (rates.length === 0 || rates.some(({ driver, services }) => driver !== 'calls' || services !== null)) return null;
  return rates.reduce((sum, { amountAtto, perMicro }) => sum + divideHalfEven(amountAtto * 1_000_000n, perMicro), 0n);
}
