import { describe, expect, test } from 'vitest';
import { exampleCsv } from '../../../test/support/example-bill.ts';
import { money, type Row, translatedFile } from '../../../test/support/translated-file.ts';

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
