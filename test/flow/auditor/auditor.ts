import { type Heap, heapsOfBills, heapsOfFixed, readDocuments } from './bills.ts';
import { integralOf, readSeries, type Series } from './metrics.ts';
import { byteOrder, decimal, grouped, largestRemainder, nanosOf, nearest } from './numbers.ts';
import { auditWork, type WorkRow } from './work.ts';

/** What a run is given: the same bytes that the rooms get. */
export interface AuditInput {
  /** OTLP/JSON requests in the order in which they were journalled. */
  readonly traces: readonly string[];
  readonly metrics: readonly string[];
  /** FOCUS exports in the order in which they were imported. */
  readonly bills: readonly string[];
  /** YAML documents in the order in which they were applied. */
  readonly model: string;
  readonly from: string;
  readonly to: string;
}

export interface AuditedRow {
  readonly tenant: string;
  readonly endpoint: string;
  readonly calls: number;
  readonly direct: string;
  readonly indirect: string;
  readonly full: string;
  readonly directPerCall: string | null;
  readonly fullPerCall: string | null;
}

/** The form of ../shared/data/*\/expected.json. */
export interface Audit {
  readonly identity: Readonly<Record<string, string>>;
  readonly stats: Readonly<Record<'spans' | 'traces' | 'calls' | 'unattributed_work', number>>;
  readonly pools: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly rows: readonly AuditedRow[];
}

type Account = 'tenants' | 'idle' | 'unattributed' | 'out_of_scope';

interface Booking {
  readonly pool: string;
  readonly kind: 'direct' | 'indirect';
  readonly account: Account;
  readonly tenant: string;
  readonly endpoint: string;
  readonly amount: bigint;
}

/**
 * Shares out a bill a second time, from the text of DESIGN section 6 and nothing else.
 *
 * Gives  the identity, the pools and the rows, with every digit.
 */
export function audit(input: AuditInput): Audit {
  const [from, to] = [nanosOf(input.from), nanosOf(input.to)];
  const { models, boundary } = readDocuments(input.model);
  const work = auditWork(input.traces, boundary);
  const series = readSeries(input.metrics);
  const heaps = [...heapsOfBills(input.bills, models, from, to), ...heapsOfFixed(models, from, to)];
  const byHour = grouped(work.rows, (row) => String(row.startNs / HOUR_NS));
  const rowsIn = (heap: Heap) => {
    const rows: WorkRow[] = [];
    for (let hour = heap.fromNs / HOUR_NS; hour * HOUR_NS < heap.toNs; hour++)
      for (const row of byHour.get(`${hour}`) ?? []) rows.push(row);
    return rows.filter((row) => row.startNs >= heap.fromNs && row.startNs < heap.toNs);
  };
  const bookings = heaps.flatMap((heap) => shareHeap(heap, rowsIn(heap), work.podServices, series));
  return {
    identity: identityOf(heaps, bookings),
    stats: {
      spans: work.spans,
      traces: work.traces,
      calls: work.calls,
      unattributed_work: work.rows.filter((row) => !row.isAttributed).length,
    },
    pools: poolsOf(bookings),
    rows: rowsOf(bookings, work.rows, from, to),
  };
}

const HOUR_NS = 3_600_000_000_000n;

function shareHeap(
  heap: Heap,
  rows: readonly WorkRow[],
  podServices: ReadonlyMap<string, string>,
  series: readonly Series[],
): Booking[] {
  const { pool, amount } = heap;
  const kind = pool?.kind ?? 'indirect';
  const residual = (account: Account, part: bigint) =>
    ({ pool: pool?.id ?? 'out_of_scope', kind, account, tenant: '', endpoint: '', amount: part }) as const;
  if (pool === null) return [residual('out_of_scope', amount)];
  const isScoped = (service: string) => pool.services === undefined || pool.services.includes(service);
  const byDriver = (part: bigint, inScope: readonly WorkRow[]): Booking[] => {
    const takers = takersOf(inScope, pool.driver);
    if (takers.length === 0) return [residual('idle', part)];
    const shares = largestRemainder(
      part,
      takers.map((taker) => taker.total),
    );
    return takers.map(({ tenant, endpoint, isAttributed }, place) => ({
      ...{ pool: pool.id, kind, tenant, endpoint, amount: shares[place]! },
      account: isAttributed ? 'tenants' : 'unattributed',
    }));
  };
  if (!pool.split) {
    return byDriver(
      amount,
      rows.filter((row) => isScoped(row.service)),
    );
  }
  const integrals = new Map<string, bigint>();
  for (const each of series.filter(({ metric }) => metric === pool.split!.by)) {
    const service = each.service || podServices.get(each.pod) || '(unknown)';
    integrals.set(service, (integrals.get(service) ?? 0n) + integralOf(each, heap.fromNs, heap.toNs));
  }
  const services = [...integrals].filter(([service, integral]) => integral > 0n && isScoped(service));
  if (services.length === 0) return [residual('idle', amount)];
  services.sort(([a], [b]) => byteOrder(a, b));
  const parts = largestRemainder(
    amount,
    services.map(([, integral]) => integral),
  );
  return services.flatMap(([service], place) =>
    byDriver(
      parts[place]!,
      rows.filter((row) => row.service === service),
    ),
  );
}

