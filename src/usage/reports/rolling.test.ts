import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { House } from '../../../test/flow/house.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { dailyReport, fitReport, rollingReport } from './rolling.ts';
import { volumeReport } from './volume.ts';

const folder = tempFolder('rolling');
const HOUR = 3_600_000;
const AUGUST_1 = Date.UTC(2022, 7, 1);
/** 3 August, 12 o'clock. */
const NOON = AUGUST_1 + 60 * HOUR;
const now = new Date(NOON);

/** The worked example: 10,000 calls yesterday before noon, 10,000 yesterday after it, 15,000 today. */
const groups = [
  { atMs: 24 * HOUR, hours: 12, calls: 10_000 },
  { atMs: 36 * HOUR, hours: 12, calls: 10_000 },
  { atMs: 48 * HOUR, hours: 12, calls: 15_000 },
];

let house: House;
beforeAll(async () => {
  house = await House.open(folder.path);
  await house.store.columns.command(
    `INSERT INTO work (batch, sign, received, trace_id, span_id, is_call, share, tenant, endpoint, consumer, start_at, end_at, is_weight_known, service)
     SELECT 1, 1, toDate('2022-08-03'), toFixedString(leftPad(toString(n), 16, '0'), 16), toFixedString(leftPad(toString(n), 8, '0'), 8), 1, 1000000,
       'acme', 'GET /a', concat('u', toString(n % 3)), at, at, 1, 'api'
     FROM (${groups
       .map(
         ({ atMs, hours, calls }, place) =>
           `SELECT number + ${place} * 100000 AS n, fromUnixTimestamp64Milli(toInt64(${AUGUST_1 + atMs} + intDiv(number * ${hours * HOUR}, ${calls})), 'UTC') AS at FROM numbers(${calls})`,
       )
       .join(' UNION ALL ')})`,
  );
  await house.collector.close();
  await house.store.close();
  house = await House.open(folder.path);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

const asked = { atMs: NOON, spanMs: 24 * HOUR, timeZone: 'UTC', only: {} };

describe('the worked example', () => {
  test('the last 24 hours are 25,000', async () => {
    const report = await rollingReport(house.store, { ...asked, stepMs: 12 * HOUR, points: 3 }, now);
    expect(report).toMatchObject({ from: '2022-08-02T12:00:00Z', to: '2022-08-03T12:00:00Z', calls: 25_000 });
    expect(report.rows.map(({ at, calls }) => [at, calls])).toEqual([
      ['2022-08-02T12:00:00Z', 10_000],
      ['2022-08-03T00:00:00Z', 20_000],
      ['2022-08-03T12:00:00Z', 25_000],
    ]);
  });

  test('today is 15,000; yesterday 20,000, of which 10,000 are inside', async () => {
    const { rows, residual, calls } = await fitReport(house.store, asked, now);
    expect({ calls, residual }).toEqual({ calls: 25_000, residual: 0 });
    expect(rows.map(({ date, calls, inside, outside }) => ({ date, calls, inside, outside }))).toEqual([
      { date: '2022-08-02', calls: 20_000, inside: 10_000, outside: 10_000 },
      { date: '2022-08-03', calls: 15_000, inside: 15_000, outside: 0 },
    ]);
  });

  test('the last 7 days by user and date', async () => {
    const { rows, calls } = await dailyReport(house.store, { ...asked, days: 7, by: ['consumer'] }, now);
    expect(calls).toBe(35_000);
    const shown = rows
      .filter(({ consumer }) => consumer === 'u0')
      .map(({ start, state, calls }) => [start, state, calls]);
    expect(shown).toEqual([
      ...['2022-07-28', '2022-07-29', '2022-07-30', '2022-07-31', '2022-08-01'].map((day) => [
        `${day}T00:00:00Z`,
        'gap',
        null,
      ]),
      ['2022-08-02T00:00:00Z', 'complete', 6_667],
      ['2022-08-03T00:00:00Z', 'partial', 5_000],
    ]);
  });

  test('the same days in a zone of half hours hold the same calls', async () => {
    const { calls, residual, rows } = await fitReport(house.store, { ...asked, timeZone: 'Asia/Kolkata' }, now);
    expect({ calls, residual, days: rows.length }).toEqual({ calls: 25_000, residual: 0, days: 2 });
    expect(rows[1]).toMatchObject({ date: '2022-08-03', start: '2022-08-02T18:30:00Z' });
  });
});

test('a span is exact to the millisecond', async () => {
  // Today's calls are 2,880 ms apart, the first at midnight.
  const spanMs = 10_000;
  const at = AUGUST_1 + 50 * HOUR + 1;
  const { calls } = await rollingReport(house.store, { ...asked, atMs: at, spanMs, stepMs: 1, points: 1 }, now);
  const times = Array.from(
    { length: 15_000 },
    (_, place) => AUGUST_1 + 48 * HOUR + Math.floor((place * 12 * HOUR) / 15_000),
  );
  expect(calls).toBe(times.filter((time) => time >= at - spanMs && time < at).length);
});

test('hours of nobody are gaps, hours to come are the future, and neither is a zero', async () => {
  const range = { fromMs: AUGUST_1 + 22 * HOUR, toMs: NOON + 2 * HOUR };
  const { rows, coverage } = await volumeReport(
    house.store,
    {
      ...asked,
      range,
      window: 'hour',
      by: [],
      base: { fromMs: range.fromMs - 24 * HOUR, toMs: range.toMs - 24 * HOUR },
    },
    now,
  );
  expect(rows.slice(0, 3).map(({ state, calls }) => [state, calls])).toEqual([
    ['gap', null],
    ['gap', null],
    ['complete', 834],
  ]);
  expect(rows.slice(-2).map(({ state, calls, growth }) => [state, calls, growth])).toEqual([
    ['future', null, null],
    ['future', null, null],
  ]);
  expect(coverage.time).toBeCloseTo(36 / 38, 6);
});

test('a comparison has change and growth, and null where nothing was', async () => {
  const day = (from: number) => ({ fromMs: AUGUST_1 + from * HOUR, toMs: AUGUST_1 + (from + 12) * HOUR });
  const ask = (from: number, base: number) =>
    volumeReport(house.store, { ...asked, range: day(from), window: null, by: ['consumer'], base: day(base) }, now);
  const { rows, calls, baseCalls, growth } = await ask(48, 36);
  expect({ calls, baseCalls, growth }).toEqual({ calls: 15_000, baseCalls: 10_000, growth: 0.5 });
  expect(rows.reduce((sum, row) => sum + row.change!, 0)).toBe(5_000);
  expect(rows.reduce((sum, row) => sum + row.share!, 0)).toBeCloseTo(1, 12);
  expect((await ask(24, 0)).rows[0]).toMatchObject({ calls: 3_334, baseCalls: null, change: null, growth: null });
});
