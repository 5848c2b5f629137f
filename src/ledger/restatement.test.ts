import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openedHouse } from '../../test/flow/opened-house.ts';
import { billOf, callRequest, hour, modelOf, type SmallCharge } from '../../test/flow/small-input.ts';
import { describeWith } from '../../test/support/available.ts';
import { sharedData } from '../../test/support/data.ts';
import { parseMonth, parseRange } from '../model/index.ts';
import { closePeriod } from './close.ts';
import { costReport } from './cost-report.ts';
import { reconcile } from './reconcile.ts';

const { house } = await openedHouse('restatement');

const august = { from: '2022-08-01', to: '2022-09-01' };
const range = parseRange(august.from, august.to);
const september = { BillingPeriodStart: '2022-09-01T00:00:00Z', BillingPeriodEnd: '2022-10-01T00:00:00Z' };
const october = { BillingPeriodStart: '2022-10-01T00:00:00Z', BillingPeriodEnd: '2022-11-01T00:00:00Z' };

/** Seven calls of three tenants in the first hour; a third of anything is no round number. */
await house.apply(
  modelOf([
    { id: 'vm', match: { ServiceName: 'vm' } },
    { id: 'disk', match: { ServiceName: 'disk' }, driver: 'busy_us' },
  ]),
);
const tenants = ['acme', 'acme', 'acme', 'acme', 'beta', 'beta', 'zeta'];
await house.ingestTraces(tenants.map((tenant, id) => callRequest({ id: id + 1, tenant, durationMs: 7 + id })));

/** Every account is a world of its own: closed months of one do not touch those of another. */
class Account {
  readonly #name: string;
  constructor(name: string) {
    this.#name = name;
  }

