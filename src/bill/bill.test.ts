import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ExampleRow, exampleCsv, exampleFile, exampleRow } from '../../test/support/example-bill.ts';
import { openedStore } from '../../test/support/opened-store.ts';
import { formatMoney, parseMoney } from '../model/index.ts';
import { type BillImportOptions, importBill } from './bill.ts';
import { activeImports, chargesInForce } from './queries.ts';
import { shownBills, shownReport } from './shown-bills.ts';
import type { BillFile } from './table.ts';

const { store, folder } = await openedStore('bill');
const NOON = Date.UTC(2024, 9, 2, 12);

/** Each test has an account of its own; the days are those of the import. */
function importRows(rows: readonly ExampleRow[], options: Partial<BillImportOptions> & { day?: number } = {}) {
  const now = new Date(NOON + (options.day ?? 0) * 86_400_000);
  const file = exampleFile(folder.path, 'bill.csv', rows);
  return importBill(store, [file], { format: 'auto', replace: false, now, ...options });
}

function hours(account: string, amounts: readonly string[], otherwise: ExampleRow = {}): ExampleRow[] {
  return amounts.map((BilledCost) => exampleRow({ BillingAccountId: account, BilledCost, ...otherwise }));
}

async function stored(account: string, asOf?: Date): Promise<{ rows: number; billed: string }> {
  const [row] = await store.columns.query<{ rows: string; billed: string }>(
    `SELECT count() AS rows, toString(sum(billed)) AS billed FROM charges
     WHERE account = {account:String} AND ${await chargesInForce(store, asOf)}`,
    { account },
  );
  return { rows: Number(row!.rows), billed: row!.billed };
}

async function written(account: string): Promise<number> {
  const sql = 'SELECT count() AS rows FROM charges WHERE account = {account:String}';
  const [row] = await store.columns.query<{ rows: string }>(sql, { account });
  return Number(row!.rows);
}

test('a charge keeps every digit, every column and every tag', async () => {
  const amounts = { BilledCost: '4e-10', EffectiveCost: '-123456789012345.000000000000000001' };
  const given = {
    ...amounts,
    ListCost: '0',
    ContractedCost: '1',
    Tags: '{" team":"a","n":1}',
    RegionId: 'NULL',
    x_More: "it's",
  };
  await importRows([exampleRow({ BillingAccountId: "o'clock\\", ...given })]);
  const [row] = await store.columns.query<Record<string, unknown>>(
    `SELECT * EXCEPT (import_id) FROM charges WHERE ${await chargesInForce(store)} AND account = {account:String}`,
    { account: "o'clock\\" },
  );
  expect(row).toMatchObject({
    ...{ line: 1, source: 'AWS', account: "o'clock\\", currency: 'USD', tags: { team: 'a', n: '1' } },
    ...{ billed: '0.0000000004', effective: '-123456789012345.000000000000000001', list: '0', contracted: '1' },
    ...{ billing_start: '2024-09-01 00:00:00', billing_end: '2024-10-01 00:00:00' },
    ...{ charge_start: '2024-09-18 22:00:00', charge_end: '2024-09-18 23:00:00' },
  });
  expect(row!.columns).toMatchObject({ BilledCost: '4e-10', ServiceName: 'vm', x_More: "it's" });
  expect(Object.keys(row!.columns as object)).not.toContain('RegionId');
});

test('the same export again changes nothing and writes nothing', async () => {
  const rows = hours('twice', ['1', '2', '0.5']);
  const first = await importRows(rows);
  const second = await importRows(rows, { day: 1 });
  expect([first.groups[0]!.status, second.groups[0]!.status]).toEqual(['new', 'unchanged']);
  expect(second.groups[0]!.previousBilled).toBe('3.500000000000000000');
  expect(await written('twice')).toBe(3);
});

