import type { Random } from '../src/advise/simulation/random.ts';

/** A made API of which it is known what every call truly used. Times in microseconds, fees in dollars. */

export interface TrueCall {
  readonly tenant: string;
  readonly endpoint: string;
  readonly startUs: number;
  readonly wallUs: number;
  readonly cpuUs: number;
  readonly dbUs: number;
  readonly feeUsd: number;
  /** What spans measure as busy: CPU, and waiting inside of a span that no child of it covers. */
  readonly busyUs: number;
  /** CPU of a worker that takes messages of many calls at once, after the call. */
  readonly batchUs: number;
  readonly spans: readonly MadeSpan[];
}

export interface MadeSpan {
  readonly service: string;
  /** The place of its parent; -1 is the root. */
  readonly parent: number;
  readonly kind: 'server' | 'db' | 'client';
  readonly fromUs: number;
  readonly toUs: number;
  readonly cpuUs: number;
  readonly feeUsd: number;
}

interface Step {
  readonly service: string;
  readonly cpuUs: number;
  readonly dbUs?: number;
  readonly waitUs?: number;
  readonly feeUsd?: number;
  /** So many at the same time. */
  readonly fanOut?: number;
}

/** What a call of each endpoint does below the gateway, on the average. */
const endpoints: Readonly<Record<string, { readonly gatewayUs: number; readonly steps: readonly Step[] }>> = {
  'GET /products': { gatewayUs: 2000, steps: [{ service: 'catalog', cpuUs: 3000, dbUs: 5000 }] },
  'GET /search': { gatewayUs: 2000, steps: [{ service: 'catalog', cpuUs: 15_000, dbUs: 20_000 }] },
  'POST /orders': {
    gatewayUs: 3000,
    steps: [
      { service: 'orders', cpuUs: 6000, dbUs: 10_000 },
      { service: 'payments', cpuUs: 1000, waitUs: 100_000, feeUsd: 0.000001 },
    ],
  },
  'GET /report': {
    gatewayUs: 2000,
    steps: [
      { service: 'catalog', cpuUs: 4000, dbUs: 8000, fanOut: 4 },
      { service: 'render', cpuUs: 60_000 },
    ],
  },
  'GET /status': { gatewayUs: 500, steps: [] },
  'GET /wait': { gatewayUs: 1000, steps: [{ service: 'remote', cpuUs: 500, waitUs: 200_000 }] },
};
export const endpointNames = Object.keys(endpoints);
export const tenantNames = Array.from({ length: 8 }, (_, place) => `tenant-${place + 1}`);

/** CPU of a worker for one order, on the average. */
const BATCH_US = 8000;

/** How much of its CPU time a service also waits inside of its spans: for locks, its collector, its turn. */
const hiddenWait: Readonly<Record<string, number>> = {
  gateway: 0.05,
  catalog: 0.08,
  orders: 0.1,
  payments: 0.1,
  render: 0.03,
  remote: 0.1,
};

/** Makes one call; the same random numbers make the same call. Takes  hasBatches: whether orders are also worked at in batches. */
export function makeCall(random: Random, startUs: number, hasBatches: boolean): TrueCall {
  const tenantPlace = Math.min(tenantNames.length - 1, Math.floor(8 * random.unit() ** 2));
  // Tenants use endpoints in different measure: without that, every method would get tenants right.
  const pick = random.unit();
  const endpointPlace = Math.floor(((tenantPlace % 3) * 2 + 6 * pick ** (1 + (tenantPlace % 4))) % 6);
  const endpoint = endpointNames[endpointPlace]!;
  const { gatewayUs, steps } = endpoints[endpoint]!;
  const spread = () => 0.5 + random.unit();
  const spans: MadeSpan[] = [];
  let at = 0;
  const sums = { cpuUs: 0, dbUs: 0, feeUsd: 0, busyUs: 0 };
  const work = (service: string, meanUs: number) => {
    const cpuUs = Math.round(meanUs * spread());
    const busyUs = Math.round(cpuUs * (1 + 2 * random.unit() * hiddenWait[service]!));
    sums.cpuUs += cpuUs;
    sums.busyUs += busyUs;
    return { cpuUs, busyUs };
  };
  const gateway = work('gateway', gatewayUs);
  const children: MadeSpan[] = [];
  at += Math.floor(gateway.busyUs / 2);
  for (const step of steps) {
    let longest = 0;
    for (let copy = 0; copy < (step.fanOut ?? 1); copy++) {
      const own = work(step.service, step.cpuUs);
      const dbUs = step.dbUs === undefined ? 0 : Math.round(step.dbUs * spread());
      const waitUs = step.waitUs === undefined ? 0 : Math.round(step.waitUs * spread());
      sums.dbUs += dbUs;
      sums.feeUsd += step.feeUsd ?? 0;
      const long = own.busyUs + dbUs + waitUs;
      const place = 1 + children.length;
      children.push({
        service: step.service,
        parent: 0,
        kind: 'server',
        fromUs: at,
        toUs: at + long,
        cpuUs: own.cpuUs,
        feeUsd: 0,
      });
      if (dbUs > 0)
        children.push({
          service: step.service,
          parent: place,
          kind: 'db',
          fromUs: at,
          toUs: at + dbUs,
          cpuUs: 0,
          feeUsd: 0,
        });
      if (waitUs > 0)
        children.push({
          service: step.service,
          parent: place,
          kind: 'client',
          fromUs: at + dbUs,
          toUs: at + dbUs + waitUs,
          cpuUs: 0,
          feeUsd: step.feeUsd ?? 0,
        });
      longest = Math.max(longest, long);
    }
    at += longest;
  }
  const wallUs = at + Math.ceil(gateway.busyUs / 2);
  spans.push(
    { service: 'gateway', parent: -1, kind: 'server', fromUs: 0, toUs: wallUs, cpuUs: gateway.cpuUs, feeUsd: 0 },
    ...children,
  );
  const batchUs = hasBatches && endpoint === 'POST /orders' ? Math.round(BATCH_US * spread()) : 0;
  sums.cpuUs += batchUs;
  sums.busyUs += batchUs;
  return { tenant: tenantNames[tenantPlace]!, endpoint, startUs, wallUs, ...sums, batchUs, spans };
}
