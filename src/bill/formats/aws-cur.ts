import { serviceCategory } from './service-category.ts';
import { type FocusTexts, moneyText, namesIn, type Provider, type SourceRow } from './translation.ts';

const fills = namesIn(`
  ProviderName PublisherName InvoiceIssuerName InvoiceId BillingAccountId SubAccountId BillingCurrency
  BillingPeriodStart BillingPeriodEnd ChargePeriodStart ChargePeriodEnd ChargeCategory ChargeFrequency
  ChargeDescription BilledCost EffectiveCost ListCost ContractedCost ServiceName ServiceCategory ResourceId
  RegionId AvailabilityZone SkuId SkuPriceId SkuMeter PricingCategory PricingQuantity PricingUnit ConsumedQuantity
  ConsumedUnit CommitmentDiscountId CommitmentDiscountCategory CommitmentDiscountType CommitmentDiscountStatus
  Tags
`);

/** ChargeCategory and ChargeFrequency by line item type. */
const types: Readonly<Record<string, readonly [category: string, frequency: string]>> = {
  Usage: ['Usage', 'Usage-Based'],
  DiscountedUsage: ['Usage', 'Usage-Based'],
  SavingsPlanCoveredUsage: ['Usage', 'Usage-Based'],
  SavingsPlanNegation: ['Adjustment', 'Usage-Based'],
  SavingsPlanRecurringFee: ['Purchase', 'Recurring'],
  SavingsPlanUpfrontFee: ['Purchase', 'One-Time'],
  RIFee: ['Purchase', 'Recurring'],
  Fee: ['Purchase', 'One-Time'],
  Tax: ['Tax', 'One-Time'],
  Credit: ['Credit', 'One-Time'],
  Refund: ['Credit', 'One-Time'],
  EdpDiscount: ['Adjustment', 'Usage-Based'],
  PrivateRateDiscount: ['Adjustment', 'Usage-Based'],
  BundledDiscount: ['Adjustment', 'Usage-Based'],
  Discount: ['Adjustment', 'Usage-Based'],
};

/** Their amounts are inside the net columns of other rows. */
const discounts = new Set(['EdpDiscount', 'PrivateRateDiscount', 'BundledDiscount', 'Discount']);

const TAGS = 'resource_tags';

/** `lineItem/UsageStartDate` and `line_item_usage_start_date` are the same column; tags keep their own name. */
function nameOf(written: string): string {
  const [group, ...rest] = written.split('/');
  if (rest.length === 0) return written.toLowerCase();
  if (/^resourceTags$/i.test(group!)) return `${TAGS}/${rest.join('/')}`;
  return [group!, ...rest].map(snakeCase).join('_');
}

function snakeCase(name: string): string {
  return name
    .replace(/(?!^)([A-Z])/g, '_$1')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();
}

function isTaken(name: string): boolean {
  return name.startsWith(TAGS);
}

const common = {
  nameOf,
  needs: [
    'line_item_line_item_type',
    'line_item_unblended_cost',
    'line_item_usage_start_date',
    'line_item_usage_end_date',
    'line_item_currency_code',
    'bill_payer_account_id',
    'bill_billing_period_start_date',
    'bill_billing_period_end_date',
  ],
  fills,
  isTaken,
  charges: chargesOfLine,
};

function hasLineItems(names: ReadonlySet<string>): boolean {
  return names.has('line_item_line_item_type') && names.has('line_item_unblended_cost');
}

/** Cost and Usage Report, the older export: columns such as `lineItem/UnblendedCost`, or their Athena names in Parquet. */
export const awsCur: Provider = {
  ...common,
  format: 'aws-cur',
  isHeader: (names, written) => hasLineItems(names) && (written.some((name) => name.includes('/')) || !names.has(TAGS)),
};

/** Cost and Usage Report 2.0 of Data Exports: fixed columns, tags and products as maps. */
export const awsCur2: Provider = {
  ...common,
  format: 'aws-cur2',
  isHeader: (names) => hasLineItems(names) && names.has(TAGS),
};

/**
 * One line item as charges.
 *
 * A fee of a commitment becomes two: what was paid (billed, no effective cost), and what of it nobody used (effective, not billed).
 * From  AWS documentation of line item types, Savings Plans and reservations in the report.
 */
function chargesOfLine(row: SourceRow): readonly FocusTexts[] {
  if (row.text('split_line_item_parent_resource_id') !== '') {
    row.count('splitRow');
    return [];
  }
  const type = row.text('line_item_line_item_type');
  if (type === '') row.problems.push('line_item_line_item_type is empty');
  else if (!(type in types)) row.count('unknownLineItemType');
  const billed = unblended(row, type);
  const fee = feeOf(row, type);
  const charge = chargeOf(row, type, billed, fee === null ? effectiveOf(row, type, billed) : 0n);
  if (fee === null || fee === 0n) return [charge];
  const none = moneyText(0n);
  const unused = {
    ...{ ChargeCategory: 'Usage', ChargeFrequency: 'Usage-Based', CommitmentDiscountStatus: 'Unused' },
    ...{ BilledCost: none, EffectiveCost: moneyText(fee), ListCost: none, ContractedCost: none },
    ...{ PricingQuantity: undefined, ConsumedQuantity: undefined },
  };
  return [charge, { ...charge, ...unused }];
}

/** What is on the invoice: after discounts where the report has net columns. */
function unblended(row: SourceRow, type: string): bigint {
  const gross = row.mandatory('line_item_unblended_cost');
  if (!row.has('line_item_net_unblended_cost')) return gross;
  // Without a net amount a discount row would take its discount off a second time.
  return row.money('line_item_net_unblended_cost') ?? (discounts.has(type) ? 0n : gross);
}

