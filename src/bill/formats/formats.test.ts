import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { judgeBill } from '../read-bill.ts';

const folder = tempFolder('formats');
afterAll(() => folder.remove());

function write(name: string, text: string) {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return { name, path };
}

test('two formats are not one export, and a missing column is named', async () => {
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

test('lines cut short are refused', async () => {
  const row = {
    billing_account_id: 'a',
    usage_start_time: '2024-09-18 22:00:00 UTC',
    cost: 1,
    invoice: { month: '202409' },
  };
  const file = write('cut.jsonl', `${JSON.stringify(row)}\n`.repeat(2).slice(0, -30));
  await expect(judgeBill([file], 'auto', null)).rejects.toMatchObject({
    code: 'FILE_DAMAGED',
    problems: [{ line: 2 }],
  });
});
