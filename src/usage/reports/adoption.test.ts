import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { House } from '../../../test/flow/house.ts';
import { storeCalls } from '../../../test/support/stored-calls.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { parseRange } from '../../model/index.ts';
import type { Choice } from '../sums/dimensions.ts';
import { activationReport } from './activation.ts';
import { adoptionReport, retentionReport } from './adoption.ts';
import { concentrationOf, concentrationReport } from './concentration.ts';
import { depthReport, unusedReport } from './depth.ts';
import { sequencesReport } from './sequences.ts';

const folder = tempFolder('adoption');
const DAY = 86_400_000;
const START = Date.UTC(2024, 0, 1);
const now = new Date('2024-04-01T00:00:00Z');
const range = parseRange('2024-01-01', '2024-04-01');

/** Ninety days of twelve tenants, each with days of its own; every tenth call fails. */
const calls = Array.from({ length: 900 }, (_, place) => {
  const tenant = (place * 7) % 12;
  const day = (tenant * 5 + ((place * place) % (90 - tenant * 5))) % 90;
  return {
    ...{
      tenant: `t${tenant}`,
      consumer: place % 9 === 0 ? '' : `u${place % 4}`,
      endpoint: `GET /${(place * 3 + tenant) % 7}`,
    },
    ...{ atMs: START + day * DAY + ((place * 7_777_777) % DAY), isError: place % 10 === 0 },
  };
}).filter(({ atMs }) => Math.floor((atMs - START) / DAY) !== 40);

