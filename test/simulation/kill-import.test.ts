import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chargesInForce, importBill } from '../../src/bill/index.ts';
import { openStore } from '../../src/store/index.ts';
import { repository } from '../support/data.ts';
import { exampleFile, exampleRow } from '../support/example-bill.ts';
import { tempFolder } from '../support/temp-folder.ts';

const script = join(repository, 'test', 'simulation', 'kill-import.ts');
const folder = tempFolder('kill-import');
const data = join(folder.path, 'data');
afterAll(() => folder.remove());

const hours = (amount: string, count: number) =>
  Array.from({ length: count }, () => exampleRow({ BilledCost: amount }));
const before = exampleFile(folder.path, 'before.csv', hours('1', 3));
const after = exampleFile(folder.path, 'after.csv', hours('2', 5_000));

/** What counts: rows, and their sum. */
async function inForce(work?: 'import'): Promise<string> {
  const store = await openStore({ folder: data });
  try {
    if (work) await importBill(store, [after], { format: 'auto', replace: false, now: new Date() });
    const [row] = await store.columns.query<{ rows: string; billed: string }>(
      `SELECT count() AS rows, toString(sum(billed)) AS billed FROM charges WHERE ${await chargesInForce(store)}`,
    );
    return `${row!.rows} rows, ${row!.billed}`;
  } finally {
    await store.close();
  }
}

/** Imports until it has said a word, then ends the process like a power cut. */
async function importUntil(word: string): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, data, after.path], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) if (line === word) child.kill('SIGKILL');
  await ended;
}

beforeAll(async () => {
  const store = await openStore({ folder: data });
  await importBill(store, [before], { format: 'auto', replace: false, now: new Date(Date.now() - 60_000) });
  await store.close();
});

it.each(['opened', '2000', 'loading', 'loaded'])(
  'killed at "%s", the old bill still counts as a whole',
  async (word) => {
    await importUntil(word);
    expect(['3 rows, 3', '5000 rows, 10000']).toContain(await inForce());
  },
);

it('the import after it puts the new one in force, once', async () => {
  expect(await inForce('import')).toBe('5000 rows, 10000');
  expect(await inForce('import')).toBe('5000 rows, 10000');
});