/** Everybody with some of the driver, by tenant and endpoint; unattributed work last. */
function takersOf(rows: readonly WorkRow[], driver: string) {
  const takers = [...grouped(rows, (row) => JSON.stringify([row.isAttributed, row.tenant, row.endpoint])).values()];
  return takers
    .map(([first, ...rest]) => ({
      ...first!,
      total: [first!, ...rest].reduce((sum, row) => sum + (row.quantities[driver] ?? 0n) * row.weightMicro, 0n),
    }))
    .filter((taker) => taker.total > 0n)
    .sort(
      (a, b) =>
        Number(b.isAttributed) - Number(a.isAttributed) ||
        byteOrder(a.tenant, b.tenant) ||
        byteOrder(a.endpoint, b.endpoint),
    );
}

function identityOf(heaps: readonly Heap[], bookings: readonly Booking[]): Record<string, string> {
  const sum = (amounts: readonly { amount: bigint }[]) => amounts.reduce((total, { amount }) => total + amount, 0n);
  const account = (name: Account) => sum(bookings.filter((booking) => booking.account === name));
  const charges = sum(heaps.filter((heap) => !heap.isFixed));
  const fixed = sum(heaps.filter((heap) => heap.isFixed));
  const [tenants, idle] = [account('tenants'), account('idle')];
  const [unattributed, out_of_scope] = [account('unattributed'), account('out_of_scope')];
  const residual = charges + fixed - tenants - idle - unattributed - out_of_scope;
  const all = { bill: charges + fixed, charges, fixed, tenants, idle, unattributed, out_of_scope, residual };
  return Object.fromEntries(Object.entries(all).map(([name, amount]) => [name, decimal(amount, 18)]));
}

function poolsOf(bookings: readonly Booking[]): Record<string, Record<string, string>> {
  const pools: Record<string, Record<string, bigint>> = {};
  for (const { pool, account, amount } of bookings) {
    pools[pool] ??= { tenants: 0n };
    pools[pool][account] = (pools[pool][account] ?? 0n) + amount;
  }
  return Object.fromEntries(
    Object.entries(pools).map(([pool, accounts]) => [
      pool,
      Object.fromEntries(
        Object.entries(accounts)
          .filter(([name, amount]) => name === 'tenants' || amount !== 0n)
          .map(([name, amount]) => [name, decimal(amount, 18)]),
      ),
    ]),
  );
}

/** Every (tenant, endpoint) with a share or a call in the range. */
function rowsOf(bookings: readonly Booking[], work: readonly WorkRow[], from: bigint, to: bigint): AuditedRow[] {
  const groups = new Map<string, { direct: bigint; indirect: bigint; callsMicro: bigint }>();
  const group = (tenant: string, endpoint: string) => {
    const key = JSON.stringify([tenant, endpoint]);
    const known = groups.get(key) ?? { direct: 0n, indirect: 0n, callsMicro: 0n };
    groups.set(key, known);
    return known;
  };
  for (const { account, kind, tenant, endpoint, amount } of bookings) {
    if (account === 'tenants') group(tenant, endpoint)[kind] += amount;
  }
  for (const { quantities, tenant, endpoint, startNs, weightMicro } of work) {
    if (quantities.calls === 1n && startNs >= from && startNs < to) group(tenant, endpoint).callsMicro += weightMicro;
  }
  const rows = [...groups].map(([key, sums]) => {
    const [tenant, endpoint] = JSON.parse(key) as [string, string];
    return { tenant, endpoint, ...sums };
  });
  rows.sort((a, b) => byteOrder(a.tenant, b.tenant) || byteOrder(a.endpoint, b.endpoint));
  return rows.map(({ tenant, endpoint, direct, indirect, callsMicro }) => ({
    tenant,
    endpoint,
    calls: Number(decimal(callsMicro, 6)),
    direct: decimal(direct, 18),
    indirect: decimal(indirect, 18),
    full: decimal(direct + indirect, 18),
    directPerCall: perCall(direct, callsMicro),
    fullPerCall: perCall(direct + indirect, callsMicro),
  }));
}

/** 10^-18 of a currency over 10^-6 of a call is 10^-12 of a currency per call. */
function perCall(amount: bigint, callsMicro: bigint): string | null {
  return callsMicro === 0n ? null : decimal(nearest(amount, callsMicro), 12);
}
