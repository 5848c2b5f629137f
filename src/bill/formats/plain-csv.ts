import { formatInstant, MILLIS_PER_HOUR, parseInstant } from '../../model/index.ts';
import { type FocusTexts, namesIn, type Provider, type SourceRow } from './translation.ts';

const fills = namesIn(`
  ProviderName InvoiceIssuerName InvoiceId BillingAccountId SubAccountId BillingCurrency BillingPeriodStart
  BillingPeriodEnd ChargePeriodStart ChargePeriodEnd ChargeCategory ChargeClass ChargeDescription BilledCost
  EffectiveCost ListCost ContractedCost ServiceName ServiceCategory ResourceId RegionId PricingQuantity
  PricingUnit ConsumedQuantity ConsumedUnit Tags
`);

/** The columns of the plain table, each with what it becomes. Any other column is kept as `x_name`. */
export const plainColumns = {
  vendor: 'ProviderName: who sends the invoice',
  account: 'BillingAccountId; `default` when absent',
  project: 'SubAccountId',
  invoice: 'InvoiceId',
  currency: 'BillingCurrency, an ISO 4217 code',
  amount: 'BilledCost, and EffectiveCost where there is no effective_amount',
  effective_amount: 'EffectiveCost: the share of this period in what was paid at another time',
  list_amount: 'ListCost',
  month: 'the charge period, such as 2024-09',
  date: 'the charge period, one UTC day',
  start: 'the charge period, with end',
  end: 'not included',
  billing_month: 'the billing period; the month in which the charge period starts when absent',
  service: 'ServiceName',
  service_category: 'ServiceCategory; `Other` when absent',
  category: 'ChargeCategory; `Usage` when absent',
  class: 'ChargeClass; `Correction` or nothing',
  description: 'ChargeDescription',
  resource: 'ResourceId',
  region: 'RegionId',
  quantity: 'ConsumedQuantity and PricingQuantity',
  unit: 'ConsumedUnit and PricingUnit',
  tags: 'Tags, a JSON object',
} as const;

/** A plain table for what has no export of its own: invoices of SaaS, a data centre, third-party APIs. */
export const plainCsv: Provider = {
  format: 'csv',
  nameOf: (written) => written.toLowerCase().replace(/[\s-]+/g, '_'),
  isHeader: (names) => ['vendor', 'amount', 'currency', 'service'].every((name) => names.has(name)),
  needs: ['vendor', 'amount', 'currency', 'service', ['month', 'date', 'start']],
  fills,
  isTaken: (name) => name in plainColumns || name.startsWith('tag:'),
  charges: (row) => [chargeOf(row)],
};

function chargeOf(row: SourceRow): FocusTexts {
  const [start, end] = chargePeriod(row);
  const [billingStart, billingEnd] = billingPeriod(row, start);
  const amount = row.text('amount');
  for (const name of ['vendor', 'amount', 'currency', 'service']) {
    if (row.text(name) === '') row.problems.push(`${name} is empty`);
  }
  return {
    ProviderName: row.text('vendor'),
    InvoiceIssuerName: row.text('vendor'),
    InvoiceId: row.text('invoice'),
    BillingAccountId: row.text('account') || 'default',
    SubAccountId: row.text('project'),
    BillingCurrency: row.text('currency'),
    BillingPeriodStart: billingStart,
    BillingPeriodEnd: billingEnd,
    ChargePeriodStart: start,
    ChargePeriodEnd: end,
    ChargeCategory: row.text('category') || 'Usage',
    ChargeClass: row.text('class'),
    ChargeDescription: row.text('description'),
    BilledCost: amount,
    EffectiveCost: row.text('effective_amount') || amount,
    ListCost: row.text('list_amount') || amount,
    ContractedCost: amount,
    ServiceName: row.text('service'),
    ServiceCategory: row.text('service_category') || 'Other',
    ResourceId: row.text('resource'),
    RegionId: row.text('region'),
    PricingQuantity: row.text('quantity'),
    PricingUnit: row.text('unit'),
    ConsumedQuantity: row.text('quantity'),
    ConsumedUnit: row.text('unit'),
    Tags: tagsOf(row),
  };
}

function chargePeriod(row: SourceRow): readonly [string, string] {
  const [month, date, start] = [row.text('month'), row.text('date'), row.text('start')];
  if ([month, date, start].filter((text) => text !== '').length !== 1) {
    row.problems.push('exactly one of month, date and start must be given');
    return ['', ''];
  }
  if (month !== '') return monthPeriod(row, 'month', month);
  if (start !== '') return [start, row.text('end')];
  const day = /^\d{4}-\d{2}-\d{2}$/.test(date) ? instant(date) : null;
  if (day === null) {
    row.problems.push(`date ${JSON.stringify(date.slice(0, 60))} is no day such as 2024-09-18`);
    return ['', ''];
  }
  return [formatInstant(day), formatInstant(day + 24 * MILLIS_PER_HOUR)];
}

function billingPeriod(row: SourceRow, start: string): readonly [string, string] {
  const given = row.text('billing_month');
  if (given !== '') return monthPeriod(row, 'billing_month', given);
  const ms = start === '' ? null : instant(start);
  return ms === null ? ['', ''] : monthPeriod(row, 'month', new Date(ms).toISOString().slice(0, 7));
}

function monthPeriod(row: SourceRow, column: string, text: string): readonly [string, string] {
  const month = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text);
  if (!month) {
    row.problems.push(`${column} ${JSON.stringify(text.slice(0, 60))} is no month such as 2024-09`);
    return ['', ''];
  }
  const [year, number] = [Number(month[1]), Number(month[2])];
  return [formatInstant(Date.UTC(year, number - 1)), formatInstant(Date.UTC(year, number))];
}

/** Null for what is no time; the row is refused for it where the charge is made. */
function instant(text: string): number | null {
  try {
    return parseInstant(text);
  } catch {
    return null;
  }
}

/** `tags` as JSON, and columns such as `tag:team`. */
function tagsOf(row: SourceRow): string {
  const own = row.names.flatMap((name, place) => {
    const value = name.startsWith('tag:') ? row.at(place) : '';
    return value === '' ? [] : [[name.slice('tag:'.length), value] as const];
  });
  const text = row.text('tags');
  if (own.length === 0) return text;
  try {
    const given: unknown = text === '' ? {} : JSON.parse(text);
    return JSON.stringify({ ...(given as object), ...Object.fromEntries(own) });
  } catch {
    row.problems.push('tags is no JSON object');
    return '';
  }
}
