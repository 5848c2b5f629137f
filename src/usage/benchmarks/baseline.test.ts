import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { House } from '../../../test/flow/house.ts';
import { type StoredCall, storeCalls } from '../../../test/support/stored-calls.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { fail, formatInstant } from '../../model/index.ts';
import { applyVersions } from '../../store/index.ts';
import { refreshRollups } from '../rollups/refresh.ts';
import { baselineReport } from './baseline.ts';
import type { CostsByDay } from './metric-series.ts';
import { targetSpec } from './target.ts';
import { targetsReport } from './targets.ts';
import { median } from './trend.ts';

const folder = tempFolder('baseline');
const DAY = 86_400_000;
const WEEKS = 40;
/** A Monday. */
const FIRST = Date.UTC(2025, 0, 6);
const JUDGED = FIRST + WEEKS * 7 * DAY;
const now = new Date(JUDGED + 7 * DAY);
const ofDay = [40, 44, 48, 44, 40, 14, 10];
/** A week in which nobody called, and a day in the last week with far too many. */
const [SILENT, WILD] = [12, WEEKS * 7 + 1];

/** How many calls a tenant makes on a day, counted from the first Monday. */
function callsOf(day: number): number {
  if (Math.floor(day / 7) === SILENT) return 0;
  return (day === WILD ? 4 : 1) * (ofDay[day % 7]! + ((day * 31) % 5) - 2);
}

/** Of one tenant a tenth of the calls fails, of the other more and more. */
function traffic(): StoredCall[] {
  const calls: StoredCall[] = [];
  for (let day = 0; day < (WEEKS + 1) * 7; day++) {
    for (const tenant of ['steady', 'drifting']) {
      const every = tenant === 'steady' ? 10 : 24 - Math.floor((day / 7 / WEEKS) * 20);
      for (let call = 0; call < callsOf(day); call++) {
        const isError = (call + day * 7) % every === 0;
        calls.push({ atMs: FIRST + day * DAY + call * 300_000 + 1, tenant, isError, status: isError ? 500 : 200 });
      }
    }
  }
  return calls;
}

