import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, test } from 'vitest';
import { exampleCsv } from '../../../test/support/example-bill.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import type { DirtCounts } from '../dirt.ts';
import { judgeBill } from '../read-bill.ts';
import { containerOf, openTable } from '../read-table.ts';
import { formatOf, providerOf } from './formats.ts';
import { type TranslatedRow, translated } from './translation.ts';

const folder = tempFolder('formats');
afterAll(() => folder.remove());

type Row = Readonly<Record<string, string>>;

interface Translated {
  readonly format: string | null;
  readonly rows: readonly Row[];
  readonly problems: readonly string[];
  readonly dirt: DirtCounts;
  readonly notes: readonly string[];
}

/** What the rules of a provider make of a file, as texts; empty ones left out. */
async function translatedFile(
  name: string,
  bytes: string | Uint8Array,
  files: readonly string[] = [name],
): Promise<Translated> {
  const file = { name, path: join(folder.path, name.replaceAll('/', '-')) };
  writeFileSync(file.path, bytes);
  const table = await openTable(file, await containerOf(file));
  const format = formatOf(table);
  const dirt: DirtCounts = {};
  const notes = new Set<string>();
  const facts = { file: name, files, dirt, note: (text: string) => void notes.add(text) };
  const { columns, batches } = translated(table, providerOf(format!)!, facts);
  const rows: Row[] = [];
  const problems: string[] = [];
  for await (const batch of batches as AsyncIterable<Iterable<TranslatedRow>>) {
    for (const row of batch) {
      problems.push(...(row.problems ?? []));
      const texts = row.cells.map((cell, place) => [columns[place]!.name, String(cell)] as const);
      if (!row.problems) rows.push(Object.fromEntries(texts.filter(([, text]) => text !== '')));
    }
  }
  return { format, rows, problems, dirt, notes: [...notes] };
}

const money = (text: string) =>
  `${text.includes('.') ? text : `${text}.`}`.padEnd(text.split('.')[0]!.length + 19, '0');

