import { describe, expect, test } from 'vitest';
import { House } from '../../../test/flow/house.ts';
import { billOf, callRequest, modelOf } from '../../../test/flow/small-input.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { adviceReport } from '../../advise/index.ts';
import { parseRange } from '../../model/index.ts';
import { costsByDay, costsOfCalls } from './usage-costs.ts';

function told304(id: number, atMs: number): string {
  return callRequest({ id, tenant: 'poller', atMs, route: '/jobs' }).replace(
    '"attributes":[{"key":"tenant.id"',
    '"attributes":[{"key":"http.response.status_code","value":{"intValue":"304"}},{"key":"enduser.id","value":{"stringValue":"app"}},{"key":"tenant.id"',
  );
}

describe('charges that are longer than what is asked about', () => {
  const HOUR = 3_600_000;
  const people = (per: string, amount: string) => ({ id: 'people', kind: 'indirect', fixed: { amount, per } });
  const vm = { id: 'vm', match: { ServiceName: 'vm' } };

  /** A house in which one tenant calls once an hour for four weeks, and is told that nothing changed. */
  async function withHouse(bill: readonly object[], pools: readonly object[], work: (opened: House) => Promise<void>) {
    const own = tempFolder('usage-costs-long');
    const opened = await House.open(own.path);
    try {
      await opened.ingestTraces(Array.from({ length: 28 * 24 }, (_, place) => told304(place + 1, place * HOUR)));
      if (bill.length > 0) await opened.importBills([billOf(bill)]);
      await opened.apply(modelOf(pools as Record<string, unknown>[], { effectiveFrom: '2022-01-01' }));
      await opened.allocate({ from: '2022-01-01', to: '2023-01-01' });
      await work(opened);
    } finally {
      await opened.close();
      own.remove();
    }
  }

  test.each([
    ['month', '3100'],
    ['year', '36500'],
  ])('a fixed amount for a %s costs a day the same wherever the question begins', async (per, amount) => {
    await withHouse([], [vm, people(per, amount)], async ({ store }) => {
      const day = async (from: string, to: string) =>
        (await costsByDay(store)(parseRange(from, to), 'UTC', {})).get('2022-08-24');
      const whole = await day('2022-08-01', '2022-09-01');
      expect(whole!.amountAtto / 10n ** 15n).toBeGreaterThan(90_000n);
      expect(await day('2022-08-22', '2022-08-29')).toEqual(whole);
      expect(await day('2022-08-24T10:00:00Z', '2022-08-24T11:00:00Z')).toEqual(whole);
      const week = await costsByDay(store)(parseRange('2022-08-22', '2022-08-25'), 'UTC', {});
      expect([...week.keys()].sort()).toEqual(['2022-08-22', '2022-08-23', '2022-08-24']);
    });
  });

  test('a bill for a month costs a call the same in its first day, a later week and the whole of it', async () => {
    const month = { ChargePeriodStart: '2022-08-01T00:00:00Z', ChargePeriodEnd: '2022-09-01T00:00:00Z' };
    await withHouse([{ ...month, BilledCost: '744', EffectiveCost: '744' }], [vm], async ({ store }) => {
      const costOfOne = async (from: string, to: string) =>
        (await costsOfCalls(store)(parseRange(from, to)))?.costOf('poller', 'GET /jobs', 1_000_000n);
      // A dollar for each hour of August, and one call in each of them.
      for (const [from, to] of [
        ['2022-08-01', '2022-08-02'],
        ['2022-08-08', '2022-08-15'],
        ['2022-08-01', '2022-08-29'],
      ] as const)
        expect(await costOfOne(from, to), `${from} to ${to}`).toBe(10n ** 18n);
    });
  });

  test('without a bill nobody knows what a saved call would save, though people are paid', async () => {
    await withHouse([], [vm, people('month', '3100')], async ({ store }) => {
      const asked = { range: parseRange('2022-08-01', '2022-08-08'), only: {}, costs: costsOfCalls(store) };
      const { rows } = await adviceReport(store, asked, new Date('2022-08-10'));
      expect(rows).toMatchObject([{ tenant: 'poller', kind: 'polling', savedCost: null, currency: null }]);
    });
  });
});
