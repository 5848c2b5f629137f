import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { House } from '../../../test/flow/house.ts';
import { type Scenario, scenario } from '../../../test/support/seeded-traffic.ts';
import { storeCalls } from '../../../test/support/stored-calls.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import type { TimeRange } from '../../model/index.ts';
import { readPresence } from '../reports/freshness.ts';
import { volumeReport } from '../reports/volume.ts';
import { refreshRollups } from '../rollups/refresh.ts';
import { decompose } from './decompose.ts';
import { type Cause, causes, diagnose, type Evidence } from './diagnose.ts';
import { readEvidence } from './read-evidence.ts';
import { whyReport } from './why.ts';

const folder = tempFolder('why');
const DAY = 86_400_000;
const FIRST = Date.UTC(2020, 0, 6);
/** Seeds that nothing was tuned with. */
const SEEDS = [201, 202, 203, 204];
const seeded = causes.filter((cause) => cause !== 'unexplained');
const scenarios = seeded.flatMap((cause, place) =>
  SEEDS.map((seed, nth) => scenario(cause, seed, FIRST + (place * SEEDS.length + nth) * 21 * DAY)),
);
const now = new Date('2030-01-01T00:00:00Z');

let house: House;
beforeAll(async () => {
  house = await House.open(folder.path);
  await storeCalls(
    house.store.columns,
    1,
    scenarios.flatMap(({ calls }) => calls),
  );
  await house.collector.close();
  await house.store.close();
  house = await House.open(folder.path);
  await refreshRollups(house.store.columns);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

function question({ dayMs }: Scenario) {
  const range = { fromMs: dayMs, toMs: dayMs + DAY };
  return { range, base: { fromMs: dayMs - DAY, toMs: dayMs }, only: {}, timeZone: 'UTC' };
}

async function evidenceOf(asked: Scenario): Promise<Evidence> {
  const { range, base } = question(asked);
  const { columns } = house.store;
  const presence = await readPresence(columns, { fromMs: base.fromMs, toMs: range.toMs }, now);
  return readEvidence(columns, question(asked), presence);
}

describe('decomposition', () => {
  test('adds up to the change exactly, however many parts are shown', () => {
    const moved = fc.uniqueArray(
      fc.record({
        key: fc.string(),
        before: fc.bigInt({ min: 0n, max: 10n ** 30n }),
        after: fc.bigInt({ min: 0n, max: 10n ** 30n }),
      }),
      { selector: ({ key }) => key },
    );
    const property = fc.property(moved, fc.nat(12), (groups, shown) => {
      const parts = decompose(groups, shown);
      const sum = (of: (part: (typeof parts)[number]) => bigint) => parts.reduce((so, part) => so + of(part), 0n);
      const whole = groups.reduce((so, { before, after }) => so + after - before, 0n);
      expect(sum(({ change }) => change)).toBe(whole);
      expect(sum(({ after }) => after) - sum(({ before }) => before)).toBe(whole);
      expect(parts.length).toBeLessThanOrEqual(shown + 1);
      expect(parts.every(({ before, after, change }) => after - before === change)).toBe(true);
    });
    fc.assert(property, { numRuns: 300, seed: 51 });
  });

  test('of stored calls adds up by every dimension', async () => {
    for (const asked of scenarios.slice(0, 3)) {
      const { rows, change, before, after } = await whyReport(
        house.store,
        { ...question(asked), by: ['tenant', 'endpoint', 'consumer', 'status', 'version'], shown: 3 },
        now,
      );
      expect(after - before!).toBe(change);
      for (const dimension of ['tenant', 'endpoint', 'consumer', 'status', 'version']) {
        const own = rows.filter((row) => row.dimension === dimension);
        expect(own.reduce((sum, row) => sum + row.change, 0)).toBe(change);
      }
    }
  });

  test('of a range of which nothing is known before is not known, and no customer is new because of it', async () => {
    const range = { fromMs: FIRST - 8 * DAY, toMs: FIRST - 6 * DAY };
    const base = { fromMs: FIRST - 100 * DAY, toMs: FIRST - 98 * DAY };
    const asked = { ...question(scenarios[0]!), base, by: [], shown: 5 };
    const { rows, diagnoses, ...figures } = await whyReport(house.store, { ...asked, range }, now);
    expect(figures).toMatchObject({ before: null, change: null, growth: null });
    expect([rows, diagnoses.map(({ cause }) => cause)]).toEqual([[], ['unexplained']]);
    const volume = await volumeReport(house.store, { ...asked, range, window: null }, now);
    expect(volume).toMatchObject({ baseCalls: null, growth: null });
    expect(volume.calls).toBeGreaterThan(0);
  });

  test('ranges that overlap are refused', async () => {
    const asked = question(scenarios[0]!);
    await expect(whyReport(house.store, { ...asked, base: asked.range, by: [], shown: 5 }, now)).rejects.toMatchObject({
      code: 'PARAMETER_INVALID',
    });
  });
});

test('of seeded traffic the cause is found: precision and recall of each', async () => {
  const found: { cause: Cause; said: Cause; seed: number; evidence: string }[] = [];
  for (const each of scenarios) {
    const [first] = diagnose(await evidenceOf(each));
    found.push({ cause: each.cause, said: first!.cause, seed: each.seed, evidence: first!.evidence });
  }
  const table = seeded.map((cause) => {
    const [said, real] = [found.filter((each) => each.said === cause), found.filter((each) => each.cause === cause)];
    const right = real.filter((each) => each.said === cause).length;
    return {
      cause,
      seeded: real.length,
      precision: said.length === 0 ? 0 : right / said.length,
      recall: right / real.length,
    };
  });
  console.table(table);
  const wrong = found.filter(({ cause, said }) => cause !== said);
  for (const { precision, recall } of table) {
    expect(precision, JSON.stringify(wrong)).toBeGreaterThanOrEqual(0.8);
    expect(recall, JSON.stringify(wrong)).toBeGreaterThanOrEqual(0.8);
  }
});

test('repeats and risers are those that a look at every call finds', async () => {
  let repeated = 0;
  for (const asked of scenarios.filter(({ seed }) => seed === SEEDS[0])) {
    const { range, base } = question(asked);
    const evidence = await evidenceOf(asked);
    const [before, after] = [callsOf(asked, base), callsOf(asked, range)];
    const late = repeatsOf(after);
    expect([evidence.repeatsBefore, evidence.repeatsAfter, evidence.repeaters], asked.cause).toEqual([
      ...[repeatsOf(before).length, late.length],
      new Set(late.map(whoOf)).size,
    ]);
    repeated += late.length;
    const rise = (who: string) => countOf(after, who) - countOf(before, who);
    const risen = [...new Set([...before, ...after].filter(({ consumer }) => consumer !== '').map(whoOf))]
      .map((who) => rise(who))
      .filter((by) => by > 0);
    expect(evidence.risers.map((riser) => riser.after - riser.before)).toEqual(risen.sort((a, b) => b - a).slice(0, 5));
    for (const riser of evidence.risers)
      expect(riser.after - riser.before).toBe(rise(JSON.stringify([riser.tenant, riser.consumer])));
  }
  expect(repeated).toBeGreaterThan(0);
});

type Seeded = Required<Pick<Scenario['calls'][number], 'atMs' | 'tenant' | 'consumer' | 'endpoint' | 'isError'>>;

function callsOf({ calls }: Scenario, { fromMs, toMs }: TimeRange): Seeded[] {
  return calls
    .map((call) => ({ tenant: 'acme', endpoint: 'GET /a', consumer: '', isError: false, ...call }))
    .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
    .sort((a, b) => a.atMs - b.atMs);
}

function whoOf({ tenant, consumer }: Seeded): string {
  return JSON.stringify([tenant, consumer]);
}

function countOf(calls: readonly Seeded[], who: string): number {
  return calls.filter((call) => whoOf(call) === who).length;
}

/** Calls within half a minute of a failed one, the last before it of the same consumer at the same endpoint. */
function repeatsOf(calls: readonly Seeded[]): Seeded[] {
  const last = new Map<string, Seeded>();
  return calls.filter((call) => {
    const key = JSON.stringify([call.tenant, call.consumer, call.endpoint]);
    const earlier = last.get(key);
    last.set(key, call);
    return earlier?.isError === true && call.atMs - earlier.atMs <= 30_000;
  });
}

test('what fits nothing is called unexplained', () => {
  const nothing: Evidence = {
    ...{
      before: 100,
      after: 60,
      errorsBefore: 0,
      errorsAfter: 0,

      isBeforeKnown: true,
      silenceBeforeMs: 0,
      silenceAfterMs: 0,
      lengthMs: DAY,
      weekBefore: null,
      weekAfter: null,
    },
    ...{
      tenants: [{ name: 'a', before: 100, after: 60, isNew: false }],
      risers: [],
      repeatsBefore: 0,
      repeatsAfter: 0,
      repeaters: 0,
      newVersions: [],
    },
  };
  expect(diagnose(nothing).map(({ cause }) => cause)).toEqual(['unexplained']);
});