describe('AWS Cost and Usage Report', () => {
  const usual: Row = {
    'identity/LineItemId': 'abc',
    'bill/PayerAccountId': '111122223333',
    'bill/BillingPeriodStartDate': '2024-09-01T00:00:00Z',
    'bill/BillingPeriodEndDate': '2024-10-01T00:00:00Z',
    'bill/InvoiceId': '',
    'lineItem/UsageAccountId': '444455556666',
    'lineItem/LineItemType': 'Usage',
    'lineItem/UsageStartDate': '2024-09-18T22:00:00Z',
    'lineItem/UsageEndDate': '2024-09-18T23:00:00Z',
    'lineItem/ProductCode': 'AmazonEC2',
    'lineItem/UsageType': 'BoxUsage:m5.large',
    'lineItem/UsageAmount': '1',
    'lineItem/CurrencyCode': 'USD',
    'lineItem/UnblendedCost': '0.096',
    'lineItem/LineItemDescription': 'per hour',
    'product/ProductName': 'Amazon Elastic Compute Cloud',
    'pricing/publicOnDemandCost': '0.1',
    'savingsPlan/SavingsPlanARN': '',
    'savingsPlan/SavingsPlanEffectiveCost': '',
    'savingsPlan/TotalCommitmentToDate': '',
    'savingsPlan/UsedCommitment': '',
    'reservation/ReservationARN': '',
    'reservation/EffectiveCost': '',
    'reservation/UnusedAmortizedUpfrontFeeForBillingPeriod': '',
    'reservation/UnusedRecurringFee': '',
    'splitLineItem/ParentResourceId': '',
    'splitLineItem/SplitCost': '',
    'resourceTags/user:team': 'shop',
  };
  const plan = { 'savingsPlan/SavingsPlanARN': 'arn:sp' };
  const reservation = { 'reservation/ReservationARN': 'arn:ri' };
  const net = (amount: string) => ({ 'lineItem/NetUnblendedCost': amount });

  // What a line item is, its columns, and the charges it becomes: category, status, billed, effective.
  const rules: readonly (readonly [what: string, columns: Row, charges: readonly string[]])[] = [
    ['usage on demand: as billed', {}, ['Usage - 0.096 0.096']],
    [
      'usage that a savings plan covers: its share of the plan',
      { ...plan, 'lineItem/LineItemType': 'SavingsPlanCoveredUsage', 'savingsPlan/SavingsPlanEffectiveCost': '0.07' },
      ['Usage Used 0.096 0.07'],
    ],
    [
      'the offset of covered usage: nothing effective',
      { ...plan, 'lineItem/LineItemType': 'SavingsPlanNegation', 'lineItem/UnblendedCost': '-0.096' },
      ['Adjustment - -0.096 0'],
    ],
    [
      'the hourly fee of a plan: paid, and what nobody used',
      {
        ...plan,
        'lineItem/LineItemType': 'SavingsPlanRecurringFee',
        'lineItem/UnblendedCost': '0.1',
        'savingsPlan/TotalCommitmentToDate': '0.1',
        'savingsPlan/UsedCommitment': '0.07',
      },
      ['Purchase - 0.1 0', 'Usage Unused 0 0.03'],
    ],
    [
      'the fee of a plan that was used up',
      {
        ...plan,
        'lineItem/LineItemType': 'SavingsPlanRecurringFee',
        'lineItem/UnblendedCost': '0.1',
        'savingsPlan/TotalCommitmentToDate': '0.1',
        'savingsPlan/UsedCommitment': '0.1',
      },
      ['Purchase - 0.1 0'],
    ],
    [
      'the upfront fee of a plan: paid, nothing effective',
      { ...plan, 'lineItem/LineItemType': 'SavingsPlanUpfrontFee', 'lineItem/UnblendedCost': '500' },
      ['Purchase - 500 0'],
    ],
    [
      'usage that a reservation covers: its share of the reservation',
      {
        ...reservation,
        'lineItem/LineItemType': 'DiscountedUsage',
        'lineItem/UnblendedCost': '0',
        'reservation/EffectiveCost': '0.06',
      },
      ['Usage Used 0 0.06'],
    ],
    [
      'the monthly fee of a reservation: paid, and what nobody used',
      {
        ...reservation,
        'lineItem/LineItemType': 'RIFee',
        'lineItem/UnblendedCost': '40',
        'reservation/UnusedAmortizedUpfrontFeeForBillingPeriod': '1.5',
        'reservation/UnusedRecurringFee': '2.25',
      },
      ['Purchase - 40 0', 'Usage Unused 0 3.75'],
    ],
    [
      'the upfront fee of a reservation: paid, nothing effective',
      { ...reservation, 'lineItem/LineItemType': 'Fee', 'lineItem/UnblendedCost': '300' },
      ['Purchase - 300 0'],
    ],
    [
      'another fee, such as support: as billed',
      { 'lineItem/LineItemType': 'Fee', 'lineItem/UnblendedCost': '29' },
      ['Purchase - 29 29'],
    ],
    ['tax', { 'lineItem/LineItemType': 'Tax', 'lineItem/UnblendedCost': '1.9' }, ['Tax - 1.9 1.9']],
    ['a credit', { 'lineItem/LineItemType': 'Credit', 'lineItem/UnblendedCost': '-5' }, ['Credit - -5 -5']],
    ['a refund', { 'lineItem/LineItemType': 'Refund', 'lineItem/UnblendedCost': '-2' }, ['Credit - -2 -2']],
    [
      'a discount row',
      { 'lineItem/LineItemType': 'EdpDiscount', 'lineItem/UnblendedCost': '-0.01' },
      ['Adjustment - -0.01 -0.01'],
    ],
    ['net columns win', net('0.09'), ['Usage - 0.09 0.09']],
    ['a row without a net amount keeps its own', net(''), ['Usage - 0.096 0.096']],
    [
      'a discount is inside net amounts and does not count again',
      { ...net(''), 'lineItem/LineItemType': 'EdpDiscount', 'lineItem/UnblendedCost': '-0.01' },
      ['Adjustment - 0 0'],
    ],
    [
      'net share of a plan',
      {
        ...plan,
        ...net('0.09'),
        'lineItem/LineItemType': 'SavingsPlanCoveredUsage',
        'savingsPlan/SavingsPlanEffectiveCost': '0.07',
        'savingsPlan/NetSavingsPlanEffectiveCost': '0.065',
      },
      ['Usage Used 0.09 0.065'],
    ],
    [
      'net share of a reservation',
      {
        ...reservation,
        ...net('0'),
        'lineItem/LineItemType': 'DiscountedUsage',
        'reservation/EffectiveCost': '0.06',
        'reservation/NetEffectiveCost': '0.055',
      },
      ['Usage Used 0 0.055'],
    ],
    [
      'net unused part of a reservation',
      {
        ...reservation,
        ...net('36'),
        'lineItem/LineItemType': 'RIFee',
        'reservation/UnusedAmortizedUpfrontFeeForBillingPeriod': '1.5',
        'reservation/NetUnusedAmortizedUpfrontFeeForBillingPeriod': '1.4',
        'reservation/UnusedRecurringFee': '2.25',
        'reservation/NetUnusedRecurringFee': '2',
      },
      ['Purchase - 36 0', 'Usage Unused 0 3.4'],
    ],
    ['a type nobody knows: as billed', { 'lineItem/LineItemType': 'Gift' }, ['Adjustment - 0.096 0.096']],
    [
      'a row that splits its parent over containers: left out',
      { 'splitLineItem/ParentResourceId': 'i-1', 'splitLineItem/SplitCost': '0.04' },
      [],
    ],
  ];

  test.each(rules)('%s', async (_what, columns, charges) => {
    const { format, rows, problems } = await translatedFile('cur.csv', exampleCsv([{ ...usual, ...columns }]));
    expect(format).toBe('aws-cur');
    expect(problems).toEqual([]);
    const [shown, expected] = [
      rows.map((row) =>
        [row.ChargeCategory, row.CommitmentDiscountStatus ?? '-', row.BilledCost, row.EffectiveCost].join(' '),
      ),
      charges.map((text) => {
        const [category, status, billed, effective] = text.split(' ');
        return [category, status, money(billed!), money(effective!)].join(' ');
      }),
    ];
    expect(shown).toEqual(expected);
  });

  test('columns, tags and the same names as 2.0', async () => {
    const { rows } = await translatedFile('cur.csv', exampleCsv([usual]));
    expect(rows[0]).toMatchObject({
      ...{
        BillingAccountId: '111122223333',
        SubAccountId: '444455556666',
        ServiceCategory: 'Compute',
        Tags: '{"team":"shop"}',
      },
      ...{ ServiceName: 'Amazon Elastic Compute Cloud', ConsumedQuantity: '1', ListCost: money('0.1') },
      ...{ x_line_item_usage_type: 'BoxUsage:m5.large', x_line_item_line_item_type: 'Usage' },
    });
  });

  test('2.0 has tags and products as maps', async () => {
    const { 'resourceTags/user:team': _tags, 'product/ProductName': _product, ...others } = usual;
    const snake = (name: string) =>
      name
        .replace('/', '_')
        .replace(/([a-z])([A-Z])/g, '$1_$2')
        .toLowerCase();
    const row = Object.fromEntries(Object.entries(others).map(([name, text]) => [snake(name), text]));
    const maps = { resource_tags: '{"user_team":"shop"}', product: '{"product_name":"Amazon Elastic Compute Cloud"}' };
    const { format, rows } = await translatedFile('cur2.csv', exampleCsv([{ ...row, ...maps }]));
    expect(format).toBe('aws-cur2');
    expect(rows[0]).toMatchObject({
      Tags: '{"team":"shop"}',
      ServiceName: 'Amazon Elastic Compute Cloud',
      EffectiveCost: money('0.096'),
    });
  });

  test('what cannot be taken is told with its row', async () => {
    const bad = { ...usual, 'lineItem/UnblendedCost': 'free' };
    const noShare = { ...usual, 'lineItem/LineItemType': 'DiscountedUsage' };
    const { problems } = await translatedFile('cur.csv', exampleCsv([bad, noShare]));
    expect(problems).toEqual([
      'line_item_unblended_cost "free" is not an amount of money',
      'reservation_net_effective_cost or reservation_effective_cost is empty',
    ]);
  });
});

