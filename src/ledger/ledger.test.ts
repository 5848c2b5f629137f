import { afterAll, describe, expect, test } from 'vitest';
import { inHouse } from '../../test/flow/empty-house.ts';
import type { House } from '../../test/flow/house.ts';
import { AUGUST, billOf, callRequest, hour, modelOf } from '../../test/flow/small-input.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { parseMonth } from '../model/index.ts';
import { closePeriod } from './close.ts';
import { reconcile } from './reconcile.ts';

const folder = tempFolder('ledger');
afterAll(() => folder.remove());
let houses = 0;
const withHouse = (work: (house: House) => Promise<void>) => () => inHouse(`${folder.path}/${houses++}`, work);

const august = parseMonth('2022-08');
const two = [callRequest({ id: 1, tenant: 'acme' }), callRequest({ id: 2, tenant: 'zeta' })];

async function started(house: House, bill = billOf([{ EffectiveCost: '3' }]), model = modelOf()): Promise<void> {
  await house.apply(model);
  await house.ingestTraces(two);
  await house.importBills([bill]);
  await house.allocate(AUGUST);
}

/** Every row that was ever posted, as texts. */
async function postings(house: House): Promise<string[]> {
  const rows = await house.store.columns.query<Record<string, unknown>>(
    'SELECT * FROM postings ORDER BY batch, slice, version, entry, ledger, tenant, endpoint',
  );
  return rows.map((row) => JSON.stringify(row));
}

async function unbalanced(house: House): Promise<unknown[]> {
  return house.store.columns.query(
    'SELECT slice, version, entry, sum(amount) AS amount FROM postings GROUP BY slice, version, entry HAVING amount != 0',
  );
}

const identity = async (house: House) => (await house.report(AUGUST)).identity;

describe('posting', () => {
  test(
    'again posts nothing',
    withHouse(async (house) => {
      await started(house);
      const before = await postings(house);
      expect(await house.allocate(AUGUST)).toMatchObject({ slices: 1, posted: 0, reversed: 0, unchanged: 1, rows: 0 });
      expect(await postings(house)).toEqual(before);
    }),
  );

  test(
    'twice at once posts once',
    withHouse(async (house) => {
      await started(house);
      await house.importBills([billOf([{ EffectiveCost: '5' }])]);
      const [first, second] = await Promise.all([house.allocate(AUGUST), house.allocate(AUGUST)]);
      expect([first.posted, second.posted]).toEqual([1, 0]);
      expect(await identity(house)).toMatchObject({ bill: '5.000000000000000000', residual: '0.000000000000000000' });
    }),
  );

  test(
    'reverses and rebooks changed shares in one block, and every posting adds up to zero',
    withHouse(async (house) => {
      await started(house);
      await house.ingestTraces([callRequest({ id: 3, tenant: 'late' })]);
      expect(await house.allocate(AUGUST)).toMatchObject({ posted: 1, reversed: 1, unchanged: 0 });
      const blocks = await house.store.columns.query(
        `SELECT toString(version) AS version, toString(entry) AS entry, _part FROM postings GROUP BY version, entry, _part ORDER BY version, entry`,
      );
      const [first, again, reversal] = blocks as { version: string; entry: string; _part: string }[];
      expect([first, again, reversal].map((row) => `${row!.version} ${row!.entry}`)).toEqual([
        '1 posting',
        '1 reversal',
        '2 posting',
      ]);
      expect(again!._part).toBe(reversal!._part);
      expect(await unbalanced(house)).toEqual([]);
      expect((await house.report(AUGUST)).rows.map(({ tenant, full }) => [tenant, full])).toEqual([
        ['acme', '1.000000000000000000'],
        ['late', '1.000000000000000000'],
        ['zeta', '1.000000000000000000'],
      ]);
    }),
  );

  test(
    'reverses what can no longer be shared out, and posts it anew when it comes back',
    withHouse(async (house) => {
      const both = billOf([{ EffectiveCost: '3' }, { EffectiveCost: '4', ...hour(1) }]);
      await started(house, both);
      await house.importBills([billOf([{ EffectiveCost: '3' }])]);
      expect(await house.allocate(AUGUST)).toMatchObject({ posted: 0, reversed: 1, unchanged: 1 });
      expect(await identity(house)).toMatchObject({ bill: '3.000000000000000000', residual: '0.000000000000000000' });
      await house.importBills([both]);
      expect(await house.allocate(AUGUST)).toMatchObject({ posted: 1, reversed: 0, unchanged: 1 });
      expect(await identity(house)).toMatchObject({ bill: '7.000000000000000000', residual: '0.000000000000000000' });
      expect(await unbalanced(house)).toEqual([]);
    }),
  );

  test(
    'touches nothing outside of its range; reconcile says which range is left',
    withHouse(async (house) => {
      await started(house, billOf([{ EffectiveCost: '3' }, { EffectiveCost: '4', ...hour(30) }]));
      await house.importBills([billOf([{ EffectiveCost: '3' }])]);
      const firstDay = { from: '2022-08-01', to: '2022-08-02' };
      expect(await house.allocate(firstDay)).toMatchObject({ posted: 0, reversed: 0, unchanged: 1 });
      const [line] = (await reconcile(house.store, august)).lines;
      expect(line).toMatchObject({ residual: '-4.000000000000000000' });
      expect(line!.findings).toEqual([
        'not everything is posted: run taximeter allocate --from 2022-08-01T00:00:00Z --to 2022-08-02T07:00:00Z',
      ]);
      await house.allocate({ from: '2022-08-01T00:00:00Z', to: '2022-08-02T07:00:00Z' });
      expect((await reconcile(house.store, august)).residual).toBe('0.000000000000000000');
    }),
  );

  test(
    'takes sums beyond what one charge may be',
    withHouse(async (house) => {
      const most = { EffectiveCost: '1000000000000000', ServiceName: 'vm' };
      await started(house, billOf([most, most]));
      expect(await identity(house)).toMatchObject({
        tenants: '2000000000000000.000000000000000000',
        residual: '0.000000000000000000',
      });
    }),
  );
});

