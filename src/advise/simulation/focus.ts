import { formatMoney } from '../../model/index.ts';

/** FOCUS 1.2 columns of the simulated bill, in file order. */
const COLUMNS = [
  ...['BillingAccountId', 'BillingAccountName', 'BillingAccountType', 'BillingCurrency'],
  ...['BillingPeriodStart', 'BillingPeriodEnd', 'BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost'],
  ...['ChargeCategory', 'ChargeClass', 'ChargeDescription', 'ChargeFrequency', 'ChargePeriodStart', 'ChargePeriodEnd'],
  ...['CommitmentDiscountCategory', 'CommitmentDiscountId', 'CommitmentDiscountName', 'CommitmentDiscountStatus'],
  ...['CommitmentDiscountType', 'ConsumedQuantity', 'ConsumedUnit', 'InvoiceId', 'InvoiceIssuerName'],
  ...['PricingCategory', 'PricingQuantity', 'PricingUnit', 'ProviderName', 'PublisherName', 'RegionId', 'RegionName'],
  ...['ResourceId', 'ResourceName', 'ResourceType', 'ServiceCategory', 'ServiceSubcategory', 'ServiceName'],
  ...['SkuId', 'SkuPriceId', 'SubAccountId', 'SubAccountName', 'Tags'],
] as const;

type FocusColumn = (typeof COLUMNS)[number];
type CostColumn = 'BilledCost' | 'EffectiveCost' | 'ListCost' | 'ContractedCost';

/** What one line says beside its costs; a missing column is empty (null). */
export type FocusFacts = Readonly<Partial<Record<Exclude<FocusColumn, CostColumn>, string>>>;

/** One line of the bill, with its costs in atto-units. */
export type FocusRow = Readonly<Record<CostColumn, bigint>> & FocusFacts;

export function focusHeader(): string {
  return `${COLUMNS.join(',')}\n`;
}

/** Writes one row as CSV (RFC 4180 quoting, line feed), money without needless zeros. */
export function focusLine(row: FocusRow): string {
  return `${COLUMNS.map((column) => cell(row[column])).join(',')}\n`;
}

function cell(value: string | bigint | undefined): string {
  if (value === undefined) return '';
  const text = typeof value === 'bigint' ? plainDecimal(value) : value;
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** 0.100000000000000000 -> 0.1 */
export function plainDecimal(amountAtto: bigint): string {
  return formatMoney(amountAtto).replace(/\.?0+$/, '');
}