let house: House;
beforeAll(async () => {
  house = await House.open(folder.path);
  await storeCalls(house.store.columns, 1, calls);
  await house.collector.close();
  await house.store.close();
  house = await House.open(folder.path);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

const asked = { range, timeZone: 'UTC', only: {} };

/** By tenant, or tenant and consumer, the sorted days on which it was active. */
function activeDays(of: 'tenant' | 'consumer'): Map<string, number[]> {
  const days = new Map<string, Set<number>>();
  for (const call of calls) {
    if (of === 'consumer' && call.consumer === '') continue;
    const key = of === 'tenant' ? call.tenant : `${call.tenant} ${call.consumer}`;
    days.set(key, (days.get(key) ?? new Set()).add(Math.floor((call.atMs - START) / DAY)));
  }
  return new Map([...days].map(([key, each]) => [key, [...each].sort((a, b) => a - b)]));
}

describe('adoption', () => {
  test.each(['tenant', 'consumer'] as const)('by day is what a look at every %s says', async (of) => {
    const days = [...activeDays(of).values()];
    const { rows } = await adoptionReport(house.store, { ...asked, of, window: 'day' }, now);
    expect(rows.length).toBe(91);
    rows.forEach((row, day) => {
      if (row.state === 'gap' || row.state === 'future') {
        expect(row.active).toBeNull();
        return;
      }
      const active = days.filter((each) => each.includes(day));
      expect(row).toMatchObject({
        active: active.length,
        new: active.filter((each) => each[0] === day).length,
        returning: active.filter((each) => each.includes(day - 1)).length,
        resurrected: active.filter((each) => each[0]! < day && !each.includes(day - 1)).length,
        lapsed: days.filter((each) => each.includes(day - 1) && !each.includes(day)).length,
      });
      expect(row.new! + row.returning! + row.resurrected!).toBe(row.active);
    });
    expect(rows[40]).toMatchObject({ state: 'gap', active: null, lapsed: null });
  });

  test('who is new is known by what was before the range, and windows of a zone are asked of finer sums', async () => {
    const late = { ...asked, range: parseRange('2024-03-01', '2024-04-01'), of: 'tenant' as const };
    const { rows } = await adoptionReport(house.store, { ...late, window: 'month', timeZone: 'Asia/Kolkata' }, now);
    const before = [...activeDays('tenant').values()].filter((days) => days[0]! < 55).length;
    expect(rows.reduce((sum, row) => sum + (row.new ?? 0), 0)).toBeLessThanOrEqual(12 - before);
  });

  test('retention by weeks is what a look at every tenant says', async () => {
    const weeks = [...activeDays('tenant').values()].map((days) => [
      ...new Set(days.map((day) => Math.floor(day / 7))),
    ]);
    const { rows } = await retentionReport(house.store, { ...asked, of: 'tenant', window: 'week' }, now);
    for (const row of rows) {
      const cohort = (Date.parse(row.cohort) - START) / (7 * DAY);
      const members = weeks.filter((each) => each[0] === cohort);
      const active = members.filter((each) => each.includes(cohort + row.period)).length;
      expect(row).toMatchObject({ size: members.length, active, share: active / members.length });
    }
    expect(rows.filter(({ period }) => period === 0).reduce((sum, { size }) => sum + size, 0)).toBe(weeks.length);
  });
});

test('activation is when the calls say', async () => {
  const question = { range, successes: 5, valueEvent: '', signUpEvent: '' };
  const { rows, tenants, activated } = await activationReport(house.store, question, now);
  expect({ tenants, activated }).toEqual({ tenants: 12, activated: 12 });
  const slot = (at: number) => new Date(Math.floor(at / 900_000) * 900_000).toISOString().replace('.000Z', 'Z');
  for (const row of rows) {
    const own = calls.filter(({ tenant }) => tenant === row.tenant).sort((a, b) => a.atMs - b.atMs);
    const good = own.filter(({ isError }) => !isError);
    expect([row.firstCall, row.firstSuccess, row.activated]).toEqual(
      [own[0]!, good[0]!, good[4]!].map(({ atMs }) => slot(atMs)),
    );
  }
  // Of a part of the time only those whose first call of all is in it, whatever they did before and after.
  for (const [first, last] of [
    [10, 35],
    [18.3, 60.7],
    [50, 51],
  ] as const) {
    const part = { fromMs: START + first * DAY, toMs: START + last * DAY };
    const found = await activationReport(house.store, { ...question, range: part }, now);
    const began = (at: number) => Date.parse(slot(at));
    const young = rows.filter(
      ({ firstCall }) => began(part.fromMs) <= Date.parse(firstCall) && Date.parse(firstCall) < part.toMs,
    );
    expect(found.rows).toEqual(young);
  }
  const never = await activationReport(house.store, { ...question, successes: 10_000 }, now);
  expect(never).toMatchObject({ activated: 0, medianSecondsToActivation: null });
});

test.each([
  { asked: { range, only: {} } },
  { asked: { range: { fromMs: START + 3 * DAY + 1_234_567, toMs: START + 41 * DAY - 7_654_321 }, only: {} } },
  { asked: { range, only: { tenant: ['t1', 't7'], endpoint: ['GET /1', 'GET /2', 'GET /3'] } } },
  { asked: { range, only: { tenant: ['nobody'] } } },
])('depth of every tenant is what a look at every call says: $asked.only', async ({ asked }) => {
  const { tenant: tenants, endpoint: endpoints } = asked.only as Choice;
  const chosen = calls.filter(
    ({ atMs, tenant, endpoint }) =>
      atMs >= asked.range.fromMs &&
      atMs < asked.range.toMs &&
      (tenants?.includes(tenant) ?? true) &&
      (endpoints?.includes(endpoint) ?? true),
  );
  const names = new Set(chosen.map(({ endpoint }) => endpoint));
  const expected = [...new Set(chosen.map(({ tenant }) => tenant))].sort().map((tenant) => {
    const own = chosen.filter((call) => call.tenant === tenant);
    const used = new Set(own.map(({ endpoint }) => endpoint)).size;
    const successes = own.filter(({ isError }) => !isError).length;
    return {
      ...{ tenant, calls: own.length, successes, endpoints: used, breadth: used / names.size },
      consumers: new Set(own.map(({ consumer }) => consumer).filter((name) => name !== '')).size,
      ...{ valueEvents: null, successRatio: successes / own.length, valueRatio: null },
    };
  });
  const depth = await depthReport(house.store, { ...asked, valueEvent: '', known: [] }, now);
  expect(depth.rows).toEqual(expected);
  expect(depth).toMatchObject({ endpoints: names.size, coverage: { weight: chosen.length > 0 ? 1 : null } });
});

test('depth, unused endpoints and sequences', async () => {
  const known = ['GET /0', 'GET /never'];
  const depth = await depthReport(house.store, { range, only: {}, valueEvent: '', known }, now);
  expect(depth).toMatchObject({ endpoints: 8 });
  const own = calls.filter(({ tenant }) => tenant === 't3');
  expect(depth.rows.find(({ tenant }) => tenant === 't3')).toMatchObject({
    ...{
      calls: own.length,
      successes: own.filter(({ isError }) => !isError).length,
      valueEvents: null,
      valueRatio: null,
    },
    endpoints: new Set(own.map(({ endpoint }) => endpoint)).size,
    consumers: new Set(own.map(({ consumer }) => consumer).filter((name) => name !== '')).size,
  });
  const { rows: unused } = await unusedReport(
    house.store,
    { range, only: { endpoint: ['GET /0', 'GET /never'] }, known },
    now,
  );
  expect(unused).toEqual([{ endpoint: 'GET /never', known: 'document', lastCalled: null }]);
  const sequences = await sequencesReport(house.store, { range, only: {}, users: 3, length: 2 }, now);
  expect(sequences).toMatchObject({ users: 3, isCut: false });
  const counted = calls.filter(({ consumer }) => consumer !== '');
  expect(sequences.calls).toBeLessThan(counted.length);
});

test('sequences are those of calls that follow each other', async () => {
  const rows = calls
    .filter(({ consumer, tenant }) => consumer === 'u1' && tenant === 't1')
    .sort((a, b) => a.atMs - b.atMs);
  const pairs = rows.slice(1).filter((call, place) => call.atMs - rows[place]!.atMs <= 1_800_000).length;
  const only = { tenant: ['t1'], consumer: ['u1'] };
  const found = await sequencesReport(house.store, { range, only, users: 1, length: 2 }, now);
  expect(found.rows.reduce((sum, { times }) => sum + times, 0)).toBe(pairs);
  expect(found.calls).toBe(rows.length);
});

describe('concentration', () => {
  test('of known spreads', () => {
    expect(concentrationOf([5n, 5n, 5n, 5n])).toMatchObject({ count: 4, top1: 0.25, gini: 0, herfindahl: 0.25 });
    expect(concentrationOf([0n, 9n])).toMatchObject({ count: 1, top1: 1, gini: 0, herfindahl: 1 });
    expect(concentrationOf([1n, 3n])).toMatchObject({ gini: 0.25, herfindahl: 0.625 });
    expect(concentrationOf([])).toMatchObject({ count: 0, gini: null });
  });

  test('keeps its laws', () => {
    const property = fc.property(
      fc.array(fc.bigInt({ min: 1n, max: 10n ** 20n }), { minLength: 1, maxLength: 60 }),
      (amounts) => {
        const { count, top1, top5, top10, gini, herfindahl } = concentrationOf(amounts);
        expect(top1! <= top5! && top5! <= top10! && top10! <= 1).toBe(true);
        expect(herfindahl! >= 1 / count - 1e-9 && herfindahl! <= top1! + 1e-9).toBe(true);
        expect(gini! >= 0 && gini! < 1).toBe(true);
        const pairs = amounts.flatMap((a) => amounts.map((b) => (a > b ? a - b : b - a)));
        const sum = amounts.reduce((all, a) => all + a, 0n);
        const byPairs = Number(pairs.reduce((all, a) => all + a, 0n)) / (2 * count * Number(sum));
        expect(gini!).toBeCloseTo(byPairs, 6);
        expect(concentrationOf([...amounts].reverse())).toEqual(concentrationOf(amounts));
      },
    );
    fc.assert(property, { numRuns: 100, seed: 41 });
  });

  test('says what stays when the largest leaves', async () => {
    const base = parseRange('2024-01-01', '2024-02-01');
    const march = parseRange('2024-03-01', '2024-04-01');
    const question = { range: march, window: null, timeZone: 'UTC', by: ['tenant' as const], only: {}, base };
    const report = await concentrationReport(house.store, question, now);
    expect(report.withoutLargest.calls).toBe(report.calls - report.rows[0]!.calls);
    const of = (from: number, to: number) =>
      calls.filter(({ atMs, tenant }) => tenant !== report.rows[0]!.tenant && atMs >= from && atMs < to).length;
    const before = of(base.fromMs, base.toMs);
    expect(report.withoutLargest.growth).toBeCloseTo((of(march.fromMs, march.toMs) - before) / before, 9);
    expect(report.rows.at(-1)!.cumulativeShare).toBe(1);
  });
});
