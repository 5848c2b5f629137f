import fc from 'fast-check';
import { expect, test } from 'vitest';
import { integralOf, readSeries } from '../../test/flow/auditor/metrics.ts';
import { openedHouse } from '../../test/flow/opened-house.ts';
import { readLetGo } from '../collect/index.ts';
import { metricIntegrals, podServices } from './queries.ts';

const { house } = await openedHouse('integrals');

const HOUR_MS = Date.UTC(2025, 2, 10, 10);
const hour = { fromMs: HOUR_MS, toMs: HOUR_MS + 3_600_000 };

const kinds = {
  gauge: (dataPoints: unknown) => ({ gauge: { dataPoints } }),
  delta: (dataPoints: unknown) => ({ sum: { dataPoints, aggregationTemporality: 1, isMonotonic: true } }),
  counter: (dataPoints: unknown) => ({ sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } }),
  level: (dataPoints: unknown) => ({ sum: { dataPoints, aggregationTemporality: 2, isMonotonic: false } }),
};
type Kind = keyof typeof kinds;

interface Sample {
  readonly service: string;
  readonly disk: string;
  readonly second: number;
  readonly nano: number;
  readonly value: number;
  /** Since when a counter counts, in seconds of the hour. */
  readonly since?: number;
}

const nanos = (second: number) => BigInt(HOUR_MS) * 1_000_000n + BigInt(second) * 1_000_000_000n;

function request(metric: string, kind: Kind, { service, disk, second, nano, value, since }: Sample): string {
  const at = nanos(second) + BigInt(nano);
  const start = since === undefined ? {} : { startTimeUnixNano: String(nanos(since)) };
  const attributes = [{ key: 'disk', value: { stringValue: disk } }];
  const content = kinds[kind]([{ timeUnixNano: String(at), asDouble: value, attributes, ...start }]);
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  return JSON.stringify({
    resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: metric, ...content }] }] }],
  });
}

async function integrals(metric: string): Promise<Record<string, string>> {
  const rows = await metricIntegrals(house.store.columns, metric, hour);
  return Object.fromEntries(rows.map(({ service, integral }) => [service, integral]));
}

const at = (second: number, value: number, nano = 0): Sample => ({ service: 's', disk: 'd', second, nano, value });
const since = (since: number, second: number, value: number): Sample => ({ ...at(second, value), since });

test.each<[string, Kind, Sample[], string]>([
  ['holds for five minutes at most', 'gauge', [at(0, 1)], '300000000000'],
  ['holds until the next sample', 'gauge', [at(0, 1), at(60, 0)], '60000000000'],
  ['is clipped at the beginning', 'gauge', [at(-120, 1)], '180000000000'],
  ['is clipped at the end', 'gauge', [at(3590, 1)], '10000000000'],
  ['counts whole milliseconds after clipping', 'gauge', [at(0, 1), at(0, 0, 1_999_999)], '1000000'],
  ['rounds half to even at the millionth', 'gauge', [at(3599, 2.5e-6)], '2000'],
  ['counts the first of two samples at one time', 'gauge', [at(3599, 1), at(3599, 5)], '1000000000'],
  ['a level that may fall holds as well', 'level', [at(0, 1), at(60, 0)], '60000000000'],
  ['increases count at the later sample', 'counter', [at(-60, 5), at(60, 7), at(3600, 99)], '2000000'],
  ['starts again after a reset', 'counter', [at(0, 5), at(60, 2), at(120, 3)], '3000000'],
  ['starts again when it says so, though it has grown', 'counter', [since(-9, 0, 5), since(30, 60, 8)], '8000000'],
  ['goes on while its start is the same', 'counter', [since(-9, 0, 5), since(-9, 60, 8)], '3000000'],
  ['goes on from a sample that its start is', 'counter', [since(0, 0, 5), since(0, 60, 8)], '3000000'],
  ['does not know its start when that is its own time', 'counter', [since(0, 0, 5), since(60, 60, 8)], '3000000'],
  ['nothing is known before the first sample, whenever it started', 'counter', [since(-60, 60, 5)], '0'],
  ['nothing is known before the first sample', 'counter', [at(0, 5)], '0'],
  ['deltas count at their time', 'delta', [at(-1, 1), at(0, 2), at(3599, 4), at(3600, 8)], '6000000'],
])('%s (%s)', async (name, kind, samples, expected) => {
  await house.ingestMetrics(samples.map((sample) => request(name, kind, sample)));
  expect(await integrals(name)).toEqual({ s: expected });
});

const nothing = { a: 0n, b: 0n };

test('the engine adds up what a plain program adds up', async () => {
  let metrics = 0;
  const sample = fc.record({
    service: fc.constantFrom('a', 'b'),
    disk: fc.constantFrom('x', 'y'),
    second: fc.oneof(fc.integer({ min: -400, max: 4000 }), fc.constantFrom(-301, -300, -299, 0, 1, 3599, 3600)),
    nano: fc.constantFrom(0, 1, 999_999, 500_000_000),
    since: fc.option(fc.constantFrom(-500, 0, 1, 300, 3599), { nil: undefined }),
    value: fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constantFrom(0, 1, 2, 1.0000005, 1e-7)),
  });
  const property = fc.asyncProperty(
    fc.constantFrom<Kind>('gauge', 'delta', 'counter', 'level'),
    fc.array(sample, { minLength: 1, maxLength: 25 }),
    async (kind, samples) => {
      const metric = `random-${metrics++}`;
      const lines = samples.map((each) => request(metric, kind, each));
      await house.ingestMetrics(lines);
      const expected: Record<string, bigint> = {};
      for (const series of readSeries(lines)) {
        const part = integralOf(series, BigInt(hour.fromMs) * 1_000_000n, BigInt(hour.toMs) * 1_000_000n);
        expected[series.service] = (expected[series.service] ?? 0n) + part;
      }
      const found = Object.entries(await integrals(metric)).map(([service, integral]) => [service, BigInt(integral)]);
      // A service without a sample in reach may be left out: nothing of anything goes to it either way.
      expect({ ...nothing, ...Object.fromEntries(found) }).toEqual({ ...nothing, ...expected });
    },
  );
  await fc.assert(property, { numRuns: 40, seed: 11 });
});

test.each(['k8s.pod.name', 'container.name'])('by %s a pod belongs to the service that its spans name', async (key) => {
  const span = { traceId: (key === 'k8s.pod.name' ? '1' : '3').repeat(32), spanId: '2'.repeat(16), name: 's', kind: 2 };
  const times = { startTimeUnixNano: `${HOUR_MS}000000`, endTimeUnixNano: `${HOUR_MS}000000` };
  const attributes = [
    { key: 'service.name', value: { stringValue: 'api' } },
    { key, value: { stringValue: `api of ${key}` } },
  ];
  await house.ingestTraces([
    JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [{ ...span, ...times }] }] }] }),
  ]);
  expect([...(await podServices(house.store.columns, await readLetGo(house.store.columns)))]).toContainEqual([
    `api of ${key}`,
    'api',
  ]);
});
