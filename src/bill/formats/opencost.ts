import { formatInstant, parseInstant } from '../../model/index.ts';
import { type ExportFacts, type FocusTexts, moneyText, namesIn, type Provider, type SourceRow } from './translation.ts';

const fills = namesIn(`
  ProviderName PublisherName BillingAccountId BillingCurrency BillingPeriodStart BillingPeriodEnd
  ChargePeriodStart ChargePeriodEnd ChargeCategory ChargeFrequency ChargeDescription BilledCost EffectiveCost
  ListCost ContractedCost ServiceName ServiceCategory ResourceId ResourceName Tags
`);

/** The answer of OpenCost's allocation API. Its costs are estimates from prices, not a bill. */
export const opencost: Provider = {
  format: 'opencost',
  nameOf: (written) => written,
  isHeader: (names) => names.has('name') && names.has('totalCost') && names.has('cpuCost') && names.has('window.start'),
  needs: ['name', 'totalCost', 'window.start', 'window.end'],
  fills,
  isTaken: (name) => name === 'properties.labels',
  charges: (row, facts) => [chargeOf(row, facts)],
};

function chargeOf(row: SourceRow, facts: ExportFacts): FocusTexts {
  facts.note('OpenCost names no currency; its costs are taken as USD');
  facts.note('OpenCost estimates costs from prices: with the bill of the same cluster they would count twice');
  const cost = moneyText(row.mandatory('totalCost'));
  const name = row.text('name');
  const [start, end] = [row.text('start', 'window.start'), row.text('end', 'window.end')];
  const [billingStart, billingEnd] = monthOf(row, start, end);
  return {
    ProviderName: 'OpenCost',
    PublisherName: 'OpenCost',
    BillingAccountId: row.text('properties.cluster') || 'cluster',
    BillingCurrency: 'USD',
    BillingPeriodStart: billingStart,
    BillingPeriodEnd: billingEnd,
    ChargePeriodStart: start,
    ChargePeriodEnd: end,
    ChargeCategory: 'Usage',
    ChargeFrequency: 'Usage-Based',
    ChargeDescription: name,
    BilledCost: cost,
    EffectiveCost: cost,
    ListCost: cost,
    ContractedCost: cost,
    ServiceName: 'Kubernetes',
    ServiceCategory: 'Compute',
    ResourceId: name,
    ResourceName: row.text('properties.pod', 'properties.controller', 'properties.namespace') || name,
    Tags: row.text('properties.labels'),
  };
}

/** The calendar month of a window: one that lies in two months belongs to neither of their bills. */
function monthOf(row: SourceRow, start: string, end: string): readonly [string, string] {
  try {
    const first = new Date(parseInstant(start));
    const next = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1);
    if (parseInstant(end) > next)
      row.problems.push(`the window ${start} to ${end} is in two months: ask for it by day`);
    return [formatInstant(Date.UTC(first.getUTCFullYear(), first.getUTCMonth())), formatInstant(next)];
  } catch {
    row.problems.push(`the window ${JSON.stringify(start.slice(0, 40))} is no time`);
    return ['', ''];
  }
}
