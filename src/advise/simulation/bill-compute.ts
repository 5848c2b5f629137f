import { MILLIS_PER_HOUR, type TimeRange } from '../../model/index.ts';
import { CLUSTER_TAGS, EC2, plainCharge, savingsPlan } from './charge.ts';
import { type FocusFacts, type FocusRow, plainDecimal } from './focus.ts';
import { costOf, NANO, prices } from './prices.ts';
import { seasonAt } from './season.ts';

/** The nodes of one hour: one under the savings plan, one on demand, one more in busy hours, as an autoscaler does it. */
export function nodeCharges(hour: TimeRange): FocusRow[] {
  const onDemand = seasonAt(hour.fromMs) > 1 ? 2 : 1;
  return [...coveredNode(hour), ...Array.from({ length: onDemand }, (_, i) => onDemandNode(i + 1))];
}

/** The savings plan pays for one node; what that does not need, half an hour each night, is unused commitment. */
function coveredNode(hour: TimeRange): FocusRow[] {
  const isMaintained = (hour.fromMs / MILLIS_PER_HOUR) % 24 === 3;
  const quantityNano = isMaintained ? NANO / 2n : NANO;
  const usedAtto = costOf(prices.nodeWithSavingsPlan, quantityNano);
  const atListAtto = costOf(prices.node, quantityNano);
  const used = { ...nodeFacts(0, quantityNano), ...savingsPlan, CommitmentDiscountStatus: 'Used' };
  const description = { ChargeDescription: 'm5.2xlarge covered by savings plan', PricingCategory: 'Committed' };
  return [
    { ...plainCharge(atListAtto, { ...used, ...description }), BilledCost: 0n, EffectiveCost: usedAtto },
    { ...plainCharge(prices.savingsPlanHour - usedAtto, unused), BilledCost: 0n },
  ];
}

const unused: FocusFacts = {
  ...savingsPlan,
  ChargeCategory: 'Usage',
  ChargeDescription: 'unused commitment',
  ChargeFrequency: 'Usage-Based',
  CommitmentDiscountStatus: 'Unused',
  PricingCategory: 'Committed',
  PricingQuantity: '1',
  PricingUnit: 'Hours',
  ResourceId: savingsPlan.CommitmentDiscountId,
  ServiceCategory: 'Compute',
  ServiceName: 'AWS Savings Plans',
  SkuId: 'SKU-SAVINGS-PLAN',
};

function onDemandNode(index: number): FocusRow {
  return plainCharge(prices.node, { ...nodeFacts(index, NANO), ChargeDescription: 'm5.2xlarge on demand' });
}

function nodeFacts(index: number, quantityNano: bigint): FocusFacts {
  const quantity = plainDecimal(quantityNano * NANO);
  return {
    ChargeCategory: 'Usage',
    ChargeFrequency: 'Usage-Based',
    ConsumedQuantity: quantity,
    ConsumedUnit: 'Hours',
    PricingCategory: 'Standard',
    PricingQuantity: quantity,
    PricingUnit: 'Hours',
    ResourceId: `i-shop${index}`,
    ResourceName: `i-shop${index}`,
    ResourceType: 'Instance',
    ServiceCategory: 'Compute',
    ServiceSubcategory: 'Virtual Machines',
    ServiceName: EC2,
    SkuId: 'SKU-M5-2XLARGE',
    Tags: CLUSTER_TAGS,
  };
}
