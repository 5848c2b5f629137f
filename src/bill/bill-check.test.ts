import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../test/support/available.ts';
import { sharedData } from '../../test/support/data.ts';
import { type ExampleRow, exampleFile, exampleRow } from '../../test/support/example-bill.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { formatMoney } from '../model/index.ts';
import { checkExport } from './check-export.ts';

const folder = tempFolder('bill-check');
afterAll(() => folder.remove());

/** A row that no rule has anything to say against. */
const clean: ExampleRow = exampleRow({
  ...{
    InvoiceIssuerName: 'AWS',
    InvoiceId: 'INV-1',
    ConsumedQuantity: '1',
    ConsumedUnit: 'Hours',
    PricingUnit: 'Hours',
  },
  ...{
    CommitmentDiscountId: '',
    CommitmentDiscountStatus: '',
    ChargeClass: '',
    PricingQuantity: '1',
    ResourceId: 'i-1',
  },
  ...{ AllocatedMethodId: '', AllocatedResourceId: '' },
});

function check(...rows: ExampleRow[]) {
  return checkExport(
    [
      exampleFile(
        folder.path,
        'check.csv',
        rows.map((row) => ({ ...clean, ...row })),
      ),
    ],
    'auto',
  );
}

const used = { CommitmentDiscountId: 'c', CommitmentDiscountStatus: 'Used', BilledCost: '0', EffectiveCost: '3' };
const unused = { ...used, CommitmentDiscountStatus: 'Unused', EffectiveCost: '1', ConsumedQuantity: '' };
const bought = { ...{ CommitmentDiscountId: 'c', ChargeCategory: 'Purchase' }, BilledCost: '4', EffectiveCost: '0' };
const allocated = { AllocatedMethodId: 'm', AllocatedResourceId: 'pod', BilledCost: '0.5', EffectiveCost: '0.5' };

const rules: readonly (readonly [what: string, rows: readonly ExampleRow[], findings: readonly string[]])[] = [
  ['a clean row', [{}], []],
  ['a value that is not on its list', [{ PricingCategory: 'Gift' }], ['closed-list 1']],
  ['nobody who provides', [{ ProviderName: '' }], ['no-provider 1']],
  ['no service', [{ ServiceName: '' }, { ServiceCategory: 'NULL' }], ['no-service 2']],
  ['no invoice', [{ InvoiceId: '' }], ['no-invoice 1']],
  ['nobody who sends the invoice', [{ InvoiceIssuerName: '' }], ['no-issuer 1']],
  [
    'a charge of another month',
    [{ ChargePeriodStart: '2024-08-01', ChargePeriodEnd: '2024-08-02' }],
    ['outside-billing-period 1'],
  ],
  [
    'a correction of another month',
    [{ ChargePeriodStart: '2024-08-01', ChargePeriodEnd: '2024-08-02', ChargeClass: 'Correction' }],
    [],
  ],
  ['usage of nothing', [{ ConsumedQuantity: '' }], ['usage-without-quantity 1']],
  ['a quantity of what', [{ ConsumedUnit: '' }], ['quantity-without-unit 1']],
  ['negative usage', [{ BilledCost: '-1' }], ['negative-usage 1']],
  ['contracted above list', [{ ListCost: '0.5' }], ['contracted-above-list 1']],
  ['a commitment used or not, which?', [{ CommitmentDiscountId: 'c' }], ['commitment-without-status 1']],
  ['used, but which commitment?', [{ CommitmentDiscountStatus: 'Used' }], ['status-without-commitment 1']],
  ['covered usage that is billed again', [{ ...used, BilledCost: '1' }], ['covered-usage-billed 1']],
  ['a purchase that is effective too', [{ ...bought, EffectiveCost: '1' }, used, unused], ['purchase-effective 1']],
  ['used and unused make what was bought', [bought, used, unused], []],
  ['used and unused differ from what was bought', [bought, used], ['commitment-differs 1']],
  ['a commitment bought before this export', [used, unused], []],
  [
    'allocated rows in the place of their origin',
    [allocated, { ...allocated, AllocatedResourceId: '' }],
    ['allocated-without-resource 1'],
  ],
  ['allocated rows beside their origin', [allocated, allocated, {}], ['allocated-beside-origin 1']],
  ['allocated rows beside a row of another amount', [allocated, allocated, { BilledCost: '7' }], []],
];

