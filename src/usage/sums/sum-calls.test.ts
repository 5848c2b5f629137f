import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { House } from '../../../test/flow/house.ts';
import { callRequest } from '../../../test/flow/small-input.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { refreshRollups } from '../rollups/refresh.ts';
import { type Choice, type Dimension, parseChoice, parseDimensions } from './dimensions.ts';
import { sumCalls } from './sum-calls.ts';

const folder = tempFolder('sums');
const AUGUST_1 = Date.UTC(2022, 7, 1);
const DAY = 86_400_000;
/** Four days of calls, at odd milliseconds. */
const calls = Array.from({ length: 1500 }, (_, place) => ({
  atMs: (place * 7_919_777) % (4 * DAY),
  tenant: `t${place % 5}`,
  route: `/${place % 3}`,
}));

let house: House;
beforeAll(async () => {
  house = await House.open(folder.path);
  await send(calls.slice(0, 700), 0);
  await refreshRollups(house.store.columns);
  await send(calls.slice(700), 700);
  await refreshRollups(house.store.columns);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

function send(part: typeof calls, first: number): Promise<void> {
  return house.ingestTraces(part.map((call, place) => callRequest({ id: first + place + 1, ...call })));
}

const length = fc.oneof(fc.nat(2 * DAY), fc.constantFrom(DAY, 3 * DAY, 3_600_000, 900_000));
const question = fc.record({
  steps: fc.array(fc.tuple(fc.oneof(fc.nat(DAY), fc.constantFrom(0, DAY)), length), { minLength: 1, maxLength: 3 }),
  by: fc.subarray<Dimension>(['tenant', 'endpoint', 'version']),
  only: fc.constantFrom<Choice>({}, { tenant: ['t1', 't2'] }, { endpoint: ['GET /1'] }, { status: ['none'] }),
});

test('sums are those of the calls, to the millisecond, from whichever rows they come', async () => {
  const property = fc.asyncProperty(question, async ({ steps, by, only }) => {
    let at = AUGUST_1 - DAY / 2;
    const ranges = steps.map(([gap, span]) => {
      const fromMs = at + gap;
      at = fromMs + span + 1;
      return { fromMs, toMs: at };
    });
    const found = await sumCalls(house.store.columns, { ranges, by, only, isByRange: true });
    const expected = new Map<string, bigint>();
    for (const call of calls) {
      const endpoint = `GET ${call.route}`;
      const place = ranges.findIndex(
        (range) => range.fromMs <= AUGUST_1 + call.atMs && AUGUST_1 + call.atMs < range.toMs,
      );
      const isChosen = (only.tenant?.includes(call.tenant) ?? true) && (only.endpoint?.includes(endpoint) ?? true);
      if (place < 0 || !isChosen) continue;
      const values: Partial<Record<Dimension, string>> = { tenant: call.tenant, endpoint, version: '' };
      const key = JSON.stringify([place, ...by.map((name) => values[name])]);
      expected.set(key, (expected.get(key) ?? 0n) + 1_000_000n);
    }
    const keyed = found.map(
      (row) => [JSON.stringify([row.range, ...by.map((name) => row.keys[name])]), row.calls] as const,
    );
    expect(new Map(keyed)).toEqual(expected);
  });
  await fc.assert(property, { numRuns: 60, seed: 31 });
});

test('a refresh again adds nothing, and a correction arrives as a difference', async () => {
  const whole = {
    ranges: [{ fromMs: AUGUST_1, toMs: AUGUST_1 + 4 * DAY }],
    by: [] as Dimension[],
    only: {},
    isByRange: false,
  };
  expect(await refreshRollups(house.store.columns)).toBe(0);
  expect((await sumCalls(house.store.columns, whole))[0]!.calls).toBe(1_500_000_000n);
  // A parent that comes late: what was a call is one no more, and the same call is somebody else's.
  await house.apply('apiVersion: taximeter/v1\nkind: Boundary\nmetadata: { name: b }\nspec: { services: [nobody] }\n');
  await refreshRollups(house.store.columns);
  expect(await sumCalls(house.store.columns, whole)).toEqual([]);
  const [row] = await house.store.columns.query<{ n: string }>(
    `SELECT count() AS n FROM (SELECT cut, slot, tenant, endpoint, consumer FROM usage_rollup WHERE marker = 0
      GROUP BY ALL HAVING sum(calls) != 0)`,
  );
  expect(row!.n).toBe('0');
  await house.apply('apiVersion: taximeter/v1\nkind: Boundary\nmetadata: { name: b }\nspec: { services: [api] }\n');
  await refreshRollups(house.store.columns);
  expect((await sumCalls(house.store.columns, whole))[0]!.calls).toBe(1_500_000_000n);
});

test('after a crash between counting by minute and the rollups, the next refresh adds what is missing, once', async () => {
  const { columns } = house.store;
  await send([{ atMs: 5 * DAY, tenant: 'late', route: '/x' }], 5_000);
  // What another process finds that never refreshed: a state of its own for the same tables.
  const other = {
    query: (...question) => columns.query(...question),
    command: (...statement) => columns.command(...statement),
  } as typeof columns;
  expect(await refreshRollups(other)).toBe(1);
  expect(await refreshRollups(columns)).toBe(0);
});

test('choices and dimensions that do not exist are refused', () => {
  expect(parseChoice('tenant:a|b; version:2')).toEqual({ tenant: ['a', 'b'], version: ['2'] });
  for (const text of ['colour:red', 'tenant', 'tenant:a;tenant:b'])
    expect(() => parseChoice(text)).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID' }));
  expect(() => parseDimensions('tenant,colour')).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID' }));
});