describe('Google Cloud', () => {
  const usual = {
    billing_account_id: '01-AB',
    service: { id: 'S1', description: 'Compute Engine' },
    sku: { id: 'K1', description: 'N1 core' },
    usage_start_time: '2024-09-18 22:00:00 UTC',
    usage_end_time: '2024-09-18 23:00:00 UTC',
    project: { id: 'p1', name: 'shop', labels: [] },
    labels: [{ key: 'team', value: 'shop' }],
    location: { region: 'us-east1' },
    cost: 1.5,
    currency: 'EUR',
    usage: { amount: 3600, unit: 'seconds', amount_in_pricing_units: 1, pricing_unit: 'hour' },
    credits: [] as { name: string; amount: number; type?: string }[],
    invoice: { month: '202409' },
    cost_type: 'regular',
  };
  const lines = (...rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

  const rules: readonly (readonly [what: string, fields: object, charge: readonly string[]])[] = [
    ['usage without credits', {}, ['Usage', '1.5', '1.5']],
    [
      'credits are taken off',
      {
        credits: [
          { name: 'SUD', amount: -0.25, type: 'SUSTAINED_USAGE_DISCOUNT' },
          { name: 'x', amount: -0.05 },
        ],
      },
      ['Usage', '1.2', '1.5'],
    ],
    [
      'a credit larger than its cost stays negative',
      { credits: [{ name: 'x', amount: -2 }] },
      ['Usage', '-0.5', '1.5'],
    ],
    ['tax', { cost_type: 'tax' }, ['Tax', '1.5', '1.5']],
    ['an adjustment', { cost_type: 'adjustment', cost: -1 }, ['Adjustment', '-1', '-1']],
    ['a rounding error', { cost_type: 'rounding_error', cost: 0.000001 }, ['Adjustment', '0.000001', '0.000001']],
  ];

  test.each(rules)('%s', async (_what, fields, [category, net, cost]) => {
    const { format, rows, problems } = await translatedFile('gcp.jsonl', lines({ ...usual, ...fields }));
    expect([format, problems]).toEqual(['gcp', []]);
    expect(rows[0]).toMatchObject({
      ...{
        ChargeCategory: category,
        BilledCost: money(net!),
        EffectiveCost: money(net!),
        ContractedCost: money(cost!),
      },
      ...{
        Tags: '[{"key":"team","value":"shop"}]',
        SubAccountId: 'p1',
        ServiceName: 'Compute Engine',
        RegionId: 'us-east1',
      },
    });
  });

  const months: readonly (readonly [month: string, start: string, end: string])[] = [
    ['202409', '2024-09-01T07:00:00Z', '2024-10-01T07:00:00Z'],
    ['202411', '2024-11-01T07:00:00Z', '2024-12-01T08:00:00Z'],
    ['202403', '2024-03-01T08:00:00Z', '2024-04-01T07:00:00Z'],
    ['202412', '2024-12-01T08:00:00Z', '2025-01-01T08:00:00Z'],
  ];

  test.each(months)('the invoice month %s begins and ends at midnight in California', async (month, start, end) => {
    const { rows } = await translatedFile('gcp.jsonl', lines({ ...usual, invoice: { month } }));
    expect(rows[0]).toMatchObject({ BillingPeriodStart: start, BillingPeriodEnd: end });
  });

  test('long numbers keep their digits', async () => {
    const text = lines(usual).replace('"cost":1.5', '"cost":0.123456789012345678');
    expect((await translatedFile('gcp.jsonl', text)).rows[0]!.BilledCost).toBe('0.123456789012345678');
  });

  test('CSV with flat names, Parquet with structs and JSON lines become the same charge', async () => {
    const json = await translatedFile('gcp.jsonl', lines(usual));
    const flat = {
      ...{
        billing_account_id: '01-AB',
        service_id: 'S1',
        service_description: 'Compute Engine',
        sku_id: 'K1',
        sku_description: 'N1 core',
      },
      ...{
        usage_start_time: usual.usage_start_time,
        usage_end_time: usual.usage_end_time,
        project_id: 'p1',
        project_name: 'shop',
      },
      ...{
        labels: JSON.stringify(usual.labels),
        location_region: 'us-east1',
        cost: '1.5',
        currency: 'EUR',
        usage_amount: '3600',
      },
      ...{ usage_unit: 'seconds', usage_amount_in_pricing_units: '1', usage_pricing_unit: 'hour', credits: '[]' },
      ...{ invoice_month: '202409', cost_type: 'regular' },
    };
    const csv = await translatedFile('gcp.csv', exampleCsv([flat]));
    const focus = (rows: readonly Row[]) =>
      rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('x_'))));
    expect(focus(csv.rows)).toEqual(focus(json.rows));
    const columnData = Object.entries(flat).map(([name, text]) => ({ name, data: [text], type: 'STRING' as const }));
    const parquet = await translatedFile('gcp.parquet', new Uint8Array(parquetWriteBuffer({ columnData })));
    expect(focus(parquet.rows)).toEqual(focus(json.rows));
  });

  test('what cannot be taken is told with its row', async () => {
    const bad = [
      { ...usual, cost_type: 'gift' },
      { ...usual, invoice: { month: '2024' } },
      { ...usual, credits: [{ name: 'x' }] },
    ];
    expect((await translatedFile('gcp.jsonl', lines(...bad))).problems).toEqual([
      'cost_type "gift" is not known',
      'invoice.month "2024" is no month such as 202408',
      'a credit has no amount',
    ]);
  });

  test('lines cut short are refused', async () => {
    const file = { name: 'cut.jsonl', path: join(folder.path, 'cut.jsonl') };
    writeFileSync(file.path, lines(usual, usual).slice(0, -30));
    await expect(judgeBill([file], 'auto', null)).rejects.toMatchObject({
      code: 'FILE_DAMAGED',
      problems: [{ line: 2 }],
    });
  });
});

