import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { Collector } from '../../collect/index.ts';
import { formatInstant, MILLIS_PER_HOUR, MILLIS_PER_MINUTE } from '../../model/index.ts';
import { openStore, type Store } from '../../store/index.ts';
import { listEvents } from './list-events.ts';
import { type Meter, type MeterAggregation, type MeterSpec, type MeterWindow, meterSpec } from './meter.ts';
import { type MeterQuestion, type MeterRow, queryMeter } from './query-meter.ts';

const folder = tempFolder('meters');
let store: Store;
let collector: Collector;

beforeAll(async () => {
  store = await openStore({ folder: folder.path });
  collector = await Collector.open({
    ...{ store, folder: folder.path, nowMs: Date.now, loadEveryMs: 3_600_000, journalCapacityBytes: 1 << 30 },
    warn: (message) => {
      throw new Error(message);
    },
  });
});
afterAll(async () => {
  await collector.close();
  await store.close();
  folder.remove();
});

let lastId = 0;
/** Sends events of one type; data is JSON text, so that numbers keep their digits. */
async function send(
  type: string,
  events: readonly { readonly at: string; readonly subject?: string; readonly data?: string }[],
): Promise<void> {
  const bodies = events.map(({ at, subject = 'c', data = '{}' }) => {
    const attributes = { specversion: '1.0', id: `${++lastId}`, source: 's', type, subject, time: at };
    return `${JSON.stringify(attributes).slice(0, -1)},"data":${data}}`;
  });
  await collector.events(Buffer.from(`[${bodies.join(',')}]`), 'batch');
  await collector.settle();
}

function meter(eventType: string, more: Partial<MeterSpec> = {}): Meter {
  const spec = meterSpec.parse({ eventType, aggregation: 'COUNT', ...more });
  return { id: 'x', slug: 'x', spec, createdAt: '', updatedAt: '' };
}

function ask(of: Meter, question: Partial<MeterQuestion> = {}): Promise<MeterRow[]> {
  const whole = { fromMs: null, toMs: null, window: null, timeZone: 'UTC', subjects: null, groupBy: [], filter: {} };
  return queryMeter(store.columns, of, { ...whole, ...question });
}

