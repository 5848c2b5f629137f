import { formatInstant, MILLIS_PER_HOUR } from '../../model/index.ts';
import { serviceCategory } from './service-category.ts';
import { type ExportFacts, type FocusTexts, moneyText, namesIn, type Provider, type SourceRow } from './translation.ts';

const fills = namesIn(`
  ProviderName PublisherName InvoiceIssuerName InvoiceId BillingAccountId BillingAccountName SubAccountId
  SubAccountName BillingCurrency BillingPeriodStart BillingPeriodEnd ChargePeriodStart ChargePeriodEnd
  ChargeCategory ChargeClass ChargeFrequency ChargeDescription BilledCost EffectiveCost ListCost ContractedCost
  ServiceName ServiceCategory ResourceId ResourceName RegionId SkuId SkuMeter PricingCategory PricingQuantity
  PricingUnit ConsumedQuantity ConsumedUnit CommitmentDiscountId CommitmentDiscountName CommitmentDiscountCategory
  CommitmentDiscountType CommitmentDiscountStatus Tags
`);

const COST = ['costinbillingcurrency', 'cost', 'pretaxcost'];
const CURRENCY = ['billingcurrency', 'billingcurrencycode', 'currency', 'currencycode'];
const ACCOUNT = ['billingaccountid', 'enrollmentnumber', 'accountid', 'subscriptionid', 'subscriptionguid'];

/** Microsoft's cost details, actual or amortized, of enterprise and customer agreements: columns in any case. */
export const azure: Provider = {
  format: 'azure',
  nameOf: (written) => written.replace(/[^A-Za-z0-9]/g, '').toLowerCase(),
  isHeader: (names) =>
    names.has('metercategory') && names.has('chargetype') && COST.some((name) => names.has(name)) && names.has('date'),
  needs: ['chargetype', 'date', COST, CURRENCY, ACCOUNT],
  fills,
  isTaken: (name) => name === 'tags',
  charges: (row, facts) => [chargeOf(row, facts)],
};

type Dataset = 'actual' | 'amortized';

/** Both datasets have the same columns: only their names tell them apart. */
function datasetOf(file: string): Dataset | null {
  if (/amorti[sz]ed/i.test(file)) return 'amortized';
  return /actual/i.test(file) ? 'actual' : null;
}

const categories: Readonly<Record<string, string>> = {
  usage: 'Usage',
  unusedreservation: 'Usage',
  unusedsavingsplan: 'Usage',
  purchase: 'Purchase',
  refund: 'Purchase',
  tax: 'Tax',
  roundingadjustment: 'Adjustment',
};
const pricing: Readonly<Record<string, string>> = {
  ondemand: 'Standard',
  spot: 'Dynamic',
  reservation: 'Committed',
  savingsplan: 'Committed',
};
const frequencies: Readonly<Record<string, string>> = {
  onetime: 'One-Time',
  recurring: 'Recurring',
  usagebased: 'Usage-Based',
};

function chargeOf(row: SourceRow, facts: ExportFacts): FocusTexts {
  const type = row.text('chargetype').toLowerCase();
  if (!(type in categories)) row.problems.push(`ChargeType ${JSON.stringify(type.slice(0, 60))} is not known`);
  const isUnused = type.startsWith('unused');
  const model = row.text('pricingmodel').toLowerCase();
  const [billed, effective, isDoubled] = costs(row, facts, type, model);
  const [start, end] = chargeDay(row);
  const [billingStart, billingEnd] = billingPeriod(row, start);
  const service = row.text('metercategory', 'consumedservice', 'productname');
  const quantity = type === 'usage' && !isDoubled ? row.text('quantity') : '';
  const unit = quantity === '' ? '' : row.text('unitofmeasure');
  return {
    ProviderName: 'Microsoft',
    PublisherName: row.text('publishername') || 'Microsoft',
    InvoiceIssuerName: 'Microsoft',
    InvoiceId: row.text('invoiceid'),
    BillingAccountId: row.text(...ACCOUNT),
    BillingAccountName: row.text('billingaccountname'),
    SubAccountId: row.text('subscriptionid', 'subscriptionguid'),
    SubAccountName: row.text('subscriptionname'),
    BillingCurrency: row.text(...CURRENCY),
    BillingPeriodStart: billingStart,
    BillingPeriodEnd: billingEnd,
    ChargePeriodStart: start,
    ChargePeriodEnd: end,
    ChargeCategory: categories[type] ?? 'Usage',
    ChargeClass: type === 'refund' ? 'Correction' : '',
    ChargeFrequency: frequencies[row.text('frequency').toLowerCase().replace(/\W/g, '')] ?? '',
    ChargeDescription: row.text('product', 'productname', 'metername'),
    BilledCost: moneyText(billed),
    EffectiveCost: moneyText(effective),
    ListCost: moneyText(row.money('paygcostinbillingcurrency') ?? billed),
    ContractedCost: moneyText(billed),
    ServiceName: service,
    ServiceCategory: serviceCategory(row.text('servicefamily') ? `${row.text('servicefamily')} ${service}` : service),
    ResourceId: row.text('resourceid', 'instanceid', 'instancename'),
    ResourceName: row.text('resourcename'),
    RegionId: row.text('resourcelocation', 'meterregion'),
    SkuId: row.text('meterid'),
    SkuMeter: row.text('metername'),
    PricingCategory: pricing[model] ?? '',
    PricingQuantity: quantity,
    PricingUnit: unit,
    ConsumedQuantity: quantity,
    ConsumedUnit: unit,
    ...commitmentOf(row, type, model, isUnused),
    Tags: tagsOf(row.text('tags')),
  };
}

