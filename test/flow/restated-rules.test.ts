import { afterAll, expect, test } from 'vitest';
import { allocatedCharges, closePeriod } from '../../src/ledger/index.ts';
import { parseMonth } from '../../src/model/index.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { emptyHouse } from './empty-house.ts';
import { billOf, callRequest, hour, modelOf } from './small-input.ts';

const folder = tempFolder('restated-rules');
afterAll(() => folder.remove());

const AUGUST = { from: '2022-08-01', to: '2022-09-01' };
const vm = { id: 'vm', match: { ServiceName: 'vm' } };
const percent = { over: 'tenant', by: { percent: { acme: '10', beta: '90' } } };

/** A closed month whose bill is doubled: everybody owes as much again as was shared at close, by whatever rule. */
test.each<[string, Record<string, unknown>[], number, string[]]>([
  ['tenants by percent', [{ ...vm, driver: 'calls', split: percent }], 0, ['acme 10', 'beta 90']],
  [
    'pools that a pool is passed on to',
    [
      { ...vm, driver: undefined, into: { pools: ['a', 'b'], by: 'even' } },
      { id: 'a', driver: 'calls' },
      { id: 'b', driver: 'even' },
    ],
    0,
    ['acme 62.5', 'beta 37.5'],
  ],
  ['idle time to a tenant', [{ ...vm, driver: 'calls', idle: { tenant: 'platform' } }], 5, ['platform 100']],
])('a restated bill follows the closed shares: %s', async (name, pools, atHour, expected) => {
  const house = await emptyHouse(`${folder.path}/${name.replaceAll(' ', '-')}`);
  const bill = (cost: string) =>
    billOf([{ BillingAccountId: 'A', EffectiveCost: cost, BilledCost: cost, ...hour(atHour) }]);
  const owed = async (month: string) => {
    const rows = await house.store.columns.query<{ tenant: string; amount: string }>(
      `SELECT tenant, toString(sum(postings.amount)) AS amount FROM postings
       WHERE ledger = 'tenant' AND formatDateTime(billing_start, '%Y-%m', 'UTC') = {month:String} GROUP BY tenant ORDER BY tenant`,
      { month },
    );
    return rows.map(({ tenant, amount }) => `${tenant} ${Number(amount)}`);
  };
  try {
    await house.apply(modelOf(pools));
    await house.ingestTraces(['acme', 'acme', 'acme', 'beta'].map((tenant, id) => callRequest({ id: id + 1, tenant })));
    await house.importBills([bill('100')]);
    await house.allocate(AUGUST);
    // Reading what was posted holds every row against its fingerprint.
    const charges = [];
    for await (const each of allocatedCharges(house.store, parseMonth('2022-08'), false)) charges.push(each);
    expect(charges.length).toBeGreaterThan(0);
    await closePeriod(house.store, parseMonth('2022-08'), 'test', new Date());
    expect(await owed('2022-08')).toEqual(expected);
    await house.importBills([bill('200')]);
    await house.allocate(AUGUST);
    expect(await owed('2022-09')).toEqual(expected);
  } finally {
    await house.close();
  }
});
