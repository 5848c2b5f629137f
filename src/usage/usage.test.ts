import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { openedHouse } from '../../test/flow/opened-house.ts';
import { callRequest } from '../../test/flow/small-input.ts';
import { formatInstant, MILLIS_PER_HOUR, MILLIS_PER_MINUTE, parseRange } from '../model/index.ts';
import type { UsageDimension, UsageFilter, UsageWindow } from './queries.ts';
import { readCallMonths, readCallSpan, usageDimensions } from './queries.ts';
import { usageReport } from './usage.ts';

const { house } = await openedHouse('usage');
beforeAll(async () => {
  await house.ingestTraces([...callTimes.keys()].map((place) => request(place)));
});

const AUGUST_1 = Date.UTC(2022, 7, 1);

/** Around every change of clocks that a test below looks at, a call every 10 minutes for 30 hours. */
const changes = [
  '2024-03-30T12:00Z',
  '2024-10-26T12:00Z',
  '2024-04-06T00:00Z',
  '2024-10-05T00:00Z',
  '2024-04-25T12:00Z',
];
const callTimes = changes.flatMap((start) =>
  Array.from({ length: 180 }, (_, place) => Date.parse(start) + place * 10 * MILLIS_PER_MINUTE + 59_999),
);

function request(place: number): string {
  const atMs = callTimes[place]! - AUGUST_1;
  return callRequest({ id: place + 1, atMs, tenant: `t${place % 3}`, route: `/${place % 2}`, durationMs: 20 });
}

interface Asked {
  readonly from: string;
  readonly to: string;
  readonly by?: readonly UsageDimension[];
  readonly window?: UsageWindow;
  readonly timeZone?: string;
  readonly only?: UsageFilter;
}

function report({ from, to, by = [], window = 'none', timeZone = 'UTC', only = {} }: Asked) {
  return usageReport(house.store, { range: parseRange(from, to), by, window, timeZone, only });
}

/** What a clock on a wall shows at an instant. */
function wallClock(timeZone: string) {
  const parts = new Intl.DateTimeFormat('en-GB', {
    ...{
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    },
  });
  return (instantMs: number) => {
    const shown = new Map(parts.formatToParts(instantMs).map(({ type, value }) => [type, value]));
    const get = (name: Intl.DateTimeFormatPartTypes) => shown.get(name)!;
    return { day: `${get('year')}-${get('month')}-${get('day')}`, hour: get('hour'), minute: get('minute') };
  };
}

