import { describe, expect, test } from 'vitest';
import { exampleCsv } from '../../../test/support/example-bill.ts';
import { money, type Row, translatedFile } from '../../../test/support/translated-file.ts';

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