describe('Azure', () => {
  const usual: Row = {
    BillingAccountId: '8611',
    BillingPeriodStartDate: '09/01/2024',
    BillingPeriodEndDate: '09/30/2024',
    Date: '09/18/2024',
    ChargeType: 'Usage',
    PricingModel: 'OnDemand',
    MeterCategory: 'Virtual Machines',
    SubscriptionId: 'sub-1',
    CostInBillingCurrency: '2.4',
    BillingCurrency: 'EUR',
    Quantity: '24',
    UnitOfMeasure: '1 Hour',
    Frequency: 'UsageBased',
    ReservationId: '',
    Tags: '"team": "shop"',
  };
  const reserved = { PricingModel: 'Reservation', ReservationId: 'r-1' };
  const both = ['azure/actual.csv', 'azure/amortized.csv'];

  // dataset, beside which other one, row -> category, status, billed, effective.
  const rules: readonly (readonly [
    what: string,
    file: string,
    files: readonly string[],
    columns: Row,
    charge: string,
  ])[] = [
    ['actual usage beside amortized cost is only billed', both[0]!, both, {}, 'Usage - 2.4 0'],
    ['amortized usage beside actual cost is only effective', both[1]!, both, {}, 'Usage - 0 2.4'],
    ['usage that a reservation covers', both[1]!, both, reserved, 'Usage Used 0 2.4'],
    [
      'what nobody used of a reservation',
      both[1]!,
      both,
      { ...reserved, ChargeType: 'UnusedReservation' },
      'Usage Unused 0 2.4',
    ],
    [
      'what nobody used of a savings plan',
      both[1]!,
      both,
      { PricingModel: 'SavingsPlan', ReservationId: 'p', ChargeType: 'UnusedSavingsPlan' },
      'Usage Unused 0 2.4',
    ],
    [
      'the purchase of a reservation',
      both[0]!,
      both,
      { ...reserved, ChargeType: 'Purchase', Frequency: 'Recurring' },
      'Purchase - 2.4 0',
    ],
    ['a refund', both[0]!, both, { ...reserved, ChargeType: 'Refund', CostInBillingCurrency: '-9' }, 'Purchase - -9 0'],
    ['tax', both[0]!, both, { ChargeType: 'Tax', PricingModel: '' }, 'Tax - 2.4 0'],
    ['actual cost alone', 'actual.csv', ['actual.csv'], {}, 'Usage - 2.4 2.4'],
    [
      'amortized cost alone: covered usage is not billed',
      'amortized.csv',
      ['amortized.csv'],
      reserved,
      'Usage Used 0 2.4',
    ],
    ['amortized cost alone: other usage is', 'amortized.csv', ['amortized.csv'], {}, 'Usage - 2.4 2.4'],
    ['a file that does not say is taken for actual cost', 'usage.csv', ['usage.csv'], {}, 'Usage - 2.4 2.4'],
  ];

  test.each(rules)('%s', async (_what, file, files, columns, charge) => {
    const { format, rows, problems } = await translatedFile(file, exampleCsv([{ ...usual, ...columns }]), files);
    expect([format, problems]).toEqual(['azure', []]);
    const [category, status, billed, effective] = charge.split(' ');
    expect([rows[0]!.ChargeCategory, rows[0]!.CommitmentDiscountStatus ?? '-']).toEqual([category, status]);
    expect([rows[0]!.BilledCost, rows[0]!.EffectiveCost]).toEqual([money(billed!), money(effective!)]);
  });

  test('days, the billing period and tags without braces', async () => {
    const { rows } = await translatedFile('actual.csv', exampleCsv([usual]));
    expect(rows[0]).toMatchObject({
      ...{
        BillingPeriodStart: '2024-09-01T00:00:00Z',
        BillingPeriodEnd: '2024-10-01T00:00:00Z',
        Tags: '{"team": "shop"}',
      },
      ...{
        ChargePeriodStart: '2024-09-18T00:00:00Z',
        ChargePeriodEnd: '2024-09-19T00:00:00Z',
        ServiceCategory: 'Compute',
      },
    });
  });

  test('customer agreements write the same in other case, with ISO dates', async () => {
    const mca = Object.fromEntries(
      Object.entries(usual).map(([name, text]) => [name[0]!.toLowerCase() + name.slice(1), text]),
    );
    const row = {
      ...mca,
      date: '2024-09-18',
      billingPeriodStartDate: '2024-09-01',
      billingPeriodEndDate: '2024-09-30',
      tags: '{"team":"shop"}',
    };
    const { format, rows } = await translatedFile('actual.csv', exampleCsv([row]));
    expect(format).toBe('azure');
    expect(rows[0]).toMatchObject({
      ChargePeriodEnd: '2024-09-19T00:00:00Z',
      BilledCost: money('2.4'),
      BillingPeriodEnd: '2024-10-01T00:00:00Z',
    });
  });

  test('rows that belong to the other dataset are refused', async () => {
    const unused = await translatedFile(
      'usage.csv',
      exampleCsv([{ ...usual, ...reserved, ChargeType: 'UnusedReservation' }]),
    );
    expect(unused.problems).toEqual([expect.stringMatching(/only in amortized cost/)]);
    const purchase = await translatedFile(
      'amortized.csv',
      exampleCsv([{ ...usual, ...reserved, ChargeType: 'Purchase' }]),
    );
    expect(purchase.problems).toEqual([expect.stringMatching(/only in actual cost/)]);
  });
});

