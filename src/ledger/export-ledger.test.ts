import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { House } from '../../test/flow/house.ts';
import { billOf, callRequest, hour, modelOf } from '../../test/flow/small-input.ts';
import { repository } from '../../test/support/data.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { formatMoney, parseMoney, parseMonth } from '../model/index.ts';
import { type AllocatedCharge, allocatedCharges } from './allocated-charges.ts';
import { closePeriod } from './close.ts';
import { exportLedger } from './export-ledger.ts';
import { chargeback, statementOf } from './statement.ts';

interface Verification {
  readonly problems: string[];
  readonly hash: string;
  readonly blocks: number;
  readonly postings: number;
  readonly shares: number;
}
// The program is plain JavaScript that stands alone.
const program = join(repository, 'bin', 'taximeter-verify.js');
const { verifyLedger } = (await import(program)) as {
  verifyLedger: (path: string, options?: { seal?: string }) => Promise<Verification>;
};

const folder = tempFolder('export-ledger');
const house = await House.open(join(folder.path, 'house'));
afterAll(async () => {
  await house.close();
  folder.remove();
});

const august = parseMonth('2022-08');
const range = { from: '2022-08-01', to: '2022-09-01' };
const october = { BillingPeriodStart: '2022-10-01T00:00:00Z', BillingPeriodEnd: '2022-11-01T00:00:00Z' };
const vm = (number: number, cost: string, otherwise = {}) => ({
  ...{ ...hour(number), EffectiveCost: cost, BilledCost: '3', ListCost: '10.01', ...otherwise },
});
const pools = [
  { id: 'vm', match: { ServiceName: 'vm' } },
  { id: 'split', match: { ServiceName: 'db' }, driver: 'busy_us', split: { over: 'service', by: 'k8s.pod.cpu.usage' } },
  { id: 'people', kind: 'indirect', fixed: { amount: '100.000000000000000001', per: 'month' } },
];

/** Two allocations with a change between them, so that there are reversals; names that are hard to write. */
await house.apply(modelOf(pools));
const tenants = ['acme', 'a "b",\\', 'é\u{1f680}', '=1+1', '<script>alert(1)</script>'];
await house.ingestTraces(
  tenants.map((tenant, id) => callRequest({ id: id + 1, tenant, route: `/${id}`, durationMs: 3 + id })),
);
await house.ingestTraces([callRequest({ id: 60 }).replace('"kind":2', '"kind":1')]);
await house.importBills([billOf([vm(0, '7'), vm(0, '0.1'), vm(1, '2'), vm(0, '5', { ServiceName: 'db' })])]);
await house.allocate(range);
await house.importBills([
  billOf([
    vm(0, '7.7'),
    vm(0, '0.1'),
    vm(0, '-1'),
    vm(1, '2'),
    vm(0, '5', { ServiceName: 'db' }),
    vm(0, '9', { ServiceName: 'none' }),
  ]),
]);
await house.allocate(range);
await closePeriod(house.store, august, 'test', new Date());

async function written(month = august): Promise<string> {
  const path = join(folder.path, `${month.month}.jsonl`);
  const pieces: string[] = [];
  for await (const piece of exportLedger(house.store, month, new Date())) pieces.push(piece);
  writeFileSync(path, pieces.join(''));
  return path;
}

const original = await written();
const text = readFileSync(original, 'utf8');

async function problemsOf(changed: string): Promise<string[]> {
  const path = join(folder.path, 'changed.jsonl');
  writeFileSync(path, changed);
  return (await verifyLedger(path)).problems;
}

describe('an exported ledger', () => {
  test('is what was posted, as a program without Taximeter says', async () => {
    const { problems, blocks, postings, shares } = await verifyLedger(original);
    expect(problems).toEqual([]);
    const [counts] = await house.store.columns.query(
      `SELECT toUInt32(uniqExact(chain)) AS blocks, toUInt32(countIf(ledger = 'bill')) AS postings, toUInt32(countIf(ledger != 'bill')) AS shares FROM postings`,
    );
    expect({ blocks, postings, shares }).toEqual(counts);
    expect(text).toContain('"entry":"reversal"');
    const run = spawnSync(process.execPath, [program, original], { encoding: 'utf8' });
    expect([run.status, run.stdout]).toEqual([0, expect.stringContaining('2022-08: 2 blocks')]);
  });

  test('shows any flipped digit', async () => {
    const digits = [...text.matchAll(/\d/g)].map(({ index }) => index);
    const flips = fc.tuple(fc.constantFrom(...digits), fc.integer({ min: 1, max: 9 }));
    await fc.assert(
      fc.asyncProperty(flips, async ([at, by]) => {
        const digit = String((Number(text[at]) + by) % 10);
        expect(await problemsOf(text.slice(0, at) + digit + text.slice(at + 1))).not.toEqual([]);
      }),
      { numRuns: 150, seed: 4 },
    );
  });

  test('shows a removed line, two that changed places, a line twice and a cut end, wherever', async () => {
    const lines = text.trimEnd().split('\n');
    const changed = lines.flatMap((line, at) => [
      lines.toSpliced(at, 1),
      lines.slice(0, at),
      lines.toSpliced(at, 0, line),
      ...(at === 0 || lines[at - 1] === line ? [] : [lines.toSpliced(at - 1, 2, line, lines[at - 1]!)]),
    ]);
    for (const some of changed) expect(await problemsOf(`${some.join('\n')}\n`)).not.toEqual([]);
    expect(await problemsOf(text.slice(0, -1))).not.toEqual([]);
  });

  test('that was forged in itself is not the one that was sealed', async () => {
    const [period] = await house.store.documents.selectFrom('period').selectAll().execute();
    expect((await verifyLedger(original, { seal: period!.seal })).problems).toEqual([]);
    expect((await verifyLedger(original, { seal: 'f'.repeat(64) })).problems).toEqual([
      expect.stringContaining('has not come by the seal'),
    ]);
  });

  test('of a month without books has no block', async () => {
    const { problems, blocks } = await verifyLedger(await written(parseMonth('2021-01')));
    expect([problems, blocks]).toEqual([[], 0]);
  });
});