test('a larger export takes the place of the one in force, and its summary says from what to what', async () => {
  await importRows(hours('grows', ['1', '2']));
  const { groups } = await importRows(hours('grows', ['1', '2', '4']), { day: 1 });
  expect(groups).toEqual([
    {
      ...{ source: 'AWS', account: 'grows', currency: 'USD', rows: 3, status: 'replaced' },
      ...{ billingStart: '2024-09-01T00:00:00Z', billingEnd: '2024-10-01T00:00:00Z' },
      ...{ billed: '7.000000000000000000', effective: '3.000000000000000000' },
      ...{ previousBilled: '3.000000000000000000', previousEffective: '2.000000000000000000' },
    },
  ]);
  expect(await stored('grows')).toEqual({ rows: 3, billed: '7' });
});

test('what was in force on a past date can still be asked for', async () => {
  await importRows(hours('past', ['1']), { day: 0 });
  await importRows(hours('past', ['5']), { day: 2 });
  const on = (day: number) => stored('past', new Date(NOON + day * 86_400_000));
  expect(await Promise.all([on(-1), on(0), on(1), on(2), on(3)])).toEqual([
    { rows: 0, billed: '0' },
    { rows: 1, billed: '1' },
    { rows: 1, billed: '1' },
    { rows: 1, billed: '5' },
    { rows: 1, billed: '5' },
  ]);
});

test('a smaller export is refused unless it is meant', async () => {
  await importRows(hours('shrinks', ['1', '2', '3']));
  const smaller = hours('shrinks', ['1', '2']);
  await expect(importRows(smaller)).rejects.toMatchObject({
    code: 'BILL_SMALLER',
    problems: [{ message: 'AWS shrinks USD billing period 2024-09-01T00:00:00Z would have 2 rows instead of 3' }],
  });
  expect(await stored('shrinks')).toEqual({ rows: 3, billed: '6' });
  await importRows(smaller, { replace: true });
  expect(await stored('shrinks')).toEqual({ rows: 2, billed: '3' });
});

test('a closed period takes the same content, and any other as restated; a correction in a later period is taken', async () => {
  const september = hours('closed', ['1', '2']);
  await importRows(september);
  const place = {
    source: 'AWS',
    account: 'closed',
    currency: 'USD',
    billing_start: Date.UTC(2024, 8),
    billing_end: Date.UTC(2024, 9),
  };
  const closing = { closed_at: '', closed_by: 'test', charges: '3', fingerprint: '' };
  await store.documents
    .insertInto('period')
    .values({ ...place, ...closing })
    .execute();

  expect((await importRows(september)).groups[0]!.status).toBe('unchanged');
  const restated = hours('closed', ['1', '2', '9']);
  expect((await importRows(restated)).groups[0]!.status).toBe('restated');
  expect((await importRows(september, { replace: true })).groups[0]!.status).toBe('restated');
  const october = { BillingPeriodStart: '2024-10-01', BillingPeriodEnd: '2024-11-01', ChargeClass: 'Correction' };
  const summary = await importRows([...september, ...hours('closed', ['-2'], october)]);
  expect(summary.groups.map((group) => group.status)).toEqual(['unchanged', 'new']);
  expect(await stored('closed')).toEqual({ rows: 3, billed: '1' });
});

test('one bad row, and nothing of any file is stored', async () => {
  const good = exampleFile(folder.path, 'good.csv', hours('all-or-nothing', ['1', '2']));
  const bad = exampleFile(folder.path, 'bad.csv', [
    ...hours('all-or-nothing', ['3']),
    ...hours('all-or-nothing', ['much']),
  ]);
  const importing = importBill(store, [good, bad], { format: 'auto', replace: false, now: new Date(NOON) });
  await expect(importing).rejects.toMatchObject({
    code: 'BILL_INVALID',
    facts: { problems: 1 },
    problems: [{ path: 'bad.csv', line: 3, message: 'BilledCost "much" is not an amount of money' }],
  });
  expect(await written('all-or-nothing')).toBe(0);
});

test('of many problems the first hundred are named and all are counted', async () => {
  const rows = Array.from({ length: 150 }, () => exampleRow({ BillingCurrency: 'XXZ', BilledCost: '' }));
  const failure = await importRows(rows).catch((cause) => cause);
  expect(failure).toMatchObject({ code: 'BILL_INVALID', facts: { problems: 300 } });
  expect(failure.problems).toHaveLength(100);
  expect(failure.problems[99].line).toBe(51);
});