describe('OpenCost', () => {
  const allocation = (name: string, totalCost: number) => ({
    name,
    properties: { cluster: 'c1', namespace: name, labels: { app: 'shop' } },
    window: { start: '2024-09-18T00:00:00Z', end: '2024-09-19T00:00:00Z' },
    ...{ start: '2024-09-18T00:00:00Z', end: '2024-09-19T00:00:00Z', cpuCost: totalCost / 2, totalCost },
  });

  test('one charge per allocation, idle ones too', async () => {
    const document = { code: 200, data: [{ shop: allocation('shop', 1.25), __idle__: allocation('__idle__', 0.5) }] };
    const { format, rows, notes } = await translatedFile('allocation.json', JSON.stringify(document, null, 2));
    expect(format).toBe('opencost');
    expect(rows.map((row) => [row.ResourceId, row.EffectiveCost])).toEqual([
      ['shop', money('1.25')],
      ['__idle__', money('0.5')],
    ]);
    expect(rows[0]).toMatchObject({
      BillingAccountId: 'c1',
      Tags: '{"app":"shop"}',
      BillingPeriodEnd: '2024-10-01T00:00:00Z',
    });
    expect(notes).toEqual([expect.stringMatching(/USD/), expect.stringMatching(/count twice/)]);
  });

  test('a window in two months is refused', async () => {
    const wide = { ...allocation('a', 1), end: '2024-10-02T00:00:00Z' };
    const { problems } = await translatedFile('allocation.json', JSON.stringify({ data: [{ a: wide }] }));
    expect(problems).toEqual([expect.stringMatching(/two months/)]);
  });
});