describe('a closed period', () => {
  const people = (amount: string, per: string) => ({ id: 'people', kind: 'indirect', fixed: { amount, per } });
  const vm = { id: 'vm', match: { ServiceName: 'vm' } };

  test(
    'never changes: not by late calls, not by another model',
    withHouse(async (house) => {
      await started(house, billOf([{ EffectiveCost: '3' }]), modelOf([vm, people('10', 'month')]));
      await closePeriod(house.store, august, 'test', new Date());
      const [before, report] = [await postings(house), await house.report(AUGUST)];
      await house.ingestTraces([callRequest({ id: 3, tenant: 'late' })]);
      await house.apply(modelOf([{ ...vm, driver: 'busy_us' }, people('99', 'month')]));
      expect(await house.allocate(AUGUST)).toMatchObject({ posted: 0, reversed: 0, closed: 2 });
      expect(await postings(house)).toEqual(before);
      const after = await house.report(AUGUST);
      expect(after.identity).toEqual(report.identity);
      expect(after.rows.find((row) => row.tenant === 'acme')).toMatchObject({
        state: 'final',
        full: report.rows[0]!.full,
      });
      const { lines, residual } = await reconcile(house.store, august);
      expect(residual).toBe('0.000000000000000000');
      expect(lines.map(({ state, charges }) => [state, charges])).toEqual([
        ['closed', '3.000000000000000000'],
        ['closed', '10.000000000000000000'],
      ]);
      expect(lines[1]!.findings).toEqual([
        "today's models would make it 99.000000000000000000; a closed period keeps what it was closed with",
      ]);
    }),
  );

  test(
    'closes once; a bill that comes later closes then',
    withHouse(async (house) => {
      await started(house);
      const closings = () => house.store.documents.selectFrom('period').selectAll().execute();
      await closePeriod(house.store, august, 'test', new Date());
      const once = await closings();
      await closePeriod(house.store, august, 'test', new Date());
      expect(await closings()).toEqual(once);
      await house.importBills([billOf([{ BillingAccountId: 'second' }])]);
      await expect(closePeriod(house.store, august, 'test', new Date())).rejects.toMatchObject({
        code: 'PERIOD_UNBALANCED',
      });
      await house.allocate(AUGUST);
      await closePeriod(house.store, august, 'test', new Date());
      expect((await closings()).map(({ account }) => account)).toEqual(['acct', 'second']);
    }),
  );

  test(
    'is refused without a bill, with a residual, with missing hours',
    withHouse(async (house) => {
      const close = () => closePeriod(house.store, august, 'test', new Date());
      await expect(close()).rejects.toMatchObject({ code: 'PERIOD_INCOMPLETE' });
      await house.apply(modelOf());
      await house.importBills([billOf([hour(0), hour(3)])]);
      await expect(close()).rejects.toMatchObject({
        code: 'PERIOD_UNBALANCED',
        problems: [{ message: expect.stringMatching(/^AWS acct: residual 2\.0{18} USD; .*taximeter allocate/) }],
      });
      await house.allocate(AUGUST);
      await expect(close()).rejects.toMatchObject({
        code: 'PERIOD_INCOMPLETE',
        problems: [{ message: expect.stringContaining('2 hours between') }],
      });
      expect(await house.store.documents.selectFrom('period').selectAll().execute()).toEqual([]);
    }),
  );

  test(
    'is refused beyond limits that were set, and warned of beyond usual ones',
    withHouse(async (house) => {
      const pools = [
        { id: 'vm', match: { ServiceName: 'vm' }, driver: 'busy_us' },
        { id: 'cpu', match: { ServiceName: 'cpu' }, driver: 'cpu_us' },
      ];
      await house.apply(modelOf(pools));
      const calls = [1, 2, 3, 4].map((id) => callRequest({ id, ...(id === 1 ? { cpuUs: 5 } : {}) }));
      const ofNobody = callRequest({ id: 9, durationMs: 20 }).replace('"kind":2', '"kind":1');
      await house.ingestTraces([...calls, ofNobody]);
      // A third of 3, of 6 and of a credit: a credit is no reason to look better.
      const amounts = ['3', '6', '-9'].map((EffectiveCost, at) => ({
        EffectiveCost,
        ...hour(0),
        BillingAccountId: `${at}`,
      }));
      await house.importBills([
        billOf([...amounts, { ServiceName: 'cpu', BillingAccountId: '0', EffectiveCost: '1' }]),
      ]);
      await house.allocate(AUGUST);
      const close = (limits: object) => closePeriod(house.store, august, 'test', new Date(), limits);
      const unattributed = (account: number, most: string, share = '33.33') =>
        `AWS ${account}: ${share} % is unattributed, more than ${most} %`;
      const uncovered = (least: string) =>
        `AWS 0: the drivers of only 25 % of the calls were measured, less than ${least} %`;
      await expect(close({ maxUnattributed: 0.3 })).rejects.toMatchObject({
        code: 'PERIOD_INCOMPLETE',
        problems: [unattributed(1, '30'), unattributed(2, '30')].map((message) => ({ message })),
      });
      await expect(close({ minCoverage: 0.5 })).rejects.toMatchObject({
        code: 'PERIOD_INCOMPLETE',
        problems: [{ message: uncovered('50') }],
      });
      expect(await house.store.documents.selectFrom('period').selectAll().execute()).toEqual([]);
      const { lines, warnings } = await close({ maxUnattributed: 0.34, minCoverage: 0.25 });
      expect([lines.map(({ state }) => state), warnings]).toEqual([['closed', 'closed', 'closed'], []]);
    }),
  );

  test(
    'is warned of beyond usual limits, once',
    withHouse(async (house) => {
      const ofNobody = callRequest({ id: 9 }).replace('"kind":2', '"kind":1');
      await house.ingestTraces([ofNobody]);
      await started(house, billOf([{}]), modelOf([{ ...vm, driver: 'busy_us' }]));
      const close = () => closePeriod(house.store, august, 'test', new Date());
      expect((await close()).warnings).toEqual(['AWS acct: 33.33 % is unattributed, more than 5 %']);
      expect((await close()).warnings).toEqual([]);
    }),
  );

  test(
    'with a yearly amount: each month closes, the amount itself with the month in which its year ends',
    withHouse(async (house) => {
      const yearly = { ...people('8760', 'year'), fixed: { amount: '8760', per: 'year', spread: 'hours' } };
      await house.apply(modelOf([vm, yearly], { effectiveFrom: '2022-01-01' }));
      await house.importBills([billOf([{}])]);
      await house.allocate({ from: '2022-01-01', to: '2022-09-01' });
      const closed = await closePeriod(house.store, august, 'test', new Date());
      expect(closed.lines.map(({ source, state }) => `${source} ${state}`)).toEqual(['AWS closed']);
      const december = parseMonth('2022-12');
      const line = async () => (await reconcile(house.store, december)).lines[0]!;
      expect(await line()).toMatchObject({ charges: '8760.000000000000000000', posted: '5832.000000000000000000' });
      await house.allocate({ from: '2022-09-01', to: '2023-01-01' });
      expect(await line()).toMatchObject({ source: 'fixed', residual: '0.000000000000000000', findings: [] });
    }),
  );
});

