import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { inHouse } from '../../test/flow/empty-house.ts';
import type { House } from '../../test/flow/house.ts';
import { billOf, callRequest, modelOf } from '../../test/flow/small-input.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { formatMoney, parseMoney, parseRange } from '../model/index.ts';
import { costReport } from './cost-report.ts';
import type { Dimension } from './sum-queries.ts';

const folder = tempFolder('by-day');
afterAll(() => folder.remove());
let houses = 0;
const withHouse = (work: (house: House) => Promise<void>) => () => inHouse(`${folder.path}/${houses++}`, work);

const HOUR_MS = 3_600_000;
const AUGUST_1 = Date.UTC(2022, 7, 1);
/** Clocks change in it: Berlin and Lord Howe at other times, Azores at midnight. */
const AUTUMN = { from: '2022-10-01', to: '2022-11-01' };
const START_MS = Date.UTC(2022, 9, 1);
const ZONES = ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/St_Johns', 'Australia/Lord_Howe', 'Atlantic/Azores'];
const vm = { id: 'vm', match: { ServiceName: 'vm' } };
const people = { id: 'people', kind: 'indirect', fixed: { amount: '100.000000000000000001', per: 'month' } };

interface Charge {
  readonly startMs: number;
  readonly endMs: number;
  readonly amount: string;
}

function billOfCharges(charges: readonly Charge[]): string {
  return billOf(
    charges.map(({ startMs, endMs, amount }) => ({
      ...{ BillingPeriodStart: '2022-10-01T00:00:00Z', BillingPeriodEnd: '2022-11-01T00:00:00Z' },
      ChargePeriodStart: new Date(startMs).toISOString(),
      ChargePeriodEnd: new Date(endMs).toISOString(),
      EffectiveCost: amount,
    })),
  );
}

/** The same rule written down once more, hour by hour, with the clock of the machine. */
function expectedDays(charges: readonly Charge[], zone: string): Map<string, bigint> {
  const dayOf = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' });
  const days = new Map<string, bigint>();
  for (const { startMs, endMs, amount } of charges) {
    const units = parseMoney(amount).amountAtto;
    const hours = BigInt(Math.max(1, Math.ceil((endMs - startMs) / HOUR_MS)));
    const size = units < 0n ? -units : units;
    for (let hour = 0n; hour < hours; hour++) {
      const part = size / hours + (hour < size % hours ? 1n : 0n);
      const day = dayOf.format(startMs + Number(hour) * HOUR_MS);
      days.set(day, (days.get(day) ?? 0n) + (units < 0n ? -part : part));
    }
  }
  return days;
}

async function started(house: House, charges: readonly Charge[], tenants: number, pools: object[]): Promise<void> {
  await house.apply(modelOf(pools as Record<string, unknown>[], { effectiveFrom: '2022-10-01' }));
  const calls = Array.from({ length: 62 * tenants }, (_, at) =>
    callRequest({
      id: at + 1,
      tenant: `t${at % tenants}`,
      route: `/r${at % 3}`,
      atMs: START_MS - AUGUST_1 + Math.floor(at / tenants) * 12 * HOUR_MS + 1_800_000,
    }),
  );
  await house.ingestTraces(calls);
  await house.importBills([billOfCharges(charges)]);
  await house.allocate(AUTUMN);
}

const rowsBy = async (house: House, by: readonly Dimension[], zone: string) =>
  (await costReport(house.store, parseRange(AUTUMN.from, AUTUMN.to), by, undefined, zone)).rows;

/** Adds rows up by the dimensions that are left. */
function addedUp(rows: Awaited<ReturnType<typeof rowsBy>>, by: readonly Dimension[]): Record<string, string> {
  const sums = new Map<string, { full: bigint; direct: bigint; calls: number }>();
  for (const row of rows) {
    const key = JSON.stringify(by.map((name) => row[name]));
    const sum = sums.get(key) ?? { full: 0n, direct: 0n, calls: 0 };
    sum.full += parseMoney(row.full).amountAtto;
    sum.direct += parseMoney(row.direct).amountAtto;
    sum.calls += row.calls ?? 0;
    sums.set(key, sum);
  }
  return Object.fromEntries(
    [...sums].map(([key, { full, direct, calls }]) => [key, `${formatMoney(full)} ${formatMoney(direct)} ${calls}`]),
  );
}

const HOURS = fc.constantFrom(1, 1, 24, 24, 25, 49, 72, 167, 720, 744);
const charges = fc.uniqueArray(
  fc.record({
    startHour: fc.nat(30 * 24),
    hours: HOURS,
    isCut: fc.boolean(),
    amount: fc.constantFrom(
      '0.000000000000000007',
      '-3.000000000000000001',
      '744',
      '1',
      '12345.678901234567890123',
      '-0.5',
    ),
  }),
  { minLength: 12, maxLength: 25, selector: ({ startHour, hours }) => `${startHour} ${hours}` },
);