test.each(rules)('%s', async (_what, rows, findings) => {
  const { check: report } = await check(...rows);
  expect(report.findings.map(({ rule, rows: count }) => `${rule} ${count}`)).toEqual(findings);
});

test('a row beside the rows it was split into is refused, in whatever order they come', async () => {
  for (const rows of [
    [{}, allocated, allocated],
    [allocated, {}, allocated],
  ]) {
    const { problems } = await check(...rows);
    expect(problems).toEqual([
      {
        path: 'check.csv',
        line: rows.indexOf(rows.find((row) => !('AllocatedMethodId' in row))!) + 2,
        message: expect.stringMatching(/count twice/),
      },
    ]);
  }
});

test('commitments and invoices are added up exactly', async () => {
  const amount = fc.bigInt(-(10n ** 24n), 10n ** 24n);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(amount, amount, fc.constantFrom('INV-1', 'INV-2')), { minLength: 1, maxLength: 10 }),
      async (rows) => {
        const { check: report } = await check(
          ...rows.map(([billed, effective, InvoiceId]) => ({
            ...used,
            BilledCost: formatMoney(billed),
            EffectiveCost: formatMoney(effective),
            InvoiceId,
          })),
        );
        for (const { invoice, billed } of report.invoices) {
          const own = rows.filter(([, , name]) => name === invoice);
          expect(billed).toBe(formatMoney(own.reduce((sum, [each]) => sum + each, 0n)));
        }
        expect(report.commitments[0]!.used).toBe(formatMoney(rows.reduce((sum, [, each]) => sum + each, 0n)));
      },
    ),
    { numRuns: 20 },
  );
});

test('what an import would refuse is told, with what can be said nevertheless', async () => {
  const report = await check({}, { BilledCost: 'free' });
  expect(report).toMatchObject({ rows: 2, problemCount: 1, problems: [{ line: 3, path: 'check.csv' }] });
  expect(report.groups).toMatchObject([{ rows: 1, billed: '1.000000000000000000' }]);
});

describeWith(sharedData('focus/focus-1.0-sample-1000.csv'), 'a real FOCUS 1.0 export', (path) => {
  test('gets a report that names its rows', async () => {
    const report = await checkExport([{ name: 'sample.csv', path }], 'auto');
    expect(report.problemCount).toBe(0);
    const findings = Object.fromEntries(report.check.findings.map(({ rule, rows }) => [rule, rows]));
    expect(findings).toMatchObject({ 'negative-usage': 12 });
    for (const { rows, examples } of report.check.findings) expect(examples.length).toBe(Math.min(rows, 5));
  });
});

describe('manifests', () => {
  const csv = 'vendor,amount,currency,service,month\nx,1,EUR,s,2024-09\n';
  const put = (name: string, text: string) => {
    const path = join(folder.path, name.replaceAll('/', '-'));
    writeFileSync(path, text);
    return { name, path };
  };
  const data = put('run/part-1.csv', csv);
  const manifests: readonly (readonly [what: string, manifest: object, problems: readonly RegExp[]])[] = [
    ['AWS, all there', { reportKeys: ['prefix/run/part-1.csv'] }, []],
    [
      'AWS, a part missing',
      { reportKeys: ['prefix/run/part-1.csv', 'prefix/run/part-2.csv'] },
      [/part-2.csv .* was not given/],
    ],
    ['AWS Data Exports', { dataFiles: ['s3://bucket/run/part-1.csv'] }, []],
    ['Azure, all there', { blobs: [{ blobName: 'x/run/part-1.csv', byteCount: csv.length, dataRowCount: 1 }] }, []],
    ['Azure, cut short', { blobs: [{ blobName: 'x/run/part-1.csv', byteCount: 999 }] }, [/says 999 bytes and it has/]],
    [
      'Azure, rows missing',
      { blobs: [{ blobName: 'x/run/part-1.csv', dataRowCount: 2 }] },
      [/says 2 rows and it has 1/],
    ],
    ['a file of another export', { dataFiles: [] }, [/no manifest names it/]],
  ];

  test.each(manifests)('%s', async (_what, manifest, problems) => {
    const { problems: told } = await checkExport([put('run/manifest.json', JSON.stringify(manifest)), data], 'auto');
    expect(told.map(({ message }) => message)).toEqual(problems.map((problem) => expect.stringMatching(problem)));
  });
});