/** The unused part of a commitment, for the rows that are its fee; null for all others. */
function feeOf(row: SourceRow, type: string): bigint | null {
  if (type === 'SavingsPlanRecurringFee') {
    return row.mandatory('savings_plan_total_commitment_to_date') - row.mandatory('savings_plan_used_commitment');
  }
  if (type !== 'RIFee') return null;
  const upfront = 'unused_amortized_upfront_fee_for_billing_period';
  return (
    (row.money(`reservation_net_${upfront}`, `reservation_${upfront}`) ?? 0n) +
    (row.money('reservation_net_unused_recurring_fee', 'reservation_unused_recurring_fee') ?? 0n)
  );
}

function effectiveOf(row: SourceRow, type: string, billed: bigint): bigint {
  switch (type) {
    case 'SavingsPlanCoveredUsage':
      return row.mandatory('savings_plan_net_savings_plan_effective_cost', 'savings_plan_savings_plan_effective_cost');
    case 'DiscountedUsage':
      return row.mandatory('reservation_net_effective_cost', 'reservation_effective_cost');
    case 'SavingsPlanNegation':
    case 'SavingsPlanUpfrontFee':
      return 0n;
    case 'Fee':
      return reservation(row) === '' ? billed : 0n;
    default:
      return billed;
  }
}

function reservation(row: SourceRow): string {
  return row.text('reservation_reservation_a_r_n', 'reservation_reservation_arn');
}

function chargeOf(row: SourceRow, type: string, billed: bigint, effective: bigint): FocusTexts {
  const [category, frequency] = types[type] ?? ['Adjustment', 'One-Time'];
  const service = row.text('product_product_name') || productName(row) || row.text('line_item_product_code');
  const code = row.text('line_item_product_code');
  const isUsage = category === 'Usage';
  const quantity = isUsage ? row.text('line_item_usage_amount') : '';
  const unit = isUsage ? row.text('pricing_unit') : '';
  return {
    ProviderName: 'AWS',
    PublisherName: row.text('line_item_legal_entity') || 'AWS',
    InvoiceIssuerName: row.text('bill_invoicing_entity', 'line_item_legal_entity') || 'AWS',
    InvoiceId: row.text('bill_invoice_id'),
    BillingAccountId: row.text('bill_payer_account_id'),
    SubAccountId: row.text('line_item_usage_account_id'),
    BillingCurrency: row.text('line_item_currency_code'),
    BillingPeriodStart: row.text('bill_billing_period_start_date'),
    BillingPeriodEnd: row.text('bill_billing_period_end_date'),
    ChargePeriodStart: row.text('line_item_usage_start_date'),
    ChargePeriodEnd: row.text('line_item_usage_end_date'),
    ChargeCategory: category,
    ChargeFrequency: frequency,
    ChargeDescription: row.text('line_item_line_item_description'),
    BilledCost: moneyText(billed),
    EffectiveCost: moneyText(effective),
    ListCost: moneyText((isUsage ? row.money('pricing_public_on_demand_cost') : null) ?? billed),
    ContractedCost: moneyText(billed),
    ServiceName: service,
    ServiceCategory: serviceCategory(code || service),
    ResourceId: row.text('line_item_resource_id'),
    RegionId: row.text('product_region_code', 'product_region'),
    AvailabilityZone: row.text('line_item_availability_zone'),
    SkuId: row.text('product_sku'),
    SkuPriceId: row.text('pricing_rate_code'),
    SkuMeter: row.text('line_item_usage_type'),
    PricingQuantity: quantity,
    PricingUnit: unit,
    ConsumedQuantity: quantity,
    ConsumedUnit: unit,
    ...commitmentOf(row, type),
    Tags: tagsOf(row),
  };
}

function commitmentOf(row: SourceRow, type: string): FocusTexts {
  const plan = row.text('savings_plan_savings_plan_a_r_n', 'savings_plan_savings_plan_arn');
  const reserved = reservation(row);
  const isSpot = /SpotUsage/.test(row.text('line_item_usage_type'));
  const pricing = type === 'Usage' ? (isSpot ? 'Dynamic' : 'Standard') : '';
  if (plan === '' && reserved === '') return { PricingCategory: pricing };
  const isUsed = type === 'SavingsPlanCoveredUsage' || type === 'DiscountedUsage';
  return {
    PricingCategory: isUsed ? 'Committed' : pricing,
    CommitmentDiscountId: plan || reserved,
    CommitmentDiscountCategory: plan ? 'Spend' : 'Usage',
    CommitmentDiscountType: plan ? 'Savings Plan' : 'Reserved Instance',
    CommitmentDiscountStatus: isUsed ? 'Used' : '',
  };
}

/** In 2.0 the product is a map. */
function productName(row: SourceRow): string {
  const name = mapOf(row.text('product')).product_name;
  return typeof name === 'string' ? name : '';
}

/** Tags under the name that people gave them, the same from both reports: `user:team`, `user_team` are `team`. */
function tagsOf(row: SourceRow): string {
  const tags: Record<string, unknown> = {};
  for (const [place, name] of row.names.entries()) {
    if (name.length <= TAGS.length || !name.startsWith(TAGS)) continue;
    const value = row.at(place);
    if (value !== '') tags[tagName(name.slice(TAGS.length + 1))] = value;
  }
  for (const [name, value] of Object.entries(mapOf(row.text(TAGS)))) tags[tagName(name)] = value;
  return Object.keys(tags).length === 0 ? '' : JSON.stringify(tags);
}

function tagName(written: string): string {
  return written.replace(/^user[:_]/, '');
}

function mapOf(text: string): Record<string, unknown> {
  try {
    const map: unknown = text === '' ? {} : JSON.parse(text);
    return typeof map === 'object' && map !== null && !Array.isArray(map) ? (map as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
