import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { describeWith } from '../../test/support/available.ts';
import { sharedData } from '../../test/support/data.ts';
import { exampleFile } from '../../test/support/example-bill.ts';
import { openedStore } from '../../test/support/opened-store.ts';
import { formatMoney } from '../model/index.ts';
import { importBill } from './bill.ts';
import { chargesInForce } from './queries.ts';

const { store, folder } = await openedStore('real-bills');

const now = new Date(Date.UTC(2025, 10, 1));

function importFiles(...paths: string[]) {
  const files = paths.map((path) => ({ name: basename(path), path }));
  return importBill(store, files, { format: 'auto', replace: false, now });
}

async function sums(where: string): Promise<{ billed: string; effective: string }> {
  const [row] = await store.columns.query<{ billed: string; effective: string }>(
    `SELECT toString(sum(billed)) AS billed, toString(sum(effective)) AS effective
     FROM charges WHERE ${where} AND ${await chargesInForce(store)}`,
  );
  return row!;
}

describeWith(sharedData('focus/focus-1.0-sample-1000.csv'), 'a real FOCUS 1.0 export', (path) => {
  test('adds up to the digit, and its dirt is counted', async () => {
    const summary = await importFiles(path);
    expect(summary).toMatchObject({ rows: 1000, rounded: 0 });
    expect(summary.dirt).toMatchObject({
      negativeUsage: 12,
      noZone: 4000,
      valueCase: 7,
      strayColumn: 1,
      contractedCostMissing: 7,
    });
    expect(await sums("billing_start BETWEEN '2024-09-01' AND '2024-10-01'")).toEqual({
      billed: '20.52022672899',
      effective: '14.97651418586',
    });
  });

  test('through Parquet with decimals it adds up to the same', async () => {
    const parquet = join(folder.path, 'sample.parquet');
    const cost = (name: string) => `toDecimal128OrNull(${name}, 18) AS ${name}`;
    const costs = ['BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost'];
    await store.columns.command(
      `INSERT INTO FUNCTION file('${parquet}', Parquet)
       SELECT * REPLACE (${costs.map(cost).join(', ')}, 'Parquet' AS BillingAccountId)
       FROM file('${path}', CSVWithNames) SETTINGS input_format_csv_use_best_effort_in_schema_inference = 0`,
    );
    const summary = await importFiles(parquet);
    expect(summary).toMatchObject({ rows: 1000, rounded: 0, files: [{ container: 'parquet' }] });
    expect(await sums("account = 'Parquet'")).toEqual({ billed: '20.52022672899', effective: '14.97651418586' });
  });
});

describeWith(sharedData('boutique/bill-2022-08.focus.csv'), 'the boutique bill', (path) => {
  test('adds up to the digit', async () => {
    await importFiles(path);
    expect(await sums("billing_start = '2022-08-01'")).toEqual({
      billed: '32.109563607083',
      effective: '32.629563607083',
    });
  });
});

describeWith(sharedData('tricky'), 'the tricky bills', (path) => {
  test('are one export of two files with groups of their own', async () => {
    const { groups, rounded } = await importFiles(join(path, 'bill-a.focus.csv'), join(path, 'bill-b.focus.csv'));
    expect(groups.map((group) => [group.source, group.account, group.billingStart.slice(0, 7), group.rows])).toEqual([
      ['AWS', 'AWS-1', '2025-01', 9],
      ['AWS', 'AWS-1', '2025-02', 1],
      ['GCP', 'AWS-1', '2025-01', 1],
      ['GCP', 'GCP-1', '2025-01', 4],
    ]);
    expect(rounded).toBe(4);
    expect((await sums("billing_start BETWEEN '2025-01-01' AND '2025-02-01'")).effective).toBe('3.386666666666666678');
  });
});

describeWith(sharedData('focus-corrections'), 'the correction examples of the specification', (path) => {
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.csv'));

  test.each(files)('%s', async (name) => {
    const rows = parse<Record<string, string>>(readFileSync(join(path, name)), { columns: true, bom: true });
    const given = { BillingAccountId: name, BillingCurrency: 'USD', ProviderName: 'Example' };
    const summary = await importBill(
      store,
      [
        exampleFile(
          folder.path,
          'example.csv',
          rows.map((row) => ({ ...row, ...given })),
        ),
      ],
      { format: 'auto', replace: false, now },
    );
    const whole = rows.reduce((sum, row) => sum + BigInt(row.BilledCost!), 0n);
    expect(summary.rows).toBe(rows.length);
    expect(summary.groups.map((group) => group.billed)).toEqual([formatMoney(whole * 10n ** 18n)]);
  });

  test('a null written in any way is the same null', async () => {
    const classes = await store.columns.query<{ class: string }>(
      `SELECT DISTINCT columns['ChargeClass'] AS class FROM charges WHERE source = 'Example' ORDER BY class`,
    );
    expect(classes.map((row) => row.class)).toEqual(['', 'Correction']);
  });
});
