import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { exampleCsv } from '../../../test/support/example-bill.ts';
import { money, type Row, translatedFile } from '../../../test/support/translated-file.ts';

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
});
