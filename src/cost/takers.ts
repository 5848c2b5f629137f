import { Int128Column } from './int128.ts';
import type { TakerWeights } from './rule.ts';
import type { WorkTotals } from './work-totals.ts';

/** Who takes part when something is shared out, by columns. The numbers of texts are those of the work. */
export interface Takers {
  readonly tenants: Uint32Array;
  readonly endpoints: Uint32Array;
  readonly weights: Int128Column;
}

/** What of the work counts. */
export interface Scope {
  /** Null: all. */
  readonly services: readonly string[] | null;
  /** The number of the one tenant; null: all. */
  readonly tenant: number | null;
}

/** How what a taker did becomes what it weighs. */
export interface Weighing {
  readonly quantity: string;
  /** Everybody who has any weighs the same, and work of no call nothing. */
  readonly isEven: boolean;
  readonly weights: TakerWeights | null;
}

/**
 * Adds up a quantity per tenant and endpoint over the work in scope.
 *
 * Gives  takers in the order of the work. Who has none of it takes no part.
 */
export function takersOf(work: WorkTotals, { quantity, isEven, weights }: Weighing, scope: Scope): Takers {
  const totals = work.totals.get(quantity) ?? Int128Column.zeros(0);
  const { numbers, from, count } = numberTakers(work, totals, scope, isEven);
  const isWhole = count === totals.count && !isEven && weights === null;
  if (isWhole) return { tenants: work.tenants, endpoints: work.endpoints, weights: totals };
  const takers = {
    tenants: new Uint32Array(count),
    endpoints: new Uint32Array(count),
    weights: Int128Column.zeros(count),
  };
  for (let row = from; row < from + numbers.length; row++) {
    if (numbers[row - from] === 0) continue;
    const place = numbers[row - from]! - 1;
    takers.tenants[place] = work.tenants[row]!;
    takers.endpoints[place] = work.endpoints[row]!;
    if (isEven) takers.weights.set(place, EVEN);
    else takers.weights.add(place, totals, row);
  }
  return weights === null ? takers : weighed(takers, work, weights);
}

/** What everybody weighs where all weigh the same: one call. */
const EVEN = 1_000_000n;

/** Gives each row the number of its taker, from 1 on, or 0 when it takes no part. Rows of one taker stand one behind the other. */
function numberTakers(work: WorkTotals, totals: Int128Column, scope: Scope, isEven: boolean) {
  const { tenants, endpoints, services } = work;
  const inScope = servicesOf(work, scope.services);
  const [from, to] = scope.tenant === null || totals.count === 0 ? [0, totals.count] : rowsOfTenant(work, scope.tenant);
  const numbers = new Uint32Array(to - from);
  let [count, last] = [0, -1];
  for (let row = from; row < to; row++) {
    if ((inScope !== null && !inScope.has(services[row]!)) || !totals.isPositive(row)) continue;
    if (isEven && tenants[row] === 0) continue;
    const isNew = last < 0 || tenants[last] !== tenants[row] || endpoints[last] !== endpoints[row];
    if (isNew) count += 1;
    numbers[row - from] = count;
    last = row;
  }
  return { numbers, from, count };
}

/** Leaves out who weighs nothing. Whose work it is is not known of unattributed work: it counts as one. */
function weighed(takers: Takers, { texts }: WorkTotals, { one, ofTenant, ofEndpoint }: TakerWeights): Takers {
  const factors = [new Map<number, bigint>(), new Map<number, bigint>()] as const;
  const factor = (of: (name: string) => bigint, known: Map<number, bigint>, id: number): bigint => {
    const found = known.get(id) ?? of(texts.string(id));
    known.set(id, found);
    return found;
  };
  const { tenants, endpoints, weights } = takers;
  const places = Array.from(tenants, (tenant, place) => {
    const scale =
      tenant === 0
        ? one * one
        : factor(ofTenant, factors[0], tenant) * factor(ofEndpoint, factors[1], endpoints[place]!);
    return { place, weight: weights.get(place) * scale };
  }).filter(({ weight }) => weight > 0n);
  return {
    tenants: Uint32Array.from(places, ({ place }) => tenants[place]!),
    endpoints: Uint32Array.from(places, ({ place }) => endpoints[place]!),
    weights: columnOf(places.map(({ weight }) => weight)),
  };
}

function columnOf(values: readonly bigint[]): Int128Column {
  const column = Int128Column.zeros(values.length);
  values.forEach((value, place) => {
    column.set(place, value);
  });
  return column;
}

/** The numbers of services in scope; null when all are. */
export function servicesOf({ texts }: WorkTotals, services: readonly string[] | null): ReadonlySet<number> | null {
  if (services === null) return null;
  return new Set(services.flatMap((service) => texts.find(service) ?? []));
}

const tenantRows = new WeakMap<WorkTotals, Map<number, readonly [from: number, to: number]>>();

/** The rows of a tenant: they stand one behind the other. */
function rowsOfTenant(work: WorkTotals, tenant: number): readonly [from: number, to: number] {
  let rows = tenantRows.get(work);
  if (rows === undefined) {
    rows = new Map();
    for (let from = 0; from < work.tenants.length; ) {
      let to = from + 1;
      while (to < work.tenants.length && work.tenants[to] === work.tenants[from]) to += 1;
      rows.set(work.tenants[from]!, [from, to]);
      from = to;
    }
    tenantRows.set(work, rows);
  }
  return rows.get(tenant) ?? [0, 0];
}