describe('the plain table', () => {
  const usual: Row = { vendor: 'Example SaaS', amount: '12.50', currency: 'EUR', service: 'Mail', month: '2024-09' };
  const rules: readonly (readonly [what: string, columns: Row, charge: Row])[] = [
    [
      'a month',
      {},
      { ChargePeriodStart: '2024-09-01T00:00:00Z', ChargePeriodEnd: '2024-10-01T00:00:00Z', EffectiveCost: '12.50' },
    ],
    [
      'a day',
      { month: '', date: '2024-09-18' },
      { ChargePeriodEnd: '2024-09-19T00:00:00Z', BillingPeriodStart: '2024-09-01T00:00:00Z' },
    ],
    [
      'a period',
      { month: '', start: '2024-09-18T22:00:00Z', end: '2024-09-18T23:00:00Z' },
      { ChargePeriodStart: '2024-09-18T22:00:00Z' },
    ],
    ['billed in another month', { billing_month: '2024-10' }, { BillingPeriodStart: '2024-10-01T00:00:00Z' }],
    ['a year paid at once', { effective_amount: '1.05' }, { BilledCost: '12.50', EffectiveCost: '1.05' }],
    ['tags', { tags: '{"env":"prod"}', 'tag:team': 'shop' }, { Tags: '{"env":"prod","team":"shop"}' }],
    ['columns of its own', { seats: '25' }, { x_seats: '25' }],
  ];

  test.each(rules)('%s', async (_what, columns, charge) => {
    const { format, rows, problems } = await translatedFile('plain.csv', exampleCsv([{ ...usual, ...columns }]));
    expect([format, problems]).toEqual(['csv', []]);
    expect(rows[0]).toMatchObject({ BillingAccountId: 'default', ChargeCategory: 'Usage', ...charge });
  });

  const refused: readonly (readonly [what: string, columns: Row, problem: RegExp])[] = [
    ['no period', { month: '' }, /exactly one of month, date and start/],
    ['two periods', { date: '2024-09-18' }, /exactly one/],
    ['no such month', { month: '2024-13' }, /month "2024-13" is no month/],
    ['no vendor', { vendor: '' }, /vendor is empty/],
  ];

  test.each(refused)('refused: %s', async (_what, columns, problem) => {
    const { problems } = await translatedFile('plain.csv', exampleCsv([{ ...usual, ...columns }]));
    expect(problems).toContainEqual(expect.stringMatching(problem));
  });
});

test('two formats are not one export, and a missing column is named', async () => {
  const write = (name: string, text: string) => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return { name, path };
  };
  const plain = write('a.csv', 'vendor,amount,currency,service,month\nx,1,EUR,s,2024-09\n');
  const gcp = write(
    'b.jsonl',
    '{"billing_account_id":"a","invoice":{"month":"202409"},"cost":1,"usage_start_time":"2024-09-01"}\n',
  );
  const mixed = await judgeBill([plain, gcp], 'auto', null);
  expect(mixed.problems).toEqual([
    { path: 'b.jsonl', message: 'it is gcp and the files before it are csv: import them apart' },
  ]);
  const missing = await judgeBill([gcp], 'auto', null);
  expect(missing.problems.map(({ message }) => message)).toEqual([
    'the column currency is missing',
    'the column usage_end_time is missing',
  ]);
});