describe('what a meter makes of its events', () => {
  const at = '2024-06-01T00:00:00Z';
  const values: [string, string, string | null][] = [
    ['a number', '7', '7'],
    ['a text', '"7"', '7'],
    ['a decimal', '0.1', '0.1'],
    ['a decimal as text', '"0.10"', '0.1'],
    ['18 decimals', '0.123456789012345678', '0.123456789012345678'],
    ['more decimals, cut off', '"0.1234567890123456789"', '0.123456789012345678'],
    ['a long number', '12345678901234567890123456789', '12345678901234567890123456789'],
    ['a negative one', '-5', '-5'],
    ['one with an exponent', '1.5e3', '1500'],
    ['a small one', '1e-7', '0.0000001'],
    ['an exponent in a text', '"+2E+2"', '200'],
    ['zero', '-0.0', '0'],
    ['too large a one', '1e31', null],
    ['a far larger one', '1e400', null],
    ['too long a one', `"${'1'.repeat(101)}"`, null],
    ['a word', '"seven"', null],
    ['an empty text', '""', null],
    ['a number and more', '"7 apples"', null],
    ['spaces', '" 7"', null],
    ['NaN', '"NaN"', null],
    ['true', 'true', null],
    ['null', 'null', null],
    ['a list', '[7]', null],
    ['an object', '{"v":7}', null],
  ];

  it.each(values)('%s: %s', async (name, value, expected) => {
    await send(`value ${name}`, [{ at, data: `{"v":${value}}` }]);
    const sum = meter(`value ${name}`, { aggregation: 'SUM', valueProperty: '$.v' });
    expect((await ask(sum)).map((row) => row.value)).toEqual(expected === null ? [] : [expected]);
    const [listed] = await listEvents(store.columns, [sum], { type: `value ${name}`, limit: 1 });
    expect(listed?.validationError).toBe(expected === null ? 'meter x: $.v is missing or no number' : '');
  });

  it('an event without data counts, and has no value', async () => {
    await collector.events(
      Buffer.from(
        JSON.stringify({ specversion: '1.0', id: 'bare', source: 's', type: 'bare', subject: 'c', time: at }),
      ),
      'one',
    );
    await collector.settle();
    expect(await ask(meter('bare'))).toMatchObject([{ value: '1' }]);
    for (const aggregation of ['SUM', 'UNIQUE_COUNT', 'LATEST'] as const)
      expect(await ask(meter('bare', { aggregation, valueProperty: '$.v' }))).toEqual([]);
  });

  const aggregations: [MeterAggregation, string][] = [
    ['SUM', '0.6'],
    ['COUNT', '6'],
    ['UNIQUE_COUNT', '4'],
    ['AVG', '0.12'],
    ['MIN', '-0.2'],
    ['MAX', '0.3'],
    ['LATEST', '0.2'],
  ];
  it.each(aggregations)('%s', async (aggregation, value) => {
    const type = `aggregation ${aggregation}`;
    const data = ['0.1', '"0.2"', '-0.2', '"0.3"', '0.2', 'null'].map((v) => `{"v":${v}}`);
    const order = [2, 0, 4, 1, 3, 5];
    await send(
      type,
      order.map((place) => ({ at: `2024-06-01T00:00:0${place}Z`, data: data[place]! })),
    );
    expect((await ask(meter(type, { aggregation, valueProperty: '$.v' }))).map((row) => row.value)).toEqual([value]);
  });

  const paths: [string, string | null][] = [
    ['$.a', 'x'],
    ['$.b.c', '1'],
    ['$.b', '{"c":1}'],
    ['$.list[0]', 'first'],
    ['$.list[1].d', 'true'],
    ['$.list[9]', null],
    ['$.b[0]', null],
    ['$.a.b', null],
    ['$.nothing', null],
    ['$.null', null],
    ["$['it''s']", null],
    ["$['it\\'s']", 'quoted'],
    ['$["a.b"]', 'dotted'],
    ['$["back\\\\slash"]', 'slashed'],
    ['$.größe', 'umlaut'],
  ];
  const nested = JSON.stringify({
    ...{ a: 'x', b: { c: 1 }, list: ['first', { d: true }], null: null },
    ...{ "it's": 'quoted', 'a.b': 'dotted', 'back\\slash': 'slashed', größe: 'umlaut' },
  });
  it.each(paths)('groups by what stands at %s: %s', async (path, expected) => {
    const groupBy = { g: path };
    if (!meterSpec.safeParse({ eventType: path, aggregation: 'COUNT', groupBy }).success)
      return expect(expected).toBeNull();
    await send(path, [{ at, data: nested }]);
    expect((await ask(meter(path, { groupBy }), { groupBy: ['g'] })).map((row) => row.groupBy)).toEqual([
      { g: expected },
    ]);
  });
});

describe('a meter that is refused', () => {
  const rows: [string, object][] = [
    ['a sum of nothing', { aggregation: 'SUM' }],
    ['a wildcard', { aggregation: 'SUM', valueProperty: '$.a[*]' }],
    ['a filter', { aggregation: 'SUM', valueProperty: '$.a[?(@.b)]' }],
    ['any depth', { aggregation: 'SUM', valueProperty: '$..a' }],
    ['the whole', { aggregation: 'SUM', valueProperty: '$' }],
    ['no path', { aggregation: 'SUM', valueProperty: 'a' }],
    ['SQL', { aggregation: 'SUM', valueProperty: "$.a') OR 1 --" }],
    ['a quote that is open', { aggregation: 'SUM', valueProperty: "$['a" }],
    ['17 steps', { aggregation: 'SUM', valueProperty: `$${'.a'.repeat(17)}` }],
    ['a group of the name of subject', { groupBy: { subject: '$.a' } }],
    ['a group of an odd name', { groupBy: { 'a-b': '$.a' } }],
    ['another aggregation', { aggregation: 'MEDIAN' }],
    ['a field that is not known', { colour: 'red' }],
  ];
  it.each(rows)('%s', (_name, more) => {
    expect(meterSpec.safeParse({ eventType: 't', aggregation: 'COUNT', ...more }).success).toBe(false);
  });
});

/** What clocks on walls of a zone show. */
function wallClock(timeZone: string) {
  const parts = new Intl.DateTimeFormat('en', {
    ...{ timeZone, hourCycle: 'h23', calendar: 'gregory', numberingSystem: 'latn' },
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
  });
  return (instantMs: number) => {
    const shown = new Map(parts.formatToParts(instantMs).map(({ type, value }) => [type, value]));
    const [year, month, day, hour] = ['year', 'month', 'day', 'hour'].map((name) => shown.get(name as 'year')!);
    const names = {
      MONTH: `${year}-${month}`,
      DAY: `${year}-${month}-${day}`,
      HOUR: `${year}-${month}-${day} ${hour}`,
    };
    return { ...names, minute: Number(shown.get('minute')) };
  };
}

