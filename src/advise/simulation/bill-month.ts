import { divideHalfEven, formatInstant, MILLIS_PER_HOUR, type TimeRange } from '../../model/index.ts';
import { EC2, plainCharge, savingsPlan } from './charge.ts';
import type { FocusRow } from './focus.ts';
import { costOf, NANO, prices, TAX_PERCENT } from './prices.ts';

const CENT = 10n ** 16n;

/** What is paid once a month for the commitment: its effective cost is told by the Used and Unused rows. */
export function commitmentCharge(part: TimeRange): FocusRow {
  const hours = BigInt((part.toMs - part.fromMs) / MILLIS_PER_HOUR);
  const facts = {
    ...savingsPlan,
    ChargeCategory: 'Purchase',
    ChargeDescription: 'savings plan commitment',
    ChargeFrequency: 'Recurring',
    ChargePeriodStart: formatInstant(part.fromMs),
    ChargePeriodEnd: formatInstant(part.toMs),
    PricingCategory: 'Committed',
    PricingQuantity: String(hours),
    PricingUnit: 'Hours',
    ResourceId: savingsPlan.CommitmentDiscountId,
    ServiceCategory: 'Compute',
    ServiceName: 'AWS Savings Plans',
    SkuId: 'SKU-SAVINGS-PLAN',
  };
  return { ...plainCharge(costOf(prices.savingsPlanHour, hours * NANO), facts), EffectiveCost: 0n };
}

export const supportCharge: FocusRow = plainCharge(prices.support, {
  ChargeCategory: 'Purchase',
  ChargeDescription: 'developer support',
  ChargeFrequency: 'Recurring',
  PricingCategory: 'Standard',
  PricingQuantity: '1',
  PricingUnit: 'Months',
  ServiceCategory: 'Other',
  ServiceName: 'AWS Support (Developer)',
  SkuId: 'SKU-SUPPORT',
});

export const creditCharge: FocusRow = plainCharge(prices.credit, {
  ChargeCategory: 'Credit',
  ChargeDescription: 'promotional credit',
  ChargeFrequency: 'One-Time',
  ServiceCategory: 'Compute',
  ServiceName: EC2,
  Tags: '{"cluster": "shop"}',
});

/** Tax is on what was billed in the month, in whole cents. */
export function taxCharge(billedAtto: bigint): FocusRow {
  return plainCharge(divideHalfEven(billedAtto * TAX_PERCENT, 100n * CENT) * CENT, {
    ChargeCategory: 'Tax',
    ChargeDescription: 'VAT',
    ChargeFrequency: 'Recurring',
    ServiceCategory: 'Other',
    ServiceName: 'Tax',
  });
}
