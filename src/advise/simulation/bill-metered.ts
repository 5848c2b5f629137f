import type { TimeRange } from '../../model/index.ts';
import { CLUSTER_TAGS, plainCharge } from './charge.ts';
import { type FocusRow, plainDecimal } from './focus.ts';
import { costOf, NANO, prices } from './prices.ts';
import { Random } from './random.ts';
import type { Simulation } from './shape.ts';
import type { Usage } from './usage.ts';

/** Services that are charged by what was consumed in an hour. */
const METERED = {
  controlPlane: [
    'control plane',
    'Compute',
    'Amazon Elastic Kubernetes Service',
    'Hours',
    'eks-shop',
    prices.controlPlane,
  ],
  balancer: ['ALB hour', 'Networking', 'Elastic Load Balancing', 'Hours', 'alb-shop', prices.loadBalancer],
  balancerUnits: ['LCU', 'Networking', 'Elastic Load Balancing', 'LCU-Hours', 'alb-shop', prices.loadBalancerUnit],
  nat: ['NAT gateway bytes', 'Networking', 'Amazon Virtual Private Cloud', 'GB', 'nat-shop', prices.natGigabyte],
  egress: ['egress', 'Networking', 'AWS Data Transfer', 'GB', 'alb-shop', prices.egressGigabyte],
  database: ['db.r6g.large', 'Databases', 'Amazon Relational Database Service', 'Hours', 'db-shop', prices.database],
  logs: ['log ingestion', 'Management and Governance', 'AmazonCloudWatch', 'GB', 'log-shop', prices.logGigabyte],
  lake: ['data lake', 'Storage', 'Amazon Simple Storage Service', 'GB-Mo', 's3-lake', prices.storageGigabyte],
} as const satisfies Record<string, readonly [string, string, string, string, string, bigint]>;

const LOG_BYTES_PER_CALL = 2_400n;
/** Updates, mails and packages that no call asked for. */
const IDLE_NAT_BYTES = 41_000_000n;

/** Charges of one hour that follow the calls, and fixed hourly ones. Quantities count billionths: a byte is 10^-9 GB. */
export function meteredCharges(sim: Simulation, hour: TimeRange, usage: Usage): FocusRow[] {
  const noise = BigInt(new Random(sim.seed, 'bill', hour.fromMs).below(9_000_000));
  const calls = BigInt(usage.calls);
  const sentBytes = BigInt(usage.responseBytes);
  return [
    metered('controlPlane', NANO),
    metered('balancer', NANO),
    metered('balancerUnits', NANO / 20n + sentBytes + calls * 1_000n),
    metered('nat', IDLE_NAT_BYTES + noise + BigInt(usage.requestBytes)),
    metered('egress', sentBytes),
    metered('database', NANO),
    metered('logs', noise + calls * LOG_BYTES_PER_CALL),
    // Another project in the same account: no pool of the cost model takes it.
    { ...metered('lake', NANO / 2n + noise), Tags: '{"project": "data-lake"}' },
  ];
}

function metered(what: keyof typeof METERED, quantityNano: bigint): FocusRow {
  const [description, category, service, unit, resource, priceAtto] = METERED[what];
  const quantity = plainDecimal(quantityNano * NANO);
  return plainCharge(costOf(priceAtto, quantityNano), {
    ChargeCategory: 'Usage',
    ChargeDescription: description,
    ChargeFrequency: 'Usage-Based',
    ConsumedQuantity: quantity,
    ConsumedUnit: unit,
    PricingCategory: 'Standard',
    PricingQuantity: quantity,
    PricingUnit: unit,
    ResourceId: resource,
    ResourceName: resource,
    ServiceCategory: category,
    ServiceName: service,
    SkuId: `SKU-${what.toUpperCase()}`,
    Tags: CLUSTER_TAGS,
  });
}
