import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { House } from '../../../test/flow/house.ts';
import { storeCalls } from '../../../test/support/stored-calls.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { type Habit, habitCalls, habits } from '../../../test/support/wasteful-traffic.ts';
import { findPatterns, savedOf, type Waste, wasteKinds } from './find-patterns.ts';
import { patternsReport } from './patterns.ts';
import { readTraffic } from './read-traffic.ts';

const folder = tempFolder('patterns');
const DAY = 86_400_000;
const START = Date.UTC(2026, 8, 7);
const now = new Date(START + DAY);
const range = { fromMs: START, toMs: START + DAY };
/** Seeds that nothing was tuned with. */
const SEEDS = [301, 302, 303, 304, 305];
const names = Object.keys(habits) as Habit[];
const tenants = names.flatMap((habit, place) =>
  SEEDS.map((seed) => ({ habit, tenant: `tenant-${place}-${seed}`, seed: seed + place * 1000 })),
);

let house: House;
let found: readonly Waste[];
beforeAll(async () => {
  house = await House.open(folder.path);
  const calls = tenants.flatMap(({ habit, tenant, seed }) => habitCalls(habit, tenant, seed, START));
  await storeCalls(house.store.columns, 1, calls);
  await house.collector.close();
  await house.store.close();
  house = await House.open(folder.path);
  found = (await patternsReport(house.store, { range, only: {} }, now)).rows;
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

test('of seeded traffic each kind of waste is found: precision and recall', () => {
  const kindsOf = (tenant: string) => new Set(found.filter((row) => row.tenant === tenant).map(({ kind }) => kind));
  const table = wasteKinds.map((kind) => {
    const said = tenants.filter(({ tenant }) => kindsOf(tenant).has(kind));
    const real = tenants.filter(({ habit }) => habits[habit] === kind);
    const right = real.filter((each) => said.includes(each));
    return {
      ...{ kind, seeded: real.length, said: said.length },
      precision: said.length === 0 ? 0 : right.length / said.length,
      recall: right.length / real.length,
      wrong: [...said.filter((each) => !real.includes(each)), ...real.filter((each) => !said.includes(each))]
        .map(({ habit, seed }) => `${habit} ${seed}`)
        .join('; '),
    };
  });
  console.table(table);
  for (const { precision, recall, wrong } of table) {
    expect(precision, wrong).toBeGreaterThanOrEqual(0.9);
    expect(recall, wrong).toBeGreaterThanOrEqual(0.9);
  }
});

describe('what could be saved', () => {
  const of = (habit: Habit) => {
    const mine = new Set(tenants.filter((each) => each.habit === habit).map(({ tenant }) => tenant));
    return found.filter(({ tenant, kind }) => mine.has(tenant) && kind === habits[habit]);
  };

  test('is never more than there was, and says by what it was seen', () => {
    expect(found.length).toBeGreaterThan(20);
    for (const waste of found) {
      expect(savedOf(waste)).toBeLessThan(waste.micro);
      expect(savedOf(waste)).toBeGreaterThan(0n);
      expect(waste.evidence).toMatch(/\d/);
    }
    expect(found.map(savedOf)).toEqual(found.map(savedOf).sort((a, b) => (a < b ? 1 : a > b ? -1 : 0)));
  });

  test('is certain where the answer said so, and a guess where nobody knows which thing was read', () => {
    expect(new Set(of('polls, and is told that nothing changed').map(({ certainty }) => certainty))).toEqual(
      new Set(['certain']),
    );
    expect(new Set(of('reads the same again').map(({ certainty }) => certainty))).toEqual(new Set(['likely']));
    expect(new Set(of('polls').map(({ certainty }) => certainty))).toEqual(new Set(['possible']));
  });

  test('of bursts are all but one call for a hundred; of visits all but the first call', () => {
    const own = (habit: Habit) => tenants.filter((each) => each.habit === habit);
    for (const { tenant } of own('writes one by one')) {
      const [waste] = found.filter((row) => row.tenant === tenant && row.kind === 'bulk');
      const bursts = Number(/in (\d+) bursts/.exec(waste!.evidence)![1]);
      expect(savedOf(waste!)).toBe(waste!.micro - BigInt(bursts) * 1_000_000n);
    }
    for (const waste of of('makes three calls for one page')) {
      expect(waste.endpoints).toEqual(['GET /v1/users/{id}', 'GET /v1/users/{id}/orders', 'GET /v1/offers']);
      expect(savedOf(waste)).toBe((waste.micro / 3n) * 2n);
      expect(waste.saved.map(({ endpoint }) => endpoint).sort()).toEqual([
        'GET /v1/offers',
        'GET /v1/users/{id}/orders',
      ]);
    }
  });
});

test('of a choice only its calls are looked at', async () => {
  const { tenant } = tenants.find(({ habit }) => habit === 'polls')!;
  const { rows } = await patternsReport(house.store, { range, only: { tenant: [tenant] } }, now);
  expect(rows).toEqual(found.filter((row) => row.tenant === tenant));
  expect((await patternsReport(house.store, { range, only: { tenant: ['nobody'] } }, now)).rows).toEqual([]);
});

test('a call that was taken back is not looked at; one that is there again is, once', async () => {
  const { tenant } = tenants.find(({ habit }) => habit === 'polls')!;
  const only = { tenant: [tenant] };
  const { columns } = house.store;
  const before = await readTraffic(columns, range, only);
  expect(before.reads.length).toBeGreaterThan(0);
  const again = (batch: number, sign: number) =>
    columns.command(
      `INSERT INTO work SELECT * REPLACE ({batch:UInt64} AS batch, {sign:Int8} AS sign)
       FROM (SELECT * FROM work WHERE batch = 1 AND tenant = {tenant:String})`,
      { batch, sign, tenant },
    );
  await again(1_000_001, -1);
  expect(await readTraffic(columns, range, only)).toEqual({ reads: [], bursts: [], visits: [] });
  await again(1_000_002, 1);
  expect(await readTraffic(columns, range, only)).toEqual(before);
});

test('of more calls than can be looked at the end is, to the minute', async () => {
  const report = await patternsReport(house.store, { range, only: {}, mostCalls: 2_000 }, now);
  expect(report.isCut).toBe(true);
  expect(report.calls).toBeLessThanOrEqual(2_000);
  expect(report.calls).toBeGreaterThan(1_000);
  expect(report.looked.to).toBe('2026-09-08T00:00:00Z');
});

test.each([500, 1_500, 2_500, 6_000])('of %i calls at most nearly so many are looked at', async (mostCalls) => {
  const whole = await patternsReport(house.store, { range, only: {} }, now);
  const report = await patternsReport(house.store, { range, only: {}, mostCalls }, now);
  const most = Math.min(mostCalls, whole.calls);
  expect(report.calls).toBeLessThanOrEqual(most);
  // What is left over is less than the calls of one minute.
  const before = { fromMs: Date.parse(report.looked.from) - 60_000, toMs: Date.parse(report.looked.to) };
  const next = await patternsReport(house.store, { range: before, only: {} }, now);
  if (report.isCut) expect(next.calls).toBeGreaterThan(most);
});

test('of a time without calls there is nothing', async () => {
  const { reads, bursts, visits } = await readTraffic(house.store.columns, { fromMs: START - DAY, toMs: START }, {});
  expect({ reads, bursts, visits }).toEqual({ reads: [], bursts: [], visits: [] });
  expect(findPatterns({ reads: [], bursts: [], visits: [] })).toEqual([]);
});
