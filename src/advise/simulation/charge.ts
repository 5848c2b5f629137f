import type { FocusFacts, FocusRow } from './focus.ts';

/** A charge with one figure billed, effective, at list and contracted: no discount is involved. */
export function plainCharge(atto: bigint, facts: FocusFacts): FocusRow {
  return { BilledCost: atto, EffectiveCost: atto, ListCost: atto, ContractedCost: atto, ...facts };
}

export const savingsPlan = {
  CommitmentDiscountCategory: 'Spend',
  CommitmentDiscountId: 'arn:aws:savingsplans::100200300400:savingsplan/7d1f0c52',
  CommitmentDiscountName: 'compute, one year',
  CommitmentDiscountType: 'Savings Plan',
} satisfies FocusFacts;

/** What the cost model finds the cluster's charges by. */
export const CLUSTER_TAGS = '{"cluster": "shop", "env": "prod"}';

export const EC2 = 'Amazon Elastic Compute Cloud';
