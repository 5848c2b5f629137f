import { expect, test } from 'vitest';
import { closePeriod, costReport, keepAllocated, reallocateChanged } from '../../src/ledger/index.ts';
import { parseMonth, parseRange } from '../../src/model/index.ts';
import { openedHouse } from './opened-house.ts';
import { AUGUST, billOf, callRequest, hour, modelOf } from './small-input.ts';

/** Open periods are shared out in the background: only what changed, and exactly what `allocate` would post. */

const { house } = await openedHouse('reallocation');

let clock = Date.UTC(2022, 7, 2);
const run = (stored = house.collector.storedUntil) => reallocateChanged(house.store, stored, new Date(clock));
const call = (id: number, hours: number, tenant = 'acme') =>
  house.ingestTraces([callRequest({ id, tenant, atMs: hours * 3_600_000 + 1 })]);
const fullOf = async (tenant: string) => {
  const { rows } = await costReport(house.store, parseRange(AUGUST.from, AUGUST.to), ['tenant']);
  return rows.find((row) => row.tenant === tenant)?.full.replace(/\.?0+$/, '');
};
/** Nothing is left for a command to do. */
const allocatedAll = async () => expect(await house.allocate(AUGUST)).toMatchObject({ posted: 0, reversed: 0 });

test('bills and models are shared out when they come, and then nothing is left to do', async () => {
  await call(1, 0);
  await house.apply(
    modelOf([
      { id: 'vm', match: { ServiceName: 'vm' } },
      { id: 'team', fixed: { amount: '31', per: 'month' } },
    ]),
  );
  await house.importBills([billOf([hour(0), hour(1), hour(2)])]);
  expect(await run()).toMatchObject({ posted: 4 });
  await allocatedAll();
  expect(await run()).toBeNull();
});

test('a call changes the slices of its hour only', async () => {
  await call(2, 1, 'zeta');
  expect(await run()).toMatchObject({ slices: 1, posted: 1, reversed: 1 });
  expect(await fullOf('zeta')).toBe('1');
});

test('what is stored while an older batch still waits is looked at again once that is stored', async () => {
  const before = house.collector.storedUntil;
  await call(5, 0, 'late');
  expect(await run(before)).toMatchObject({ slices: 1, posted: 1, reversed: 1 });
  await call(6, 1, 'late');
  expect(await run(before)).toMatchObject({ slices: 2, posted: 1, reversed: 1 });
  expect(await run()).toMatchObject({ slices: 2, posted: 0, reversed: 0 });
  expect(await run()).toBeNull();
});

test('a slice that still runs waits for the next hour, and is not forgotten', async () => {
  expect(await run()).toBeNull();
  clock += 3_600_000;
  expect(await run()).toMatchObject({ slices: 1, posted: 1 });
  expect(await fullOf('zeta')).toBe('8.25');
  await allocatedAll();
});

test('a charge that is gone from its bill is taken back', async () => {
  await house.importBills([billOf([hour(0), hour(1)])]);
  expect(await run()).toMatchObject({ reversed: 1 });
  await allocatedAll();
});

test('a closed bill stays as it is', async () => {
  clock = Date.UTC(2022, 8, 2);
  await run();
  // What was imported came by the clock of this machine.
  await closePeriod(house.store, parseMonth('2022-08'), 'test', new Date());
  const before = await fullOf('zeta');
  await call(3, 1, 'zeta');
  await call(4, 1, 'zeta');
  expect((await run())?.posted ?? 0).toBe(0);
  expect(await fullOf('zeta')).toBe(before);
});

test('what runs in the background tells of failures, goes on, and ends when it is told to', async () => {
  const told: string[] = [];
  let goesOn: () => void = () => undefined;
  const again = new Promise<void>((done) => {
    goesOn = done;
  });
  let runs = 0;
  const now = () => {
    runs += 1;
    if (runs === 1) throw new Error('the clock is broken');
    goesOn();
    return new Date(clock);
  };
  const repetition = keepAllocated(house.store, 1, () => house.collector.storedUntil, now, {
    posted: () => undefined,
    failed: (cause) => told.push((cause as Error).message),
  });
  await again;
  await repetition.stop();
  const before = runs;
  expect(told).toEqual(['the clock is broken']);
  expect(runs).toBe(before);
});
