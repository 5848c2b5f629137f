import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openedHouse } from '../../test/flow/opened-house.ts';
import { AUGUST, billOf, callRequest, hour, modelOf } from '../../test/flow/small-input.ts';
import { repository } from '../../test/support/data.ts';
import { breakingColumns } from '../../test/support/same-columns.ts';
import { fail, parseMonth, parseRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { closePeriod } from './close.ts';
import { costReport } from './cost-report.ts';
import { exportLedger } from './export-ledger.ts';
import { postAllocation } from './ledger.ts';
import { reconcile } from './reconcile.ts';

const { house, folder } = await openedHouse('killed');

const months = [0, 1, 2, 3].map((month) => ({
  BillingPeriodStart: new Date(Date.UTC(2022, 7 + month)).toISOString(),
  BillingPeriodEnd: new Date(Date.UTC(2022, 8 + month)).toISOString(),
}));
const bill = (cost: string) => billOf(months.map((month, at) => ({ ...month, ...hour(at), EffectiveCost: cost })));

/** A process that dies at its n-th write: before it takes effect, or after it. */
function dying(store: Store, at: number, when: 'before' | 'after'): Store {
  const death = { at, when, isDeath: true, cause: () => fail('STORE_UNAVAILABLE') };
  return { ...store, columns: breakingColumns(store.columns, death) };
}

const range = parseRange(AUGUST.from, AUGUST.to);
const deaths = [1, 2, 4].flatMap((at) => (['before', 'after'] as const).map((when) => [at, when] as const));

test('an allocation that is killed at any write is ended by the next one, and its chain is whole', async () => {
  await house.apply(modelOf());
  await house.ingestTraces([callRequest({ id: 1 }), callRequest({ id: 2, tenant: 'zeta' })]);
  for (const [round, [at, when]] of deaths.entries()) {
    await house.importBills([bill(`${round + 1}`)]);
    const killed = postAllocation(dying(house.store, at, when), range, new Date());
    await expect(killed).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await house.allocate(AUGUST);
    const { identity } = await costReport(house.store, range, []);
    expect([round, identity.bill, identity.residual]).toEqual([
      round,
      `${4 * (round + 1)}.${'0'.repeat(18)}`,
      `0.${'0'.repeat(18)}`,
    ]);
  }
  const { verifyLedger } = (await import(join(repository, 'bin', 'taximeter-verify.js'))) as {
    verifyLedger: (path: string) => Promise<{ blocks: number; problems: string[] }>;
  };
  for (const month of ['2022-08', '2022-11']) {
    const path = join(folder.path, `${month}.jsonl`);
    const pieces: string[] = [];
    for await (const piece of exportLedger(house.store, parseMonth(month), new Date())) pieces.push(piece);
    writeFileSync(path, pieces.join(''));
    expect(await verifyLedger(path)).toMatchObject({ problems: [], blocks: deaths.length });
  }
});

test('a closing that is killed has closed nothing; the next one does, and a second one changes nothing', async () => {
  const month = parseMonth('2022-08');
  const periods = () => house.store.documents.selectFrom('period').selectAll().execute();
  for (const when of ['before', 'after'] as const) {
    const killed = closePeriod(dying(house.store, 1, when), month, 'test', new Date());
    await expect(killed).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await periods()).toEqual([]);
  }
  await house.ingestTraces([callRequest({ id: 3 })]);
  await house.allocate(AUGUST);
  await closePeriod(house.store, month, 'test', new Date());
  const once = await periods();
  await Promise.all([1, 2].map(() => closePeriod(house.store, month, 'test', new Date())));
  expect(await periods()).toEqual(once);
  expect((await reconcile(house.store, month)).lateCalls).toBe(0);
});