/**
 * Windows by walking minute by minute: one ends where the clock's name for it changes, and an hour also where the clock goes back.
 * It knows nothing of how the product finds them.
 */
function windowsByWalking(
  window: 'HOUR' | 'DAY' | 'MONTH',
  timeZone: string,
  fromMs: number,
  toMs: number,
): [number, number][] {
  const clock = wallClock(timeZone);
  const edges = [fromMs];
  let before = clock(fromMs);
  for (let at = fromMs + MILLIS_PER_MINUTE; at < toMs; at += MILLIS_PER_MINUTE) {
    const here = clock(at);
    if (here[window] !== before[window] || (window === 'HOUR' && here.minute < before.minute)) edges.push(at);
    before = here;
  }
  return edges.map((edge, place) => [edge, edges[place + 1] ?? toMs]);
}

const zones: [string, string, number, string][] = [
  ['Europe/Berlin', '2024-03-30T10:00:00Z', 50, 'a day of 23 hours'],
  ['Europe/Berlin', '2024-10-26T10:00:00Z', 50, 'a day of 25 hours'],
  ['America/New_York', '2024-03-09T12:00:00Z', 50, 'days far from those of UTC'],
  ['Asia/Kolkata', '2024-03-30T12:00:00Z', 30, 'hours that begin at half past'],
  ['Asia/Kathmandu', '2024-03-30T12:00:00Z', 30, 'hours that begin at a quarter past'],
  ['Australia/Lord_Howe', '2024-04-06T00:00:00Z', 50, 'clocks put back by half an hour'],
  ['Australia/Lord_Howe', '2024-10-05T00:00:00Z', 50, 'clocks put forward by half an hour'],
  ['Africa/Cairo', '2024-04-25T12:00:00Z', 30, 'a day that begins at one'],
  ['Asia/Amman', '2022-10-27T12:00:00Z', 50, 'clocks that stay at summer'],
  ['Pacific/Apia', '2011-12-29T00:00:00Z', 50, 'a day that there was not'],
  ['Antarctica/Troll', '2024-03-30T12:00:00Z', 50, 'clocks put forward by two hours'],
  ['America/Santiago', '2024-09-07T12:00:00Z', 50, 'a day that begins at one, in the south'],
];

describe.each(zones)('%s from %s', (timeZone, start, hours, name) => {
  const type = `${timeZone} ${start}`;
  const fromMs = Date.parse(start);
  const toMs = fromMs + hours * MILLIS_PER_HOUR;
  // Every seven minutes and a bit, so that each window has events, and some lie at its very edges.
  const times: number[] = [];
  for (let at = fromMs; at < toMs; at += 6.5 * MILLIS_PER_MINUTE) times.push(at);
  for (let at = fromMs; at < toMs; at += MILLIS_PER_HOUR / 2) times.push(at, at + MILLIS_PER_HOUR / 2 - 1);
  beforeAll(() =>
    send(
      type,
      times.map((at) => ({ at: new Date(at).toISOString() })),
    ),
  );

  it.each(['HOUR', 'DAY', 'MONTH'] as const)(`${name}: %s`, async (window) => {
    const expected = windowsByWalking(window, timeZone, fromMs, toMs).map(([from, to]) => {
      return [formatInstant(from), formatInstant(to), String(times.filter((at) => at >= from && at < to).length)];
    });
    const rows = await ask(meter(type), { fromMs, toMs, window, timeZone });
    expect(rows.map(({ windowStart, windowEnd, value }) => [windowStart, windowEnd, value])).toEqual(expected);
  });
});

test.each([
  ['Europe/Berlin', '2024-02-10T00:00:00Z', '2024-05-03T00:00:00Z'],
  ['Asia/Amman', '2022-09-20T00:00:00Z', '2022-12-02T00:00:00Z'],
  ['America/Asuncion', '2017-09-10T00:00:00Z', '2017-11-05T00:00:00Z'],
])('months of %s from %s', async (timeZone, from, to) => {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  const times = Array.from({ length: 400 }, (_, place) => fromMs + Math.floor((place * (toMs - fromMs)) / 400));
  const type = `months ${timeZone}`;
  await send(
    type,
    times.map((at) => ({ at: new Date(at).toISOString() })),
  );
  const expected = windowsByWalking('MONTH', timeZone, fromMs, toMs).map(([start, end]) => {
    return [formatInstant(start), formatInstant(end), String(times.filter((at) => at >= start && at < end).length)];
  });
  const rows = await ask(meter(type), { fromMs, toMs, window: 'MONTH', timeZone });
  expect(rows.map(({ windowStart, windowEnd, value }) => [windowStart, windowEnd, value])).toEqual(expected);
});

