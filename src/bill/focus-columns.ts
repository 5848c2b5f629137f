/** Cost and usage columns of FOCUS 1.0 to 1.4. Later columns need no change here: they are kept under the name they come with. */
const names = `
  AllocatedMethodDetails AllocatedMethodId AllocatedResourceDetails AllocatedResourceId AllocatedResourceName AllocatedServiceName AllocatedTags
  AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingAccountType BillingCurrency BillingPeriodEnd BillingPeriodStart
  CapacityReservationId CapacityReservationStatus ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd ChargePeriodStart
  CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountStatus
  CommitmentDiscountType CommitmentDiscountUnit CommitmentProgramEligibilityDetails ConsumedQuantity ConsumedUnit ConsumerId ContractApplied ContractedCost ContractedUnitPrice
  CredentialDetails EffectiveCost HostProviderName InvoiceDetailId InvoiceId InvoiceIssuer InvoiceIssuerName ListCost ListUnitPrice PricingCategory PricingCurrency
  PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost PricingCurrencyListUnitPrice PricingQuantity PricingUnit
  ProviderName PublisherName RegionId RegionName ResourceId ResourceName ResourceType ServiceCategory ServiceName ServiceProvider
  ServiceProviderName ServiceSubcategory SkuId SkuMeter SkuPriceDetails SkuPriceId SubAccountId SubAccountName SubAccountType
  TagDetails Tags`;

const focusNames = new Map(
  names
    .trim()
    .split(/\s+/)
    .map((name) => [looseName(name), name]),
);

/** Columns without which nothing can be charged to anybody. */
export const mandatoryColumns = [
  'BilledCost',
  'EffectiveCost',
  'BillingCurrency',
  'BillingAccountId',
  'BillingPeriodStart',
  'BillingPeriodEnd',
  'ChargePeriodStart',
  'ChargePeriodEnd',
  'ChargeCategory',
] as const;

/** Who names the source of a charge, the first that is filled: docs of 1.0 to 1.2, then 1.3 and later, then who sends the invoice. */
export const sourceColumns = [
  'ProviderName',
  'ServiceProviderName',
  'ServiceProvider',
  'InvoiceIssuerName',
  'InvoiceIssuer',
] as const;

/** The closed lists whose case exports get wrong; cost models match them exactly, so they are put right. */
const closedLists: Readonly<Record<string, readonly string[]>> = {
  ChargeCategory: ['Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment'],
  ChargeClass: ['Correction'],
  ChargeFrequency: ['One-Time', 'Recurring', 'Usage-Based'],
  PricingCategory: ['Standard', 'Dynamic', 'Committed', 'Other'],
  CommitmentDiscountCategory: ['Spend', 'Usage'],
  CommitmentDiscountStatus: ['Used', 'Unused'],
  CapacityReservationStatus: ['Used', 'Unused'],
};

const allowedValues = new Map(
  Object.entries(closedLists).map(([column, values]) => [
    column,
    new Map(values.map((value) => [value.toLowerCase(), value])),
  ]),
);

/** Gives the FOCUS name that a header means, ignoring case, spaces and underscores; undefined for any other column. */
export function focusName(header: string): string | undefined {
  return focusNames.get(looseName(header));
}

/** The values of a closed list by their lower-case form; undefined where a column takes any text. */
export function closedList(column: string): ReadonlyMap<string, string> | undefined {
  return allowedValues.get(column);
}

function looseName(header: string): string {
  return header.replace(/[\s_-]/g, '').toLowerCase();
}