describe('what is owed', () => {
  test('the showback is the bill, the chargeback what tenants owe of it, and statements add up to that', async () => {
    const back = await chargeback(house.store, august, { view: 'showback', byEndpoint: false });
    expect(back.totals).toEqual([{ currency: 'USD', amount: '122.800000000000000001' }]);
    const owed = await chargeback(house.store, august, { view: 'chargeback', byEndpoint: true });
    const statements = await Promise.all(tenants.map((tenant) => statementOf(house.store, august, tenant, new Date())));
    expect(statements.flatMap(({ lines }) => lines).length).toBe(owed.lines.length);
    expect(sum(statements.flatMap(({ totals }) => totals))).toBe(owed.totals[0]!.amount);
    expect(statements.map(({ state, calls, seals }) => [state, calls.length, seals.length])).toEqual(
      tenants.map(() => ['final', 1, 1]),
    );
  });
});

describe('charges split over tenants', () => {
  async function rows(month = august, byEndpoint = false): Promise<AllocatedCharge[]> {
    const all: AllocatedCharge[] = [];
    for await (const row of allocatedCharges(house.store, month, byEndpoint)) all.push(row);
    return all;
  }

  test.each([false, true])(
    'add up to every charge in all four costs, and to what takers owe (by endpoint: %s)',
    async (by) => {
      const split = await rows(august, by);
      const charges = await house.store.columns.query<Record<string, string>>(
        `SELECT concat(toString(import_id), ':', toString(line)) AS id, billed AS BilledCost, effective AS EffectiveCost, list AS ListCost,
        contracted AS ContractedCost FROM charges WHERE import_id = (SELECT max(import_id) FROM charges) ORDER BY line`,
      );
      for (const { id, ...charge } of charges) {
        const own = split.filter((row) => row.x_OriginChargeId === id);
        for (const [name, cost] of Object.entries(charge))
          expect([id, name, sum(own.map((row) => ({ amount: row[name as 'BilledCost'] })))]).toEqual([
            id,
            name,
            formatMoney(parseMoney(cost).amountAtto),
          ]);
      }
      const owed = await chargeback(house.store, august, { view: 'showback', byEndpoint: false });
      for (const { ledger, tenant, pool, source, amount } of owed.lines) {
        const own = split.filter(
          (row) =>
            row.x_Account === ledger &&
            row.x_Pool === pool &&
            row.ProviderName === source &&
            (JSON.parse(row.AllocatedTags).tenant ?? '') === tenant,
        );
        expect([tenant, pool, sum(own.map((row) => ({ amount: row.EffectiveCost })))]).toEqual([tenant, pool, amount]);
      }
    },
  );

  test('name how each was split', async () => {
    const [row] = (await rows()).filter((each) => each.x_Pool === 'vm' && each.AllocatedResourceId === 'acme');
    expect(row).toMatchObject({
      AllocatedMethodId: 'taximeter:small@1:vm',
      AllocatedTags: '{"tenant":"acme"}',
      ServiceName: 'vm',
    });
    const { Elements } = JSON.parse(row!.AllocatedMethodDetails) as { Elements: Record<string, unknown>[] };
    expect(Elements).toEqual([{ AllocatedRatio: 0.2, UsageUnit: 'calls', UsageQuantity: 1 }]);
  });

  test('are refused while something is not allocated', async () => {
    await house.importBills([billOf([vm(0, '4', { BillingAccountId: 'late', ...october })])]);
    await house.allocate(range);
    await house.importBills([billOf([vm(0, '5', { BillingAccountId: 'late', ...october })])]);
    await expect(rows(parseMonth('2022-10'))).rejects.toMatchObject({ code: 'PERIOD_UNBALANCED' });
    await house.allocate(range);
    expect(sum((await rows(parseMonth('2022-10'))).map((row) => ({ amount: row.EffectiveCost })))).toBe(
      '5.000000000000000000',
    );
  });
});

function sum(amounts: readonly { readonly amount: string }[]): string {
  return formatMoney(amounts.reduce((total, { amount }) => total + parseMoney(amount).amountAtto, 0n));
}