test('windows and groups add up to the whole, to the last digit', async () => {
  const random = { from: Date.UTC(2024, 9, 26), minutes: 4 * 24 * 60 };
  const events = Array.from({ length: 600 }, (_, place) => ({
    at: new Date(random.from + ((place * 7919) % (random.minutes * 60)) * 1000).toISOString(),
    subject: `s${place % 3}`,
    data: `{"v":"${place % 2 ? '-' : ''}${place}.${String((place * 7919) % 1_000_003).padStart(18, '7')}","g":"${place % 5}"}`,
  }));
  await send('sums', events);
  const sum = meter('sums', { aggregation: 'SUM', valueProperty: '$.v', groupBy: { g: '$.g' } });
  const atto = (text: string) => {
    const [whole = '', fraction = ''] = text.replace('-', '').split('.');
    const magnitude = BigInt(whole + fraction.padEnd(18, '0'));
    return text.startsWith('-') ? -magnitude : magnitude;
  };
  const question = fc.record({
    window: fc.constantFrom<MeterWindow | null>(null, 'MINUTE', 'HOUR', 'DAY', 'MONTH'),
    timeZone: fc.constantFrom(...zones.map(([zone]) => zone), 'UTC'),
    groupBy: fc.subarray(['subject', 'g']),
    subjects: fc.option(fc.subarray(['s0', 's1', 's2'], { minLength: 1 })),
    from: fc.integer({ min: 0, max: random.minutes * 60_000 }),
    length: fc.integer({ min: 1, max: random.minutes * 60_000 }),
  });
  const property = fc.asyncProperty(question, async ({ from, length, ...asked }) => {
    const [fromMs, toMs] = [random.from + from, random.from + from + length];
    const rows = await ask(sum, { ...asked, fromMs, toMs });
    const expected = events
      .filter(({ at, subject }) => {
        const ms = Date.parse(at);
        return ms >= fromMs && ms < toMs && (asked.subjects?.includes(subject) ?? true);
      })
      .reduce((total, { data }) => total + atto((JSON.parse(data) as { v: string }).v), 0n);
    expect(rows.reduce((total, { value }) => total + atto(value), 0n)).toBe(expected);
  });
  await fc.assert(property, { numRuns: 60, seed: 7 });
});

test('odd subjects are found by their very characters', async () => {
  const odd = ["it's", 'back\\slash', '"', 'é😀', '%_', 'a\u2028b', "'; DROP TABLE events; --", '{p0:String}'];
  await send(
    'odd',
    odd.map((subject) => ({ at: '2024-06-01T00:00:00Z', subject })),
  );
  for (const subject of odd) {
    expect(await ask(meter('odd'), { subjects: [subject], groupBy: ['subject'] })).toMatchObject([
      { subject, value: '1' },
    ]);
  }
});

test.each<[string, string, string]>([
  ['from the beginning to the end of years', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'],
  ['of parts of a second', '2024-05-31T23:59:59.999Z', '2024-06-01T00:00:00.001Z'],
])('a range %s', async (name, from, to) => {
  await send(name, [{ at: '2024-06-01T00:00:00.0005Z' }, { at: '2024-06-01T00:00:00Z' }]);
  const range = { fromMs: Date.parse(from), toMs: Date.parse(to) };
  expect(await ask(meter(name), range)).toMatchObject([
    { value: '2', windowStart: formatInstant(range.fromMs), windowEnd: formatInstant(range.toMs) },
  ]);
  expect(await ask(meter(name), { ...range, window: 'DAY' })).toHaveLength(1);
  expect(await listEvents(store.columns, [], { type: name, ...range, limit: 9 })).toMatchObject([
    { time: '2024-06-01T00:00:00.0005Z' },
    { time: '2024-06-01T00:00:00Z' },
  ]);
});

test('questions that cannot be answered are refused', async () => {
  const { from } = { from: Date.UTC(2024, 0) };
  await expect(ask(meter('t'), { fromMs: from, toMs: from })).rejects.toMatchObject({ code: 'RANGE_EMPTY' });
  await expect(ask(meter('t'), { groupBy: ['constructor'] })).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
  await expect(ask(meter('t'), { filter: { nothing: ['x'] } })).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
});
