import { describe, expect, test } from 'vitest';
import { exampleCsv } from '../../../test/support/example-bill.ts';
import { type Row, translatedFile } from '../../../test/support/translated-file.ts';

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