const refused: readonly (readonly [what: string, text: string, failure: object])[] = [
  ['a table of something else', 'time,user\n1,2\n', { code: 'FORMAT_UNKNOWN' }],
  [
    'a missing column',
    exampleCsv([exampleRow()]).replace('EffectiveCost', 'Cost'),
    { code: 'BILL_INVALID', problems: [{ line: 1, message: 'the column EffectiveCost is missing' }] },
  ],
  [
    'a row cut short',
    `${exampleCsv([exampleRow()])}1,1,1\n`,
    { code: 'BILL_INVALID', problems: [{ line: 3, message: 'the row has 3 values where the header has 14' }] },
  ],
  [
    'two ends of one billing period',
    exampleCsv([exampleRow(), exampleRow({ BillingPeriodEnd: '2024-10-02' })]),
    { code: 'BILL_INVALID', problems: [{ line: 3 }] },
  ],
  ['no file at all', '', { code: 'FILE_DAMAGED' }],
];

test.each(refused)('refused: %s', async (_what, text, failure) => {
  const path = join(folder.path, 'refused.csv');
  writeFileSync(path, text);
  const importing = importBill(store, [{ name: 'refused.csv', path }], {
    format: 'auto',
    replace: false,
    now: new Date(NOON),
  });
  await expect(importing).rejects.toMatchObject(failure);
});

test('an export without rows changes nothing and says so', async () => {
  const path = join(folder.path, 'empty.csv');
  writeFileSync(path, exampleCsv([]));
  const summary = await importBill(store, [{ name: 'empty.csv', path }], {
    format: 'focus',
    replace: false,
    now: new Date(NOON),
  });
  expect(summary).toMatchObject({ rows: 0, groups: [], notes: ['the export has no rows; nothing was changed'] });
});

test('columns that may be absent are made up for, and that is noted', async () => {
  const {
    ListCost: _list,
    ContractedCost: _contracted,
    ...row
  } = exampleRow({ BillingAccountId: 'absent', BilledCost: '7' });
  const { notes, dirt } = await importRows([row]);
  expect(notes).toContain('the column ListCost is absent; BilledCost stands in for it');
  expect(dirt).toMatchObject({ listCostMissing: 1, contractedCostMissing: 1 });
  const sql = "SELECT toString(list) AS list, toString(contracted) AS contracted FROM charges WHERE account = 'absent'";
  expect(await store.columns.query(sql)).toEqual([{ list: '7', contracted: '7' }]);
});

test('currencies of one account stand apart in every sum', async () => {
  const { groups, byService } = await importRows([
    ...hours('two', ['1']),
    ...hours('two', ['2', '4'], { BillingCurrency: 'EUR' }),
  ]);
  expect(groups.map(({ currency, billed }) => [currency, billed])).toEqual([
    ['EUR', '6.000000000000000000'],
    ['USD', '1.000000000000000000'],
  ]);
  expect(byService.map(({ currency }) => currency).sort()).toEqual(['EUR', 'USD']);
});

test('the same account at another provider is noted: it may be one bill counted twice', async () => {
  await importRows(hours('renamed', ['1']));
  const { notes } = await importRows(hours('renamed', ['1'], { ProviderName: 'Example' }));
  expect(notes).toEqual([expect.stringMatching(/^AWS renamed .* overlaps Example/)]);
});

