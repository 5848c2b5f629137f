import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningTaximeter, startTaximeter, taximeter } from '../support/taximeter.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder('bills');
const at = (name: string) => join(folder.path, name);
let server: RunningTaximeter;
beforeAll(async () => {
  server = await startTaximeter(at('data'));
});
afterAll(async () => {
  await server?.stop();
  folder.remove();
});

const run = (...args: string[]) => taximeter([...args, '--data', at('data')]);

function put(name: string, text: string): string {
  writeFileSync(at(name), text);
  return at(name);
}

test('a folder with its manifest is imported, checked, shown and converted', async () => {
  mkdirSync(at('export'));
  put('export/part-1.csv', 'vendor,account,amount,currency,service,month\nExample,a,10,USD,Mail,2024-09\n');
  put('export/part-2.csv', 'vendor,account,amount,currency,service,month\nExample,a,2.5,USD,Maps,2024-09\n');
  put('export/manifest.json', JSON.stringify({ dataFiles: ['s3://b/part-1.csv', 's3://b/part-2.csv'] }));

  const first = await run('bill', 'import', at('export'), '--json');
  expect(first.err).toMatch(/file 3 of 3: part-2.csv/);
  expect(JSON.parse(first.out)).toMatchObject({
    format: 'csv',
    rows: 2,
    groups: [{ status: 'new', billed: '12.500000000000000000' }],
  });

  put('export/part-2.csv', 'vendor,account,amount,currency,service,month\nExample,a,4,USD,Maps,2024-09\n');
  const second = await run('bill', 'import', at('export/manifest.json'));
  expect(second.out).toContain('12.500000000000 -> 14.000000000000');
  expect(second.out).toMatch(/warning: no-issuer|every rule of FOCUS|note: no-invoice/);

  put(
    'export/manifest.json',
    JSON.stringify({ dataFiles: ['s3://b/part-1.csv', 's3://b/part-2.csv', 's3://b/part-3.csv'] }),
  );
  const missing = await run('bill', 'import', at('export'));
  expect([missing.code, missing.err]).toEqual([
    1,
    expect.stringContaining('part-3.csv that this manifest names was not given'),
  ]);

  const bad = await run(
    'bill',
    'check',
    put('bad.csv', 'vendor,amount,currency,service,month\nExample,much,USD,Mail,2024-09\n'),
  );
  expect([bad.code, bad.out]).toEqual([
    1,
    expect.stringContaining('refused: bad.csv line 2: BilledCost "much" is not an amount of money'),
  ]);

  const shown = JSON.parse((await run('bill', 'show', '--json')).out) as { importId: string }[];
  expect(shown).toMatchObject([{ format: 'csv', account: 'a', rows: 2, files: ['part-1.csv', 'part-2.csv'] }]);
  expect((await run('bill', 'show', shown[0]!.importId)).out).toContain('format csv');

  await run('allocate', '--from', '2024-09-01', '--to', '2024-10-01');
  const cost = ['cost', '--from', '2024-09-01', '--to', '2024-10-01', '--convert-to', 'EUR'];
  const without = await run(...cost);
  expect([without.code, without.err]).toEqual([1, expect.stringContaining('2024-09-01: no rate from USD to EUR')]);
  const rates = { source: 'Example bank', base: 'EUR', holdDays: 29, days: { '2024-09-01': { USD: '1.25' } } };
  const document = { apiVersion: 'taximeter/v1', kind: 'CurrencyRates', metadata: { name: 'bank' }, spec: rates };
  await run('apply', '-f', put('rates.json', JSON.stringify(document)));
  expect(JSON.parse((await run(...cost, '--json')).out)).toMatchObject({
    currency: 'EUR',
    identity: {
      bill: '11.200000000000000000',
      out_of_scope: '11.200000000000000000',
      residual: '0.000000000000000000',
    },
    conversion: {
      from: 'USD',
      rate: '0.800000000000000000',
      days: 30,
      sources: ['Example bank (CurrencyRates bank, version 1)'],
    },
  });
  const reconciled = JSON.parse((await run('reconcile', '--period', '2024-09', '--convert-to', 'EUR', '--json')).out);
  expect(reconciled).toMatchObject({
    lines: [{ currency: 'EUR', charges: '11.200000000000000000' }],
    conversions: [{ to: 'EUR' }],
  });
});