let house: House;
beforeAll(async () => {
  house = await House.open(folder.path);
  await storeCalls(house.store.columns, 1, traffic());
  await house.collector.close();
  await house.store.close();
  house = await House.open(folder.path);
  await refreshRollups(house.store.columns);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

const range = { fromMs: JUDGED, toMs: JUDGED + 7 * DAY };
const noCosts: CostsByDay = async () => new Map();
const asked = {
  ...({ metric: 'calls', range, window: 'day', timeZone: 'UTC', only: { tenant: ['steady'] }, weeks: 39 } as const),
  costs: noCosts,
};

describe('a baseline', () => {
  test('expects of each day the median of its weekdays, and sees the day that is far from it', async () => {
    const report = await baselineReport(house.store, asked, now);
    expect(report.history).toMatchObject({ weeks: 38, asked: 39, isEnough: true });
    expect(report.drift).toMatchObject({ direction: 'steady', weeks: 38 });
    expect(report.rows.map(({ expected }) => expected)).toEqual(
      ofDay.map((_, weekday) => {
        const past = Array.from({ length: 39 }, (_, week) => week + 1).filter((week) => week !== SILENT);
        return median(past.map((week) => callsOf(week * 7 + weekday)));
      }),
    );
    expect(report.rows.map(({ position }) => position)).toEqual(
      ofDay.map((_, weekday) => (weekday === 1 ? 'above' : 'inside')),
    );
    expect(report.rows[0]).toMatchObject({ start: formatInstant(JUDGED), values: 38, state: 'complete' });
  });

  test('by the hour knows the hours in which there are calls', async () => {
    const day = { fromMs: JUDGED, toMs: JUDGED + DAY };
    const { rows } = await baselineReport(house.store, { ...asked, range: day, window: 'hour' }, now);
    expect(rows).toHaveLength(24);
    // Twelve calls an hour, as long as there are any.
    expect(rows.slice(0, 3).map(({ value, expected, position }) => ({ value, expected, position }))).toEqual(
      Array(3).fill({ value: 12, expected: 12, position: 'inside' }),
    );
    expect(rows[20]).toMatchObject({ value: null, state: 'gap', expected: null, position: null });
  });

  test('says that too little is known', async () => {
    const report = await baselineReport(house.store, { ...asked, weeks: 5 }, now);
    expect(report).toMatchObject({ history: { weeks: 5, isEnough: false }, drift: null });
    expect(report.rows.every((row) => row.expected === null && row.low === null && row.position === null)).toBe(true);
    const early = { fromMs: FIRST, toMs: FIRST + DAY };
    expect(await baselineReport(house.store, { ...asked, range: early }, now)).toMatchObject({ history: { weeks: 0 } });
  });

  test('tells a drift from a level', async () => {
    const drift = async (tenant: string) => {
      const question = { ...asked, metric: 'errorRate' as const, only: { tenant: [tenant] } };
      return (await baselineReport(house.store, question, now)).drift;
    };
    expect(await drift('drifting')).toMatchObject({ direction: 'worsening' });
    expect((await drift('drifting'))!.whole).toBeGreaterThan(0.5);
    expect(await drift('steady')).toMatchObject({ direction: 'steady' });
  });

  test('counts calls per active tenant', async () => {
    const { rows } = await baselineReport(house.store, { ...asked, metric: 'callsPerTenant', only: {} }, now);
    expect(rows.map(({ value }) => value)).toEqual(ofDay.map((_, weekday) => callsOf(WEEKS * 7 + weekday)));
  });

  test('shows costs as text, and only by day', async () => {
    const costs: CostsByDay = async ({ fromMs, toMs }) =>
      new Map(
        Array.from({ length: Math.round((toMs - fromMs) / DAY) }, (_, day) => [
          formatInstant(fromMs + day * DAY).slice(0, 10),
          { amountAtto: 5n * 10n ** 18n, callsMicro: 40_000_000n },
        ]),
      );
    const question = { ...asked, metric: 'costPerCall' as const, costs };
    const { rows } = await baselineReport(house.store, question, now);
    expect(rows[0]).toMatchObject({ value: '0.125000000000', expected: '0.125000000000', position: 'inside' });
    const unknown = await baselineReport(house.store, { ...question, costs: noCosts }, now);
    expect(unknown.rows[0]).toMatchObject({ value: null, expected: null });
    await expect(baselineReport(house.store, { ...question, window: 'hour' }, now)).rejects.toMatchObject({
      code: 'PARAMETER_INVALID',
    });
  });
});

describe('targets', () => {
  const targets = {
    'a-fewer-errors': {
      metric: 'errorRate',
      where: 'tenant:drifting',
      value: 0.1,
      direction: 'atMost',
      by: '2026-01-31',
    },
    'b-enough-errors': {
      metric: 'errorRate',
      where: 'tenant:steady',
      value: 0.2,
      direction: 'atMost',
      by: '2026-01-31',
    },
    'c-more-calls': { metric: 'calls', where: 'tenant:steady', value: 10_000, direction: 'atLeast', by: '2026-01-31' },
    'd-was-missed': { metric: 'calls', value: 10_000, direction: 'atLeast', by: '2025-09-30' },
    'e-was-met': { metric: 'activeTenants', value: 2, direction: 'atLeast', by: '2025-09-30', per: 'day' },
    'f-is-off': { metric: 'calls', value: 1, direction: 'atLeast', by: '2025-09-30', enabled: false },
    'g-costs': { metric: 'costPerCall', value: '0.01', direction: 'atMost', by: '2026-01-31' },
  };

  test('are met, missed, on track or off it', async () => {
    const versions = Object.entries(targets).map(([name, spec]) => ({
      ...{ kind: 'Target', name, effectiveFromMs: 0, reason: '', spec: targetSpec.parse(spec) },
    }));
    await applyVersions(house.store.documents, versions, 'test', now);
    const { rows } = await targetsReport(house.store, { atMs: now.getTime(), costs: noCosts }, now);
    expect(rows.map(({ name, state }) => [name, state])).toEqual([
      ['a-fewer-errors', 'off_track'],
      ['b-enough-errors', 'met'],
      ['c-more-calls', 'off_track'],
      ['d-was-missed', 'missed'],
      ['e-was-met', 'met'],
      ['g-costs', 'unknown'],
    ]);
    expect(rows[1]).toMatchObject({ windows: 13, start: formatInstant(JUDGED), projectedOn: null });
  });

  test('of costs are judged by windows of which every call has a cost', async () => {
    // Of the last week one day has no cost yet.
    const missing = JUDGED + 3 * DAY;
    const costs: CostsByDay = async ({ fromMs, toMs }) =>
      new Map(
        Array.from({ length: Math.round((toMs - fromMs) / DAY) }, (_, day) => fromMs + day * DAY)
          .filter((at) => at !== missing)
          .map((at) => {
            const calls = 2 * callsOf((at - FIRST) / DAY);
            return [formatInstant(at).slice(0, 10), { amountAtto: 10n ** 18n, callsMicro: BigInt(calls) * 1_000_000n }];
          }),
      );
    const { rows } = await targetsReport(house.store, { atMs: now.getTime(), costs }, now);
    expect(rows.at(-1)).toMatchObject({ name: 'g-costs', start: formatInstant(JUDGED - 7 * DAY), windows: 12 });
  });

  test('that cannot be judged say why, and the others are judged', async () => {
    const costs: CostsByDay = () => Promise.reject(fail('CURRENCY_MIXED', { currencies: 'EUR, USD' }));
    const { rows } = await targetsReport(house.store, { atMs: now.getTime(), costs }, now);
    expect(rows.map(({ state }) => state)).toEqual(['off_track', 'met', 'off_track', 'missed', 'met', 'unknown']);
    expect(rows.at(-1)).toMatchObject({ current: null, windows: 0, reason: expect.stringContaining('currenc') });
    expect(rows[0]).not.toHaveProperty('reason');
    const broken: CostsByDay = () => Promise.reject(new Error('the disk is gone'));
    await expect(targetsReport(house.store, { atMs: now.getTime(), costs: broken }, now)).rejects.toThrow('disk');
  });

  test('of costs may name tenants and endpoints', () => {
    const where = 'tenant:steady;endpoint:GET /a';
    expect(targetSpec.safeParse({ ...targets['g-costs'], where }).success).toBe(true);
  });

  test.each([
    ['a cost by consumer', { ...targets['g-costs'], where: 'tenant:steady;consumer:x' }],
    ['a rate above 1', { ...targets['a-fewer-errors'], value: 20 }],
    ['a day that does not exist', { ...targets['a-fewer-errors'], by: '2026-02-30' }],
    ['a choice that is none', { ...targets['a-fewer-errors'], where: 'colour:red' }],
    ['a zone that is none', { ...targets['a-fewer-errors'], timeZone: 'Mars/Olympus' }],
  ])('%s is refused', (_name, spec) => {
    expect(targetSpec.safeParse(spec).success).toBe(false);
  });
});