test('the same bill under another name of its provider, or in months of another zone, is refused until it is meant', async () => {
  await importRows(hours('overlaps', ['1']));
  const renamed = hours('overlaps', ['1', '2'], { ProviderName: 'Amazon Web Services, Inc.' });
  const shifted = { BillingPeriodStart: '2024-09-01T07:00:00Z', BillingPeriodEnd: '2024-10-01T07:00:00Z' };
  for (const rows of [renamed, hours('overlaps', ['1', '2'], shifted)]) {
    await expect(importRows(rows)).rejects.toMatchObject({
      code: 'BILL_OVERLAPS',
      problems: [
        { message: expect.stringMatching(/^AWS overlaps USD billing period 2024-09-01T00:00:00Z is in force/) },
      ],
    });
  }
  expect(await stored('overlaps')).toEqual({ rows: 1, billed: '1' });
  const { notes, groups } = await importRows(renamed, { replace: true });
  expect(notes).toEqual([expect.stringMatching(/overlaps this export and is out of force/)]);
  expect(groups).toMatchObject([{ status: 'replaced', previousBilled: '1.000000000000000000' }]);
  expect(await stored('overlaps')).toEqual({ rows: 2, billed: '3' });
});

test('the same month from another kind of export takes its place and says so; both reports are kept', async () => {
  await importRows(hours('moves', ['1'], { ProviderName: 'Shop' }));
  const path = join(folder.path, 'plain.csv');
  writeFileSync(path, 'vendor,account,amount,currency,service,month\nShop,moves,3,USD,vm,2024-09\n');
  const now = new Date(NOON + 86_400_000);
  const summary = await importBill(store, [{ name: 'plain.csv', path }], { format: 'auto', replace: false, now });
  expect(summary.format).toBe('csv');
  expect(summary.notes).toContain(
    'Shop moves USD billing period 2024-09-01T00:00:00Z came as focus before and comes as csv now',
  );
  const [shown] = (await shownBills(store)).filter(({ account }) => account === 'moves');
  expect(shown).toMatchObject({ format: 'csv', billed: '3.000000000000000000', files: ['plain.csv'] });
  expect((await shownReport(store, shown!.importId))!.check).toEqual(summary.check);
});

test('files of one export add up, whatever they are packed in', async () => {
  const plain = exampleFile(folder.path, 'part-1.csv', hours('parts', ['1', '2']));
  const packed = { name: 'part-2', path: join(folder.path, 'part-2') };
  writeFileSync(packed.path, gzipSync(exampleCsv(hours('parts', ['2', '8']))));
  const zipped = zipOf('part-3', { 'report/part-3.csv': exampleCsv(hours('parts', ['4'])) });
  const files = [plain, packed, zipped];
  const summary = await importBill(store, files, { format: 'auto', replace: false, now: new Date(NOON) });
  expect(summary.files.map(({ container, rows }) => [container, rows])).toEqual([
    ['plain', 2],
    ['gzip', 2],
    ['zip', 1],
  ]);
  expect(await stored('parts')).toEqual({ rows: 5, billed: '17' });
});

