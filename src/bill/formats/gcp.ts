import { withExactNumbers } from '../../collect/index.ts';
import { formatInstant } from '../../model/index.ts';
import { serviceCategory } from './service-category.ts';
import { type FocusTexts, moneyText, namesIn, type Provider, type SourceRow } from './translation.ts';

const fills = namesIn(`
  ProviderName PublisherName InvoiceIssuerName BillingAccountId SubAccountId SubAccountName BillingCurrency
  BillingPeriodStart BillingPeriodEnd ChargePeriodStart ChargePeriodEnd ChargeCategory ChargeFrequency
  ChargeDescription BilledCost EffectiveCost ListCost ContractedCost ServiceName ServiceCategory ResourceId
  ResourceName RegionId AvailabilityZone SkuId SkuMeter PricingCategory PricingQuantity PricingUnit
  ConsumedQuantity ConsumedUnit Tags
`);

const categories: Readonly<Record<string, string>> = {
  regular: 'Usage',
  tax: 'Tax',
  adjustment: 'Adjustment',
  rounding_error: 'Adjustment',
};

/** Google's detailed or standard usage cost table of BigQuery, as CSV, JSON lines or Parquet: `service.id` and `service_id` are one. */
export const gcp: Provider = {
  format: 'gcp',
  nameOf: (written) => written.toLowerCase().replaceAll('.', '_'),
  isHeader: (names) =>
    ['billing_account_id', 'invoice_month', 'cost', 'usage_start_time'].every((name) => names.has(name)),
  needs: ['billing_account_id', 'invoice_month', 'cost', 'currency', 'usage_start_time', 'usage_end_time'],
  fills,
  isTaken: (name) => name === 'labels',
  charges: (row) => [chargeOf(row)],
};

function chargeOf(row: SourceRow): FocusTexts {
  const cost = row.mandatory('cost');
  const credits = creditsOf(row);
  const net = credits.reduce((sum, { amount }) => sum + amount, cost);
  const type = row.text('cost_type') || 'regular';
  if (!(type in categories)) row.problems.push(`cost_type ${JSON.stringify(type.slice(0, 60))} is not known`);
  const [start, end] = invoicePeriod(row);
  const service = row.text('service_description', 'service_id');
  const isCommitted = credits.some((credit) => /^COMMITTED_USAGE/.test(credit.type));
  return {
    ProviderName: 'Google Cloud',
    PublisherName: row.text('seller_name') || 'Google Cloud',
    InvoiceIssuerName: 'Google Cloud',
    BillingAccountId: row.text('billing_account_id'),
    SubAccountId: row.text('project_id'),
    SubAccountName: row.text('project_name'),
    BillingCurrency: row.text('currency'),
    BillingPeriodStart: start,
    BillingPeriodEnd: end,
    ChargePeriodStart: row.text('usage_start_time'),
    ChargePeriodEnd: row.text('usage_end_time'),
    ChargeCategory: categories[type] ?? 'Usage',
    ChargeFrequency: type === 'regular' ? 'Usage-Based' : 'One-Time',
    ChargeDescription: row.text('sku_description'),
    BilledCost: moneyText(net),
    EffectiveCost: moneyText(net),
    ListCost: moneyText(row.money('cost_at_list') ?? cost),
    ContractedCost: moneyText(cost),
    ServiceName: service,
    ServiceCategory: serviceCategory(service),
    ResourceId: row.text('resource_global_name', 'resource_name'),
    ResourceName: row.text('resource_name'),
    RegionId: row.text('location_region', 'location_location'),
    AvailabilityZone: row.text('location_zone'),
    SkuId: row.text('sku_id'),
    SkuMeter: row.text('sku_description'),
    PricingCategory: type === 'regular' ? (isCommitted ? 'Committed' : 'Standard') : '',
    PricingQuantity: row.text('usage_amount_in_pricing_units'),
    PricingUnit: row.text('usage_pricing_unit'),
    ConsumedQuantity: row.text('usage_amount'),
    ConsumedUnit: row.text('usage_unit'),
    Tags: row.text('labels'),
  };
}

/** Discounts, promotions and commitments come as credits inside the row, each a negative amount. */
function creditsOf(row: SourceRow): { amount: bigint; type: string }[] {
  const text = row.text('credits');
  if (text === '') return [];
  const credits = listOf(text);
  if (credits === null) {
    row.problems.push('credits is no JSON list');
    return [];
  }
  return credits.map((credit) => {
    const { amount, type } = (credit ?? {}) as { amount?: unknown; type?: unknown };
    const written = amount === undefined || amount === null ? '' : String(amount);
    if (written === '') row.problems.push('a credit has no amount');
    return { amount: written === '' ? 0n : row.amount('credits.amount', written), type: String(type ?? '') };
  });
}

function listOf(text: string): unknown[] | null {
  try {
    const list: unknown = JSON.parse(withExactNumbers(text) || text);
    return Array.isArray(list) ? list : null;
  } catch {
    return null;
  }
}

/** Google's invoices run from midnight to midnight in California. */
function invoicePeriod(row: SourceRow): readonly [start: string, end: string] {
  const month = /^(\d{4})-?(0[1-9]|1[0-2])$/.exec(row.text('invoice_month'));
  if (!month) {
    row.problems.push(
      `invoice.month ${JSON.stringify(row.text('invoice_month').slice(0, 60))} is no month such as 202408`,
    );
    return ['', ''];
  }
  const [year, number] = [Number(month[1]), Number(month[2])];
  return [firstOfMonth(year, number - 1), firstOfMonth(year, number)];
}

const firsts = new Map<number, string>();
const pacificHour = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/Los_Angeles',
  hour: 'numeric',
  hourCycle: 'h23',
});

/** Takes  month: from 0; 12 is January of the next year. */
function firstOfMonth(year: number, month: number): string {
  const midnightUtc = Date.UTC(year, month, 1);
  let text = firsts.get(midnightUtc);
  if (text === undefined) {
    // Midnight there is 7 or 8 hours after midnight here, as summer time has it.
    const hours = [7, 8].find((hour) => Number(pacificHour.format(midnightUtc + hour * 3_600_000)) === 0) ?? 8;
    text = formatInstant(midnightUtc + hours * 3_600_000);
    firsts.set(midnightUtc, text);
  }
  return text;
}