/**
 * Which dataset says what: actual cost is what is billed, amortized cost what is effective. With both in one export every row
 * brings its half, so that each sum is that of its dataset to the digit.
 *
 * Gives  billed, effective, and whether the quantity of this row stands in the other dataset too.
 */
function costs(row: SourceRow, facts: ExportFacts, type: string, model: string): readonly [bigint, bigint, boolean] {
  const cost = row.mandatory(...COST);
  const dataset = datasetOf(facts.file) ?? 'actual';
  const isCommitted = model === 'reservation' || model === 'savingsplan';
  if (dataset === 'actual' && type.startsWith('unused')) {
    row.problems.push('an unused commitment is only in amortized cost: name the file so that it contains "amortized"');
  }
  if (dataset === 'amortized' && type === 'purchase' && isCommitted) {
    row.problems.push(
      'the purchase of a commitment is only in actual cost: name the file so that it contains "actual"',
    );
  }
  const has = (wanted: Dataset) => facts.files.some((file) => (datasetOf(file) ?? 'actual') === wanted);
  if (dataset === 'actual') {
    if (has('amortized')) return [cost, 0n, true];
    facts.note(
      'only actual cost was given: effective cost is taken as billed, commitments are not spread over their use',
    );
    return [cost, cost, false];
  }
  if (has('actual')) return [0n, cost, false];
  facts.note(
    'only amortized cost was given: purchases of commitments are missing, so billed cost does not add up to the invoice',
  );
  return [isCommitted || type.startsWith('unused') ? 0n : cost, cost, false];
}

function commitmentOf(row: SourceRow, type: string, model: string, isUnused: boolean): FocusTexts {
  const id = row.text('benefitid', 'reservationid');
  if (id === '') return {};
  const isPlan = model === 'savingsplan' || type === 'unusedsavingsplan' || /savingsplan/i.test(id);
  return {
    CommitmentDiscountId: id,
    CommitmentDiscountName: row.text('benefitname', 'reservationname'),
    CommitmentDiscountCategory: isPlan ? 'Spend' : 'Usage',
    CommitmentDiscountType: isPlan ? 'Savings Plan' : 'Reservation',
    CommitmentDiscountStatus: isUnused ? 'Unused' : type === 'usage' ? 'Used' : '',
  };
}

const DAY_MS = 24 * MILLIS_PER_HOUR;

/** Azure's rows are days, written MM/DD/YYYY or as ISO dates. */
function dayMs(text: string): number | null {
  const us = /^(\d{1,2})\/(\d{1,2})\/(\d{4})\b/.exec(text);
  const iso = /^(\d{4})-(\d{2})-(\d{2})/.exec(text);
  const [year, month, day] = us ? [us[3], us[1], us[2]].map(Number) : iso ? iso.slice(1, 4).map(Number) : [];
  if (year === undefined) return null;
  const ms = Date.UTC(year, month! - 1, day!);
  return new Date(ms).getUTCDate() === day ? ms : null;
}

function chargeDay(row: SourceRow): readonly [string, string] {
  const text = row.text('date', 'usagedatetime');
  const ms = dayMs(text);
  if (ms === null) {
    row.problems.push(`Date ${JSON.stringify(text.slice(0, 60))} is no day`);
    return ['', ''];
  }
  return [formatInstant(ms), formatInstant(ms + DAY_MS)];
}

/** Azure writes the last day of the period, not the first one after it. No period given: the month of the charge. */
function billingPeriod(row: SourceRow, chargeStart: string): readonly [string, string] {
  const start = dayMs(row.text('billingperiodstartdate'));
  const end = dayMs(row.text('billingperiodenddate'));
  if (start !== null && end !== null) return [formatInstant(start), formatInstant(end + DAY_MS)];
  if (chargeStart === '') return ['', ''];
  const [year, month] = [Number(chargeStart.slice(0, 4)), Number(chargeStart.slice(5, 7))];
  return [formatInstant(Date.UTC(year, month - 1)), formatInstant(Date.UTC(year, month))];
}

/** Enterprise exports leave out the braces. */
function tagsOf(text: string): string {
  return text === '' || text.startsWith('{') ? text : `{${text}}`;
}
