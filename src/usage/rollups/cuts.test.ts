import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { House } from '../../../test/flow/house.ts';
import { storeCalls } from '../../../test/support/stored-calls.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import type { Choice, Dimension } from '../sums/dimensions.ts';
import { sumCalls } from '../sums/sum-calls.ts';
import { cutFor } from './cuts.ts';
import { refreshRollups } from './refresh.ts';

const folder = tempFolder('cuts');
const START = Date.UTC(2023, 10, 20);
const DAY = 86_400_000;
/** A hundred days over the end of a year, in two batches. */
const calls = Array.from({ length: 1200 }, (_, place) => ({
  ...{ tenant: `t${place % 4}`, consumer: place % 9 === 0 ? '' : `u${place % 5}`, endpoint: `GET /${place % 3}` },
  atMs: START + ((place * 5_339_000_019) % (100 * DAY)),
}));

let house: House;
beforeAll(async () => {
  house = await House.open(folder.path);
  await storeCalls(house.store.columns, 1, calls.slice(0, 500));
  await storeCalls(house.store.columns, 2, calls.slice(500));
  await reopen();
  await refreshRollups(house.store.columns);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

async function reopen(): Promise<void> {
  await house.collector.close();
  await house.store.close();
  house = await House.open(folder.path);
}

const midnight = fc.nat(110).map((day) => (day - 5) * DAY);
const bound = fc.oneof(midnight, fc.constantFrom(11, 42, 73), fc.integer({ min: -DAY, max: 101 * DAY }));
const question = fc.record({
  bounds: fc.uniqueArray(bound, { minLength: 2, maxLength: 4 }),
  by: fc.constantFrom<Dimension[]>(['tenant', 'consumer'], ['tenant', 'endpoint'], ['consumer'], ['endpoint'], []),
  only: fc.constantFrom<Choice>({}, { tenant: ['t1', 't2'] }, { consumer: ['u3'] }, { endpoint: ['GET /1'] }),
});

test('sums of weeks and months are those of the calls', async () => {
  const property = fc.asyncProperty(question, async ({ bounds, by, only }) => {
    const sorted = bounds.map((at) => START + (at < 100 ? at * DAY : at)).sort((a, b) => a - b);
    const ranges = sorted.slice(1).map((toMs, place) => ({ fromMs: sorted[place]!, toMs }));
    const found = await sumCalls(house.store.columns, { ranges, by, only, isByRange: true });
    const expected = new Map<string, bigint>();
    for (const call of calls) {
      const place = ranges.findIndex(({ fromMs, toMs }) => fromMs <= call.atMs && call.atMs < toMs);
      const values: Partial<Record<Dimension, string>> = call;
      const isChosen = Object.entries(only).every(([name, chosen]) => chosen.includes(values[name as Dimension]!));
      if (place < 0 || !isChosen) continue;
      const key = JSON.stringify([place, ...by.map((name) => values[name])]);
      expected.set(key, (expected.get(key) ?? 0n) + 1_000_000n);
    }
    const keyed = found.map((row) => [JSON.stringify([row.range, ...by.map((name) => row.keys[name])]), row.calls]);
    expect(new Map(keyed as [string, bigint][])).toEqual(expected);
  });
  await fc.assert(property, { numRuns: 60, seed: 50 });
});

/** What rollups of weeks and months come to, however many rows they are. */
function longRows(): Promise<unknown[]> {
  return house.store.columns.query(
    `SELECT cut, day, slot, tenant, endpoint, consumer, sum(calls) AS n, sum(known) AS n_known, sum(errors) AS n_errors FROM usage_rollup
     WHERE marker = 0 AND cut > 6 GROUP BY ALL HAVING n != 0 ORDER BY ALL`,
  );
}

test('what a store had before there were weeks and months is filled in, also after a crash in the middle', async () => {
  const rows = await longRows();
  expect(rows.length).toBeGreaterThan(300);
  const { columns } = house.store;
  await columns.command('ALTER TABLE usage_rollup DELETE WHERE cut IN (7, 9) SETTINGS mutations_sync = 2');
  await columns.command("ALTER TABLE migration DELETE WHERE id LIKE '0050%' SETTINGS mutations_sync = 2");
  expect(await longRows()).not.toEqual(rows);
  await reopen();
  expect(await longRows()).toEqual(rows);
  expect(await refreshRollups(house.store.columns)).toBe(0);
});

test('weeks and months are used only by the dimensions that days would be of', () => {
  const ids = (...needed: Dimension[]) =>
    (['month', 'week', 'day', 'slot'] as const).map((grain) => cutFor(grain, new Set(needed))?.id);
  expect(ids()).toEqual([undefined, undefined, 4, 1]);
  expect(ids('tenant')).toEqual([undefined, undefined, 4, 3]);
  expect(ids('endpoint')).toEqual([undefined, 7, 5, 2]);
  expect(ids('consumer')).toEqual([9, 8, 6, undefined]);
  expect(ids('endpoint', 'consumer')).toEqual([undefined, undefined, undefined, undefined]);
});