describe('reconcile', () => {
  test(
    'holds billed, amortisation, charges, posted and residual together',
    withHouse(async (house) => {
      await house.apply(modelOf());
      await house.importBills([
        billOf([
          { BilledCost: '0.25', EffectiveCost: '1' },
          { ...hour(1), EffectiveCost: '-0.5' },
        ]),
      ]);
      await house.allocate({ from: '2022-08-01', to: '2022-08-01T01:00:00Z' });
      expect((await reconcile(house.store, august)).lines).toEqual([
        {
          ...{ source: 'AWS', account: 'acct', currency: 'USD', state: 'open', missingHours: 0, missingDays: 0 },
          ...{ billingStart: '2022-08-01T00:00:00Z', billingEnd: '2022-09-01T00:00:00Z' },
          billed: '1.250000000000000000',
          amortisation: '-0.750000000000000000',
          restated: '0.000000000000000000',
          corrections: '0.000000000000000000',
          charges: '0.500000000000000000',
          posted: '1.000000000000000000',
          residual: '-0.500000000000000000',
          findings: [
            'not everything is posted: run taximeter allocate --from 2022-08-01T00:00:00Z --to 2022-08-01T02:00:00Z',
          ],
        },
      ]);
    }),
  );

  test(
    'answers with a line and a finding for what was posted and has no bill any more',
    withHouse(async (house) => {
      await started(house, billOf([{}, { BillingCurrency: 'EUR', EffectiveCost: '2' }]));
      await house.importBills([billOf([{}])]);
      const result = await reconcile(house.store, august);
      expect(result.lines.map(({ currency, residual }) => [currency, residual])).toEqual([
        ['USD', '0.000000000000000000'],
        ['EUR', '-2.000000000000000000'],
      ]);
      expect(result.residual).toBe('2.000000000000000000');
      expect(result.lines[1]!.findings).toEqual([
        'what was posted has no bill any more',
        'not everything is posted: run taximeter allocate --from 2022-08-01T00:00:00Z --to 2022-08-01T01:00:00Z',
      ]);
      await house.allocate(AUGUST);
      expect((await reconcile(house.store, august)).lines.map(({ currency }) => currency)).toEqual(['USD']);
    }),
  );

  test(
    'puts a correction into the bill that brings it, whatever time it is about',
    withHouse(async (house) => {
      const september = { BillingPeriodStart: '2022-09-01T00:00:00Z', BillingPeriodEnd: '2022-10-01T00:00:00Z' };
      await started(house, billOf([{}, { ...september, EffectiveCost: '-0.1', BilledCost: '-0.1' }]));
      const charges = async (month: string) =>
        (await reconcile(house.store, parseMonth(month))).lines.map((line) => [line.charges, line.residual]);
      expect(await charges('2022-08')).toEqual([['1.000000000000000000', '0.000000000000000000']]);
      expect(await charges('2022-09')).toEqual([['-0.100000000000000000', '0.000000000000000000']]);
    }),
  );
});
