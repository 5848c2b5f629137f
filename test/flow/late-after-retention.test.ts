import { afterAll, expect, test } from 'vitest';
import { readLetGo, workTotals } from '../../src/collect/index.ts';
import { parseRange } from '../../src/model/index.ts';
import { usageReport } from '../../src/usage/index.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { House } from './house.ts';
import { Clock, letGoAndDelete } from './retention-world.ts';

const folder = tempFolder('late-after-retention');
afterAll(() => folder.remove());

const range = parseRange('2031-01-31', '2031-02-01');
const START = BigInt(Date.parse('2031-01-31T12:00:00Z')) * 1_000_000n;

/** A span of trace 1: times in microseconds after noon. */
function span(id: number, parent: number, kind: number, from: number, to: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const time = (us: number) => String(START + BigInt(us) * 1000n);
  const attributes = [
    { key: 'tenant.id', value: { stringValue: 'acme' } },
    { key: 'http.request.method', value: { stringValue: 'GET' } },
    { key: 'http.route', value: { stringValue: '/a' } },
  ];
  const sent = {
    ...{ traceId: hex(1, 32), spanId: hex(id, 16), kind, name: 'work', attributes },
    ...(parent === 0 ? {} : { parentSpanId: hex(parent, 16) }),
    ...{ startTimeUnixNano: time(from), endTimeUnixNano: time(to) },
  };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'api' } }] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [sent] }] }] });
}

/** What the work of the day comes to, for all tenants, of nobody's too. */
async function totalsOf(house: House): Promise<{ calls: number; spans: number; busyUs: number; usage: number }> {
  const { columns } = house.store;
  const table = workTotals(await readLetGo(columns), ['calls', 'spans', 'busy_us'], false);
  const [row] = await columns.query<Record<'calls' | 'spans' | 'busy', string>>(
    `SELECT sum(calls_total) AS calls, sum(spans_total) AS spans, sum(busy_us_total) AS busy FROM ${table}`,
    { from: range.fromMs, to: range.toMs },
  );
  const { calls } = await usageReport(house.store, { range, by: [], window: 'none', timeZone: 'UTC' });
  const ones = (text: string) => Number(text) / 1e6;
  return { calls: ones(row!.calls), spans: ones(row!.spans), busyUs: ones(row!.busy), usage: calls };
}

const INTERNAL = 1;
const SERVER = 2;

test('a late span of a trace that was let go in part is added, and changes nothing else', async () => {
  const clock = new Clock('2031-01-31T23:00:00Z');
  const house = await House.open(`${folder.path}/part`, clock.now);
  try {
    await house.ingestTraces([span(1, 0, SERVER, 0, 100), span(2, 1, INTERNAL, 10, 40)]);
    clock.set('2031-02-01T01:00:00Z');
    // Corrects the root's own time, and hangs on a call whose first version will be let go.
    await house.ingestTraces([span(3, 1, INTERNAL, 50, 70), span(4, 2, INTERNAL, 10, 20)]);
    const before = await totalsOf(house);
    expect(before).toEqual({ calls: 1, spans: 4, busyUs: 100, usage: 1 });

    clock.set('2031-04-10T00:00:00Z');
    await letGoAndDelete(house, clock, async () => expect(await totalsOf(house)).toEqual(before));
    expect(await totalsOf(house)).toEqual(before);

    await house.ingestTraces([span(5, 3, INTERNAL, 50, 60)]);
    expect(await totalsOf(house)).toEqual({ ...before, spans: 5, busyUs: 110 });
    // A repeat of it, and one of a span of which the row is still there, count no more.
    await house.ingestTraces([span(5, 3, INTERNAL, 50, 60), span(3, 1, INTERNAL, 50, 70)]);
    expect(await totalsOf(house)).toEqual({ ...before, spans: 5, busyUs: 110 });
  } finally {
    await house.close();
  }
});

test('a late span of a trace that is gone counts alone; the clock may go back', async () => {
  const clock = new Clock('2031-01-31T23:00:00Z');
  const house = await House.open(`${folder.path}/whole`, clock.now);
  try {
    await house.ingestTraces([span(1, 0, SERVER, 0, 100)]);
    clock.set('2031-04-10T00:00:00Z');
    await letGoAndDelete(house, clock, async () => undefined);
    clock.set('2031-01-31T23:30:00Z');
    await house.ingestTraces([span(2, 1, INTERNAL, 10, 40)]);
    expect(await totalsOf(house)).toEqual({ calls: 1, spans: 2, busyUs: 130, usage: 1 });
  } finally {
    await house.close();
  }
});
