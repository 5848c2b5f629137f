import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { costReport } from '../../src/ledger/index.ts';
import { parseRange } from '../../src/model/index.ts';
import { sharedData } from '../support/data.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { emptyHouse } from './empty-house.ts';
import type { House } from './house.ts';
import { worldArbitrary } from './random-world.ts';
import { inputOf, realCases } from './real-case.ts';
import { answersOf, Clock, letGoAndDelete, receivedInTwoMonths } from './retention-world.ts';

const folder = tempFolder('retention');
afterAll(() => folder.remove());

/** Where raw rows are counted, what is out of force but not deleted yet too. */
const rawRows = async (house: House) => {
  const [row] = await house.store.columns.query<{ rows: string }>('SELECT count() AS rows FROM work');
  return Number(row!.rows);
};

const errorsOf = async ({ store }: House, { from, to }: { from: string; to: string }) =>
  (await costReport(store, parseRange(from, to), ['tenant', 'endpoint'])).rows.map(
    ({ standardError }) => standardError,
  );

describe.each(realCases)('$name', (realCase) => {
  const data = sharedData(realCase.name);

  test.skipIf(data.reason !== undefined)('no figure changes when raw work is let go, month by month', async () => {
    const input = inputOf(realCase, data.found!);
    const clock = new Clock('2031-01-31T20:00:00Z');
    const house = await emptyHouse(`${folder.path}/${realCase.name}`, clock.now);
    try {
      await receivedInTwoMonths(house, clock, input);
      const before = await answersOf(house, input);
      const errors = await errorsOf(house, input);
      const all = await rawRows(house);

      clock.set('2031-04-10T00:00:00Z');
      const [first] = await letGoAndDelete(house, clock, async () => {
        if (realCase.name === 'tricky') expect(await answersOf(house, input)).toEqual(before);
      });
      expect(first).toMatchObject({ kind: 'spans', keptSince: '2031-02-01', keptBecause: '' });
      expect(await rawRows(house)).toBe(all - first!.rows);

      clock.set('2031-06-01T00:00:00Z');
      const [second] = await letGoAndDelete(house, clock, async () => undefined);
      expect(second!.rows).toBe(all - first!.rows);
      expect(await rawRows(house)).toBe(0);
      expect(await answersOf(house, input)).toEqual(before);
      const isSampled = errors.some((error) => error !== null && Number(error) > 0);
      expect(await errorsOf(house, input)).toEqual(isSampled ? errors.map(() => null) : errors);
    } finally {
      await house.close();
    }
  });
});

test('no figure changes in random worlds', { timeout: 300_000 }, async () => {
  let houses = 0;
  await fc.assert(
    fc.asyncProperty(worldArbitrary, async ({ input, early }) => {
      const clock = new Clock('2031-01-31T20:00:00Z');
      const house = await emptyHouse(`${folder.path}/random-${houses++}`, clock.now);
      try {
        await house.apply(input.model);
        await house.ingestMetrics(input.metrics);
        await house.importBills(input.bills);
        await house.ingestTraces(input.traces.slice(0, early));
        clock.set('2031-02-01T04:00:00Z');
        await house.ingestTraces(input.traces.slice(early));
        const before = await answersOf(house, input);
        clock.set('2031-04-10T00:00:00Z');
        await letGoAndDelete(house, clock, async () => undefined);
        expect(await answersOf(house, input)).toEqual(before);
      } finally {
        await house.close();
      }
    }),
    { numRuns: 2, seed: 20_310_131 },
  );
});