/** Goes back minute by minute to where the window of a wall clock begins. */
function beginning(instantMs: number, window: 'day' | 'hour', clock: ReturnType<typeof wallClock>): number {
  const name = (at: number) => (window === 'day' ? clock(at).day : `${clock(at).day} ${clock(at).hour}`);
  let start = Math.floor(instantMs / MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE;
  const here = name(start);
  while (name(start - MILLIS_PER_MINUTE) === here) {
    // In an hour that is there twice the second one begins where the clock was put back.
    if (window === 'hour' && clock(start - MILLIS_PER_MINUTE).minute > clock(start).minute) break;
    start -= MILLIS_PER_MINUTE;
  }
  return start;
}

const zones: [string, string, string][] = [
  ['Europe/Berlin', '2024-03-30T12:00Z', 'a day of 23 hours'],
  ['Europe/Berlin', '2024-10-26T12:00Z', 'a day of 25 hours'],
  ['America/New_York', '2024-03-30T12:00Z', 'days far from those of UTC'],
  ['Asia/Kolkata', '2024-03-30T12:00Z', 'hours that begin at half past'],
  ['Asia/Kathmandu', '2024-03-30T12:00Z', 'hours that begin at a quarter past'],
  ['Australia/Lord_Howe', '2024-04-06T00:00Z', 'clocks put back by half an hour'],
  ['Australia/Lord_Howe', '2024-10-05T00:00Z', 'clocks put forward by half an hour'],
  ['Africa/Cairo', '2024-04-25T12:00Z', 'a day that begins at one'],
];

describe.each(zones)('%s from %s: %s', (timeZone, start) => {
  const from = start.replace('Z', ':00Z');
  const to = formatInstant(Date.parse(start) + 30 * MILLIS_PER_HOUR);
  test.each(['day', 'hour'] as const)('windows of a %s begin where a wall clock says', async (window) => {
    const clock = wallClock(timeZone);
    const expected = new Map<string, number>();
    for (const at of callTimes) {
      if (at < Date.parse(from) || at >= Date.parse(to)) continue;
      const begins = formatInstant(beginning(at, window, clock));
      expected.set(begins, (expected.get(begins) ?? 0) + 1);
    }
    const { rows } = await report({ from, to, window, timeZone });
    expect(rows.map((row) => [row.start, row.calls])).toEqual([...expected]);
  });
});

test('rows add up to the calls of the range, by whatever dimensions, windows and zones', async () => {
  const question = fc.record({
    by: fc.subarray<UsageDimension>([...usageDimensions]),
    window: fc.constantFrom<UsageWindow>('none', 'day', 'hour', 'minute'),
    timeZone: fc.constantFrom(...zones.map(([zone]) => zone), 'UTC'),
    from: fc.integer({ min: 0, max: 2_000 }),
    minutes: fc.integer({ min: 1, max: 2_000 }),
  });
  const property = fc.asyncProperty(question, async ({ from, minutes, ...asked }) => {
    const fromMs = Date.parse(changes[0]!) + from * MILLIS_PER_MINUTE;
    const toMs = fromMs + minutes * MILLIS_PER_MINUTE;
    const { calls, rows } = await report({ ...asked, from: formatInstant(fromMs), to: formatInstant(toMs) });
    expect(calls).toBe(callTimes.filter((at) => at >= fromMs && at < toMs).length);
    expect(rows.reduce((sum, row) => sum + row.calls, 0)).toBe(calls);
  });
  await fc.assert(property, { numRuns: 40, seed: 5 });
});

test('dimensions that are asked for are there, in order; the others are not', async () => {
  const { rows } = await report({
    from: '2024-03-30T12:00:00Z',
    to: '2024-03-30T13:00:00Z',
    by: ['tenant', 'endpoint'],
  });
  expect(rows).toEqual(
    ['t0 GET /0', 't0 GET /1', 't1 GET /0', 't1 GET /1', 't2 GET /0', 't2 GET /1'].map((key) => ({
      tenant: key.slice(0, 2),
      endpoint: key.slice(3),
      ...{ calls: 1, standardError: null, errors: 0, bytesIn: null, bytesOut: null, records: null, averageMs: 20 },
    })),
  );
});

test('a range without calls has no rows and no coverage', async () => {
  const asked = { from: '2021-01-01', to: '2021-02-01', window: 'day' as const };
  expect(await report(asked)).toMatchObject({ calls: 0, rows: [], coverage: { weight: null } });
});

test('calls whose weight nobody told count once and show in coverage', async () => {
  const { coverage } = await report({ from: '2024-03-30T12:00:00Z', to: '2024-03-30T13:00:00Z' });
  expect(coverage).toEqual({ weight: 0 });
});

test.each<[string, Asked, string]>([
  ['a range not of whole minutes', { from: '2024-03-30T12:00:30Z', to: '2024-03-31' }, 'PARAMETER_INVALID'],
  ['an unknown zone', { from: '2024-03-30', to: '2024-03-31', timeZone: 'Europe/Atlantis' }, 'PARAMETER_INVALID'],
  ['an offset instead of a zone', { from: '2024-03-30', to: '2024-03-31', timeZone: '+05:30' }, 'PARAMETER_INVALID'],
  ['too many windows', { from: '2024-01-01', to: '2024-03-01', window: 'minute' }, 'RANGE_TOO_LONG'],
])('%s is refused', async (_name, asked, code) => {
  await expect(report(asked)).rejects.toMatchObject({ code });
});

test('says from when to when there are calls, and in which months', async () => {
  expect(await readCallSpan(house.store.columns)).toEqual({
    ...{
      oldest: '2024-03-30T12:00:00Z',
      newest: formatInstant(Math.max(...callTimes) - 59_999),
      calls: callTimes.length,
    },
  });
  expect(await readCallMonths(house.store.columns)).toEqual(['2024-10', '2024-04', '2024-03']);
});

test('the standard error of a count is that of independent keeps', async () => {
  const sampled = [8, 8, 8, 0].map((th, place) =>
    callRequest({ id: 90_000 + place, atMs: place * 1_000, traceState: `ot=th:${th}` }),
  );
  await house.ingestTraces(sampled);
  const { calls, rows } = await report({ from: '2022-08-01', to: '2022-08-02' });
  expect(calls).toBe(7);
  // Three calls of weight 2 and one of weight 1: the sum of w (w - 1) is 6.
  expect(rows[0]!.standardError).toBeCloseTo(Math.sqrt(6), 9);
});

/** One call of each kind, with what tells it from the others. */
const kinds: readonly (readonly [kind: string, ended: string, attributes: object])[] = [
  ['rest', 'success', { 'http.route': '/a', 'http.response.status_code': '200' }],
  ['rest', 'client_error', { 'http.route': '/a', 'http.response.status_code': '404' }],
  ['soap', 'server_error', { 'rpc.system': 'soap', 'http.response.status_code': '500' }],
  ['graphql', 'success', { 'graphql.operation.name': 'Basket', 'http.response.status_code': '200' }],
  ['grpc', 'client_error', { 'rpc.system': 'grpc', 'rpc.method': 'a.B/C', 'rpc.grpc.status_code': '5' }],
  [
    'grpc',
    'server_error',
    { 'rpc.system.name': 'grpc', 'rpc.method': 'a.B/C', 'rpc.response.status_code': 'INTERNAL' },
  ],
  ['bulk', 'unknown', { 'taximeter.call_kind': 'bulk', 'taximeter.records': '250' }],
  ['webhook', 'unknown', { 'taximeter.call_kind': 'webhook' }],
  ['websocket', 'unknown', { 'network.protocol.name': 'websocket', 'http.route': '/ws' }],
];

function calledAs(place: number, attributes: object, traceState = ''): string {
  const at = 1_700_000_000_000_000_000n + BigInt(place) * 1_000_000n;
  const told = {
    'tenant.id': 'kinds',
    'feature_flag.key': 'cart',
    'feature_flag.variant': `v${place % 2}`,
    ...attributes,
  };
  const texts = (values: object) =>
    Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const id = (500_000 + place).toString(16);
  const span = {
    ...{ traceId: id.padStart(32, '0'), spanId: id.padStart(16, '0'), name: 'n', kind: 2, traceState },
    ...{ startTimeUnixNano: String(at), endTimeUnixNano: String(at + 1_000_000n), attributes: texts(told) },
  };
  const place2 = {
    'service.name': 'api',
    'cloud.region': place < 4 ? 'eu-west-1' : 'us-east-1',
    'service.version': '1.2.3',
  };
  return JSON.stringify({
    resourceSpans: [{ resource: { attributes: texts(place2) }, scopeSpans: [{ spans: [span] }] }],
  });
}

describe('what a call is', () => {
  const day = { from: '2023-11-14', to: '2023-11-15' };
  beforeAll(() => house.ingestTraces(kinds.map(([, , attributes], place) => calledAs(place, attributes))));

  test('kind and class of every call', async () => {
    const { rows } = await report({ ...day, by: ['kind', 'class'], only: { tenant: 'kinds' } });
    const expected = [...new Set(kinds.map(([kind, ended]) => `${kind} ${ended}`))].sort();
    expect(rows.map((row) => `${row.kind} ${row.class}`).sort()).toEqual(expected);
    expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(kinds.length);
  });

  test.each<readonly [UsageFilter, UsageDimension, readonly string[]]>([
    [{ kind: 'graphql' }, 'endpoint', ['GRAPHQL Basket']],
    [{ kind: 'rest' }, 'class', ['client_error 1', 'success 1']],
    [{ class: 'server_error' }, 'kind', ['grpc 1', 'soap 1']],
    [{ region: 'eu-west-1' }, 'version', ['1.2.3 4']],
    [{ flags: 'cart=v1' }, 'region', ['eu-west-1 2', 'us-east-1 2']],
    [{ tenant: 'nobody' }, 'kind', []],
    [{ endpoint: "GET /a' OR 1 = 1" }, 'kind', []],
  ])('of calls with %j: %s', async (only, by, expected) => {
    const { rows } = await report({ ...day, by: [by], only });
    expect(rows.map((row) => (expected[0]?.includes('GRAPHQL') ? row[by] : `${row[by]} ${row.calls}`))).toEqual(
      expected,
    );
  });

  test('records are added up with the weight of their calls; null where no call has any', async () => {
    const sampled = { 'taximeter.call_kind': 'bulk', 'taximeter.records': '10' };
    await house.ingestTraces([calledAs(99, sampled, 'ot=th:8')]);
    const { rows } = await report({ ...day, by: ['kind'] });
    expect(rows.find(({ kind }) => kind === 'bulk')).toMatchObject({ calls: 3, records: 270 });
    expect(rows.find(({ kind }) => kind === 'rest')!.records).toBeNull();
  });
});
