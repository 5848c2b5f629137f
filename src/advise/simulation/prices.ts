import { parseMoney } from '../../model/index.ts';

/** Prices of the simulated bill in USD per unit, near public lists; at most nine decimals, so that costs stay exact. */
export const prices = {
  node: rate('0.384'),
  nodeWithSavingsPlan: rate('0.24192'),
  savingsPlanHour: rate('0.26'),
  controlPlane: rate('0.1'),
  loadBalancer: rate('0.0252'),
  loadBalancerUnit: rate('0.008'),
  natGigabyte: rate('0.048'),
  egressGigabyte: rate('0.09'),
  database: rate('0.258'),
  logGigabyte: rate('0.57'),
  storageGigabyte: rate('0.023'),
  support: rate('29'),
  credit: rate('-18.2500000001'),
} as const;

/** In the simulated country, on what was billed in the month. */
export const TAX_PERCENT = 20n;

/** Quantities have nine decimals: a bigint counts billionths. */
export const NANO = 1_000_000_000n;

/** Price times quantity; nine decimals each make the eighteen of money, so nothing is rounded. */
export function costOf(priceAtto: bigint, quantityNano: bigint): bigint {
  return (priceAtto * quantityNano) / NANO;
}

function rate(text: string): bigint {
  return parseMoney(text).amountAtto;
}