describe('cost by day', () => {
  test.each([11, 12, 13])('every charge is spread over its hours, to the last digit; seed %i', (seed) =>
    withHouse(async (house) => {
      const [drawn] = fc.sample(charges, { seed, numRuns: 1 });
      const bill = drawn!.map(({ startHour, hours, isCut, amount }) => {
        const startMs = START_MS + startHour * HOUR_MS;
        return { startMs, endMs: startMs + hours * HOUR_MS - (isCut ? 600_000 : 0), amount };
      });
      // One tenant whose work is in every charge period, so that each charge is one share.
      await started(house, bill, 1, [{ ...vm, driver: 'calls' }, people]);
      const posted = await house.store.columns.query<{ startMs: string; endMs: string; amount: string }>(
        `SELECT toString(toUnixTimestamp(charge_start) * 1000) AS startMs, toString(toUnixTimestamp(charge_end) * 1000) AS endMs,
          toString(postings.amount) AS amount FROM postings WHERE ledger = 'tenant' AND postings.amount != 0`,
      );
      expect(posted.length).toBeGreaterThan(3);
      for (const zone of ZONES) {
        const shares = posted.map((row) => ({ ...row, startMs: Number(row.startMs), endMs: Number(row.endMs) }));
        const merged = new Map<string, bigint>();
        for (const share of shares)
          for (const [day, units] of expectedDays([share], zone)) merged.set(day, (merged.get(day) ?? 0n) + units);
        const rows = (await rowsBy(house, ['day'], zone)).filter(({ full }) => /[1-9]/.test(full));
        const expected = [...merged].filter(([, units]) => units !== 0n).sort(([a], [b]) => (a < b ? -1 : 1));
        expect(rows.map(({ day, full }) => [day, full])).toEqual(
          expected.map(([day, units]) => [day, formatMoney(units)]),
        );
      }
    })(),
  );

  test(
    'days add up to the whole, by whatever dimensions, and the identity is the same',
    withHouse(async (house) => {
      const [drawn] = fc.sample(charges, { seed: 21, numRuns: 1 });
      const bill = drawn!.map(({ startHour, hours, amount }) => {
        const startMs = START_MS + startHour * HOUR_MS;
        return { startMs, endMs: startMs + hours * HOUR_MS, amount };
      });
      await started(house, bill, 3, [{ ...vm, driver: 'busy_us' }, people]);
      const wholes: (readonly Dimension[])[] = [
        [],
        ['tenant'],
        ['tenant', 'endpoint'],
        ['pool'],
        ['endpoint', 'service'],
      ];
      for (const zone of ['UTC', 'Europe/Berlin'])
        for (const by of wholes) {
          const days = await rowsBy(house, [...by, 'day'], zone);
          const whole = addedUp(await rowsBy(house, by, zone), by);
          const sums = addedUp(days, by);
          const isOfCalls = !by.includes('pool') && !by.includes('service');
          const money = (texts: Record<string, string>) =>
            Object.fromEntries(
              Object.entries(texts).map(([key, text]) => [key, isOfCalls ? text : text.replace(/ \S+$/, '')]),
            );
          expect(money(sums), `${zone} ${by}`).toEqual(money(whole));
        }
      const ofTenants = addedUp(await rowsBy(house, ['tenant', 'day'], 'Asia/Kolkata'), ['day']);
      expect(addedUp(await rowsBy(house, ['day'], 'Asia/Kolkata'), ['day'])).toEqual(ofTenants);
    }),
  );

  test(
    'a day of 25 hours has 25 of them, and calls count on their own day',
    withHouse(async (house) => {
      const month = { startMs: Date.UTC(2022, 9, 1), endMs: Date.UTC(2022, 10, 1), amount: '744' };
      await started(house, [month], 1, [vm]);
      const rows = await rowsBy(house, ['day'], 'Europe/Berlin');
      const shown = rows.map(({ day, full, calls, state, fullPerCall }) => ({
        day,
        full: Number(full),
        calls,
        state,
        fullPerCall,
      }));
      expect(shown.slice(0, 2)).toEqual([
        { day: '2022-10-01', full: 22, calls: 2, state: 'provisional', fullPerCall: '11.000000000000' },
        { day: '2022-10-02', full: 24, calls: 2, state: 'provisional', fullPerCall: '12.000000000000' },
      ]);
      expect(shown.slice(-3).map(({ day, full }) => [day, full])).toEqual([
        ['2022-10-30', 25],
        ['2022-10-31', 24],
        ['2022-11-01', 1],
      ]);
      expect(shown.reduce((sum, { calls }) => sum + (calls ?? 0), 0)).toBe(62);
    }),
  );
});
