import type { Pool } from './cost-model.ts';
import { Int128Column } from './int128.ts';
import type { WorkTotals } from './work-totals.ts';

/** Who takes part when something is shared out, by columns. The numbers of texts are those of the work. */
export interface Takers {
  readonly tenants: Uint32Array;
  readonly endpoints: Uint32Array;
  readonly weights: Int128Column;
}

/**
 * Adds up a pool's driver per tenant and endpoint over the services in scope.
 *
 * Takes  service: the one that a step-down has come to; null without a step-down.
 * Gives  takers in the order of the work. Who has none of the driver takes no part.
 */
export function takersOf(pool: Pool, work: WorkTotals, service: string | null): Takers {
  const totals = work.totals.get(pool.driver) ?? Int128Column.zeros(0);
  const scope = scopeOf(work, service === null ? pool.services : [service]);
  const { numbers, count } = numberTakers(work, totals, scope);
  if (count === totals.count) return { tenants: work.tenants, endpoints: work.endpoints, weights: totals };
  const takers = {
    tenants: new Uint32Array(count),
    endpoints: new Uint32Array(count),
    weights: Int128Column.zeros(count),
  };
  for (let row = 0; row < numbers.length; row++) {
    if (numbers[row] === 0) continue;
    const place = numbers[row]! - 1;
    takers.tenants[place] = work.tenants[row]!;
    takers.endpoints[place] = work.endpoints[row]!;
    takers.weights.add(place, totals, row);
  }
  return takers;
}

/** Gives each row the number of its taker, from 1 on, or 0 when it takes no part. Rows of one taker stand one behind the other. */
function numberTakers(work: WorkTotals, totals: Int128Column, scope: ReadonlySet<number> | null) {
  const { tenants, endpoints, services } = work;
  const numbers = new Uint32Array(totals.count);
  let [count, last] = [0, -1];
  for (let row = 0; row < numbers.length; row++) {
    if ((scope !== null && !scope.has(services[row]!)) || !totals.isPositive(row)) continue;
    const isNew = last < 0 || tenants[last] !== tenants[row] || endpoints[last] !== endpoints[row];
    if (isNew) count += 1;
    numbers[row] = count;
    last = row;
  }
  return { numbers, count };
}

/** The numbers of services in scope; null when all are. */
function scopeOf({ texts }: WorkTotals, services: readonly string[] | undefined): ReadonlySet<number> | null {
  if (services === undefined) return null;
  return new Set(services.flatMap((service) => texts.find(service) ?? []));
}