  charge(EffectiveCost: string, otherwise: SmallCharge = {}): SmallCharge {
    return { BillingAccountId: this.#name, EffectiveCost, BilledCost: EffectiveCost, ...hour(0), ...otherwise };
  }

  async bring(...charges: SmallCharge[]): Promise<void> {
    await house.importBills([billOf(charges)]);
    await house.allocate(august);
  }

  async close(month: string): Promise<void> {
    await closePeriod(house.store, parseMonth(month), 'test', new Date());
  }

  /** What every tenant owes by the month whose books it is in. */
  async owed(): Promise<Record<string, Record<string, string>>> {
    const rows = await house.store.columns.query<{ month: string; tenant: string; amount: string }>(
      `SELECT formatDateTime(billing_start, '%Y-%m', 'UTC') AS month, tenant, sum(postings.amount) AS amount FROM postings
       WHERE ledger = 'tenant' AND account = {account:String} GROUP BY month, tenant ORDER BY month, tenant`,
      { account: this.#name },
    );
    const months: Record<string, Record<string, string>> = {};
    for (const { month, tenant, amount } of rows) months[month] = { ...months[month], [tenant]: amount };
    return months;
  }

  async line(month: string) {
    const { lines } = await reconcile(house.store, parseMonth(month));
    return lines.find(({ account }) => account === this.#name);
  }
}

/** Adds up what tenants owe over months. */
function total(owed: Record<string, Record<string, string>>): Record<string, bigint> {
  const sums: Record<string, bigint> = {};
  for (const [tenant, amount] of Object.values(owed).flatMap((month) => Object.entries(month)))
    sums[tenant] = (sums[tenant] ?? 0n) + BigInt(Number(amount) === 0 ? 0 : attoOf(amount));
  return sums;
}

function attoOf(amount: string): bigint {
  const [whole = '0', fraction = ''] = amount.replace('-', '').split('.');
  const atto = BigInt(whole) * 10n ** 18n + BigInt(fraction.padEnd(18, '0'));
  return amount.startsWith('-') ? -atto : atto;
}

const right = new Account('right');
await right.bring(right.charge('7.77'), right.charge('1', { ServiceName: 'disk' }));
const rightlyOwed = total(await right.owed());

describe('a bill that is restated after its month was closed', () => {
  const account = new Account('restated');

  test('leaves the closed month as it is and posts the difference in the open one', async () => {
    await account.bring(account.charge('10'), account.charge('1', { ServiceName: 'disk' }));
    await account.close('2022-08');
    const closed = (await account.owed())['2022-08'];
    // A late call takes nothing of what was shared out at close.
    await house.ingestTraces([callRequest({ id: 99, tenant: 'late', durationMs: 5_000 })]);
    await account.bring(account.charge('7.77'), account.charge('1', { ServiceName: 'disk' }));
    const owed = await account.owed();
    expect(owed['2022-08']).toEqual(closed);
    expect(Object.keys(owed)).toEqual(['2022-08', '2022-09']);
    expect(total(owed)).toEqual(rightlyOwed);
  });

  test('shows in both months what happened, and the books hold', async () => {
    expect(await account.line('2022-08')).toMatchObject({
      state: 'closed',
      ...{ billed: '11.000000000000000000', charges: '11.000000000000000000', residual: '0.000000000000000000' },
      findings: [
        expect.stringMatching(/^the bill was changed from 11\.0{18} to 8\.770{16} billed after it was closed/),
      ],
    });
    expect(await account.line('2022-09')).toMatchObject({
      state: 'open',
      ...{ billed: '0.000000000000000000', restated: '-2.230000000000000000', charges: '-2.230000000000000000' },
      ...{ corrections: '-2.230000000000000000', residual: '0.000000000000000000' },
    });
    const { identity, late } = await costReport(house.store, range, ['tenant']);
    expect(identity.residual).toBe('0.000000000000000000');
    expect(late).toBe(1);
  });

  test('again, by way of several months, comes to the same digits', async () => {
    await account.bring(account.charge('123.456', september));
    await account.close('2022-09');
    expect(await account.line('2022-09')).toMatchObject({ state: 'closed', charges: '121.226000000000000000' });
    await house.importBills([billOf([account.charge('3.33'), account.charge('1', { ServiceName: 'disk' })])]);
    await house.allocate(august);
    await account.bring(account.charge('7.77'), account.charge('1', { ServiceName: 'disk' }));
    const owed = await account.owed();
    expect(owed['2022-10']).toEqual({ acme: '0', beta: '0', zeta: '0' });
    expect((await account.line('2022-10')) ?? { residual: '0' }).toMatchObject({
      residual: expect.stringMatching(/^0/),
    });
  });
});

describe('corrections in a later bill', () => {
  const correct = { ...september };

  test.each<[string, (account: Account) => SmallCharge[][]]>([
    ['one delta', (account) => [[account.charge('-2.23', correct)]]],
    [
      'a reversal and the right charge',
      (account) => [[account.charge('-10', correct), account.charge('7.77', correct)]],
    ],
    [
      'a reversal in one month, the right charge in the next',
      (account) => [[account.charge('-10', correct)], [account.charge('7.77', october)]],
    ],
  ])('%s: everybody has what he would have had', async (name, bringing) => {
    const account = new Account(name);
    await account.bring(account.charge('10'), account.charge('1', { ServiceName: 'disk' }));
    await account.close('2022-08');
    const closed = (await account.owed())['2022-08'];
    for (const charges of bringing(account)) await account.bring(...charges);
    const owed = await account.owed();
    expect(owed['2022-08']).toEqual(closed);
    // These months were closed with the late call in them.
    const whole = new Account(`${name}, right from the beginning`);
    await whole.bring(whole.charge('7.77'), whole.charge('1', { ServiceName: 'disk' }));
    expect(total(owed)).toEqual(total(await whole.owed()));
  });

  test('as of a past date the money is what was known then, and calls are not known', async () => {
    const account = new Account('as of');
    await account.bring(account.charge('10'));
    const before = await costReport(house.store, range, ['tenant']);
    await account.close('2022-08');
    const then = new Date();
    await new Promise((done) => setTimeout(done, 2));
    await account.bring(account.charge('4'));
    const asOf = await costReport(house.store, range, ['tenant'], 'USD', 'UTC', then);
    expect(asOf.identity).toEqual(before.identity);
    expect(asOf.rows.map(({ tenant, full }) => [tenant, full])).toEqual(
      before.rows.map(({ tenant, full }) => [tenant, full]),
    );
    expect(asOf.rows[0]).toMatchObject({
      calls: null,
      late: null,
      fullPerCall: null,
      coverage: { weight: null, driver: null },
    });
    expect((await costReport(house.store, range, ['tenant'])).identity).not.toEqual(before.identity);
    expect(
      (await reconcile(house.store, parseMonth('2022-09'), then)).lines.map(({ account: of }) => of),
    ).not.toContain('as of');
    expect((await reconcile(house.store, parseMonth('2022-09'))).lines.map(({ account: of }) => of)).toContain('as of');
  });
});

describeWith(sharedData('focus-corrections/closed-billing-period'), 'the correction examples of FOCUS', (data) => {
  const file = (name: string) => readFileSync(`${data}/scenario_1_partial_reallocation_${name}.csv`, 'utf8');

  /** The examples leave out the columns that they do not need. */
  function complete(text: string, account: string): string {
    const [head, ...lines] = text.trimEnd().split('\n');
    return [
      `${head},ProviderName,BillingAccountId,BillingCurrency,ServiceName,ServiceCategory`,
      ...lines.map((line) => `${line.replaceAll('(null)', '')},FOCUS,${account},USD,vm,Compute`),
    ].join('\n');
  }

  test('delta and ledger net to the same digits, resource by resource, and May stays what it was', async () => {
    const spans = ['acme', 'beta', 'zeta'].map((tenant, at) =>
      callRequest({ id: 500 + at, tenant, atMs: Date.UTC(2025, 4, 1) - Date.UTC(2022, 7, 1) + at }),
    );
    await house.ingestTraces(spans);
    await house.apply(
      modelOf(
        [
          { id: 'first', match: { ResourceId: 'R-111' } },
          { id: 'second', match: { ResourceId: 'R-222' } },
        ],
        { effectiveFrom: '2025-05-01' },
      ),
    );
    const may = { from: '2025-05-01', to: '2025-06-01' };
    const outcome: Record<string, unknown> = {};
    for (const style of ['delta', 'ledger']) {
      await house.importBills([complete(file('original'), style)]);
      await house.allocate(may);
      await closePeriod(house.store, parseMonth('2025-05'), 'test', new Date());
      await house.importBills([complete(file(style), style)]);
      await house.allocate(may);
      outcome[style] = await house.store.columns.query(
        `SELECT formatDateTime(billing_start, '%Y-%m', 'UTC') AS month, pool, tenant, sum(postings.amount) AS amount FROM postings
         WHERE ledger = 'tenant' AND source = 'FOCUS' AND account = {style:String} GROUP BY month, pool, tenant ORDER BY month, pool, tenant`,
        { style },
      );
    }
    expect(outcome.ledger).toEqual(outcome.delta);
    const of = (month: string, pool: string, amount: string) =>
      ['acme', 'beta', 'zeta'].map((tenant) => ({ month, pool, tenant, amount }));
    expect(outcome.delta).toEqual([
      ...of('2025-05', 'first', '500'),
      ...of('2025-06', 'first', '-100'),
      ...of('2025-06', 'second', '100'),
    ]);
  });
});