/** Packs texts as a program does that is not ours. */
function zipOf(name: string, entries: Record<string, string>): BillFile {
  const path = join(folder.path, name);
  const program = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:
    for name, text in json.load(sys.stdin).items(): z.writestr(name, text)`;
  execFileSync('python3', ['-c', program, path], { input: JSON.stringify(entries) });
  return { name, path };
}

test.each<readonly [string, () => BillFile, string]>([
  ['two files', () => zipOf('two', { 'a.csv': 'x', 'b.csv': 'y' }), 'one file is expected in it, and it holds 2'],
  ['no file', () => zipOf('none', { 'folder/': '' }), 'one file is expected in it, and it holds 0'],
  ['another checksum', () => damagedZip(), 'checksum'],
  ['its end missing', () => cutZip(), 'End of central directory'],
])('a ZIP with %s is refused', async (_, make, reason) => {
  const files = [make()];
  await expect(importBill(store, files, { format: 'auto', replace: false, now: new Date(NOON) })).rejects.toMatchObject(
    {
      code: 'FILE_DAMAGED',
      problems: [{ message: expect.stringContaining(reason) }],
    },
  );
});

/** Changes one byte of where the directory of a ZIP says the checksum. */
function damagedZip(): BillFile {
  const zip = zipOf('damaged', { 'a.csv': exampleCsv(hours('damaged', ['1'])) });
  const bytes = readFileSync(zip.path);
  const entry = bytes.indexOf(Buffer.from('504b0102', 'hex'));
  bytes[entry + 16]! ^= 1;
  writeFileSync(zip.path, bytes);
  return zip;
}

function cutZip(): BillFile {
  const zip = zipOf('cut', { 'a.csv': exampleCsv(hours('cut', ['1'])) });
  const bytes = readFileSync(zip.path);
  writeFileSync(zip.path, bytes.subarray(0, bytes.length - 30));
  return zip;
}

const anyAmount = fc.bigInt(-(10n ** 30n), 10n ** 30n).map((atto) => formatMoney(atto));
let trial = 0;

test('any export imported twice, its rows in another order and in two files, is imported once and adds up exactly', async () => {
  const anyBill = fc
    .array(anyAmount, { minLength: 1, maxLength: 12 })
    .chain((amounts) =>
      fc.tuple(
        fc.constant(amounts),
        fc.shuffledSubarray(amounts, { minLength: amounts.length }),
        fc.nat(amounts.length),
      ),
    );
  await fc.assert(
    fc.asyncProperty(anyBill, async ([amounts, shuffled, cut]) => {
      const account = `property-${++trial}`;
      await importRows(hours(account, amounts));
      const files = [shuffled.slice(0, cut), shuffled.slice(cut)].map((part, i) => {
        const path = join(folder.path, `half-${i}.csv`);
        writeFileSync(path, exampleCsv(part.length > 0 ? hours(account, part) : []));
        return { name: `half-${i}.csv`, path };
      });
      const again = await importBill(store, files, { format: 'auto', replace: false, now: new Date(NOON) });
      expect(again.groups.map((group) => group.status)).toEqual(['unchanged']);
      const sum = amounts.reduce((total, amount) => total + parseMoney(amount).amountAtto, 0n);
      const { rows, billed } = await stored(account);
      expect([rows, parseMoney(billed).amountAtto, await written(account)]).toEqual([
        amounts.length,
        sum,
        amounts.length,
      ]);
    }),
    { numRuns: 15 },
  );
});

test('of two imports of the same bill at the same time exactly one counts', async () => {
  const importing = ['1', '2'].map((amount, i) => {
    const file = exampleFile(folder.path, `race-${i}.csv`, hours('race', [amount]));
    return importBill(store, [file], { format: 'auto', replace: false, now: new Date(NOON) });
  });
  const outcomes = await Promise.allSettled(importing);
  const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
  for (const { reason } of lost) expect(reason).toMatchObject({ code: 'BILL_BUSY' });
  expect((await stored('race')).rows).toBe(1);
  expect((await activeImports(store)).filter((row) => row.account === 'race')).toHaveLength(1);
});

test('rows of an import that never finished are invisible, and a later import removes them', async () => {
  const abandoned = Date.UTC(2020, 0) * 1000;
  await store.columns.command(
    `INSERT INTO charges (import_id, line, source, account, currency, billing_start, billed)
     VALUES ({abandoned:UInt64}, 1, 'AWS', 'orphan', 'USD', '2024-09-01 00:00:00', 5)`,
    { abandoned },
  );
  await importRows(hours('orphan', ['1']));
  expect(await stored('orphan')).toEqual({ rows: 1, billed: '1' });
  await expect.poll(() => written('orphan')).toBe(1);
});

test('nothing is left in the scratch folder, also after a failure', async () => {
  await importRows(hours('scratch', ['1']));
  await expect(importRows(hours('scratch', ['x']))).rejects.toMatchObject({ code: 'BILL_INVALID' });
  expect(
    existsSync(store.scratch) ? readdirSync(store.scratch).filter((name) => name.startsWith('bill-')) : [],
  ).toEqual([]);
});

test('who imported which files is kept', async () => {
  await importRows(hours('kept', ['1']), { importedBy: 'ann' });
  const [row] = (await activeImports(store)).filter(({ account }) => account === 'kept');
  expect(JSON.parse(row!.files)).toEqual([{ name: 'bill.csv', importedBy: 'ann' }]);
});
