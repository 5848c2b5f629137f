import { describe, expect, it } from 'vitest';
import { decoderLaws, type Outcome, outcomeOf } from '../../../test/conformance/decoder-laws.ts';
import { metricRequests } from '../../../test/conformance/otlp-requests.ts';
import { RowWriter } from '../../store/index.ts';
import { SampleKind, samplesIn } from '../samples.ts';
import { decodeMetricsJson } from './metrics-json.ts';
import { decodeMetricsProtobuf } from './metrics-protobuf.ts';

function outcome(decode: typeof decodeMetricsJson, body: Buffer): Outcome {
  return outcomeOf(() => {
    const writer = new RowWriter(64);
    const { accepted, refused } = decode(body, writer);
    return { accepted, refused: Object.fromEntries(refused.byReason), rows: writer.bytes().toString('hex') };
  });
}

const fromProtobuf = (body: Buffer) => outcome(decodeMetricsProtobuf, body);
const fromJson = (json: object) => outcome(decodeMetricsJson, Buffer.from(JSON.stringify(json)));

decoderLaws('ExportMetricsServiceRequest', metricRequests, fromProtobuf, fromJson);

interface Point {
  readonly asDouble?: unknown;
  readonly asInt?: unknown;
  readonly sum?: unknown;
  readonly count?: unknown;
  readonly flags?: unknown;
  readonly timeUnixNano?: unknown;
  readonly startTimeUnixNano?: unknown;
  readonly attributes?: unknown;
}

const WHEN = '1735689600123456789';
const withPoints = (dataPoints: readonly Point[], resource: object = {}, metric: object = {}) => ({
  resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints }, ...metric }] }] }],
});

interface Sample {
  readonly metric: string;
  readonly series: string;
  readonly service: string;
  readonly pod: string;
  readonly kind: number;
  readonly atNs: bigint;
  readonly micro: bigint;
  readonly startedNs: bigint;
}

function samplesFrom(json: object): Sample[] {
  const writer = new RowWriter(64);
  decodeMetricsJson(Buffer.from(JSON.stringify(json)), writer);
  const bytes = writer.bytes();
  const text = ([start, end]: readonly [number, number]) => bytes.toString('utf8', start, end);
  return [...samplesIn(bytes)].map(({ metric, series, service, pod, kind, at, value, started }) => ({
    ...{ metric: text(metric), service: text(service), pod: text(pod), kind: bytes[kind]! },
    series: bytes.toString('hex', series, series + 16),
    atNs: bytes.readBigUInt64LE(at),
    startedNs: bytes.readBigUInt64LE(started),
    micro: bytes.readBigUInt64LE(value) + (bytes.readBigInt64LE(value + 8) << 64n),
  }));
}

describe('a value is kept as whole millionths of its shortest text, rounded half-even', () => {
  it.each<readonly [Point, bigint]>([
    [{ asDouble: 0.1 }, 100_000n],
    [{ asDouble: 1e-7 }, 0n],
    [{ asDouble: 0.0000005 }, 0n],
    [{ asDouble: 0.0000015 }, 2n],
    [{ asDouble: -0.0000015 }, -2n],
    [{ asDouble: 1e21 }, 10n ** 27n],
    [{ asInt: '9223372036854775807' }, 9_223_372_036_854_775_807_000_000n],
    [{ asInt: '-5' }, -5_000_000n],
    [{ asInt: 7 }, 7_000_000n],
    [{ asDouble: 0 }, 0n],
  ])('%j', (point, micro) => {
    const [sample] = samplesFrom(withPoints([{ ...point, timeUnixNano: WHEN }]));
    expect(sample).toMatchObject({ micro, atNs: BigInt(WHEN) });
  });

  it.each<readonly [Point, string]>([
    [{ asDouble: 'NaN', timeUnixNano: WHEN }, 'value_invalid'],
    [{ asDouble: 'Infinity', timeUnixNano: WHEN }, 'value_invalid'],
    [{ asDouble: 1e300, timeUnixNano: WHEN }, 'value_invalid'],
    [{ timeUnixNano: WHEN }, 'value_invalid'],
    [{ asDouble: 1 }, 'time_invalid'],
    [{ asDouble: 1, timeUnixNano: '-1' }, 'time_invalid'],
    [{ asDouble: 1, timeUnixNano: {} }, 'time_invalid'],
    [{ asDouble: [[[1]]], timeUnixNano: WHEN }, 'value_invalid'],
    [{ asDouble: { toString: 1, valueOf: 1 }, timeUnixNano: WHEN }, 'value_invalid'],
  ])('%j is refused as %s', (point, reason) => {
    expect(fromJson(withPoints([point]))).toEqual({ accepted: 0, refused: { [reason]: 1 }, rows: '' });
  });

  it.each<readonly [string, Point]>([
    ['of another century', { asInt: 1, timeUnixNano: '9000000000000000000' }],
    ['beyond 64 bits with a sign', { asInt: 1, timeUnixNano: '18446744073709551615' }],
  ])('a time %s is refused', (_, point) => {
    expect(fromJson(withPoints([point]))).toMatchObject({ accepted: 0, refused: { time_invalid: 1 } });
  });

  it('summaries are refused', () => {
    const request = withPoints([], {}, { gauge: undefined, summary: {} });
    expect(fromJson(request)).toEqual({ accepted: 0, refused: { metric_type_unsupported: 1 }, rows: '' });
  });

  it('a name nested 100,000 deep does not overflow the stack', () => {
    const body = JSON.stringify(withPoints([{ asDouble: 'HERE', timeUnixNano: WHEN }], {}, { name: 'HERE' }));
    const deep = `${'['.repeat(100_000)}1${']'.repeat(100_000)}`;
    expect(outcome(decodeMetricsJson, Buffer.from(body.replaceAll('"HERE"', deep)))).toMatchObject({ accepted: 0 });
  });
});

describe('what tells one series from another', () => {
  const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });
  const seriesOf = (point: readonly object[], resource: readonly object[] = [], metric: object = {}) =>
    samplesFrom(withPoints([{ asInt: 1, timeUnixNano: WHEN, attributes: point }], { attributes: resource }, metric))[0]!
      .series;

  it('is metric, resource and point, whatever their order', () => {
    const [a, b] = [attribute('a', '1'), attribute('b', '2')];
    expect(seriesOf([b, a])).toBe(seriesOf([a, b]));
    expect(seriesOf([], [b, a])).toBe(seriesOf([], [a, b]));
  });

  it.each<readonly [string, readonly object[], readonly object[], object]>([
    ['another value', [attribute('a', '2')], [], {}],
    ['another key', [attribute('b', '1')], [], {}],
    ['the same on the resource', [], [attribute('a', '1')], {}],
    ['another metric', [attribute('a', '1')], [], { name: 'n' }],
    ['text moved from value to key', [attribute('a1', '')], [], {}],
    ['a label more', [attribute('a', '1'), attribute('', '')], [], {}],
  ])('%s is another series', (_, point, resource, metric) => {
    expect(seriesOf(point, resource, metric)).not.toBe(seriesOf([attribute('a', '1')]));
  });
});

describe('histograms', () => {
  const times = { timeUnixNano: WHEN, startTimeUnixNano: '1735689600000000000' };
  const samples = (field: string, point: Point, temporality = 2) => {
    const metric = {
      gauge: undefined,
      [field]: { dataPoints: [{ ...times, ...point }], aggregationTemporality: temporality },
    };
    return samplesFrom(withPoints([], {}, metric)).map(({ metric: name, kind, micro }) => [name, kind, Number(micro)]);
  };

  it.each(['histogram', 'exponentialHistogram'])('of %s the count and the sum are counters of their own', (field) => {
    const point = { count: '7', sum: 2.5 };
    const [cumulative, delta] = [SampleKind.cumulative, SampleKind.delta];
    expect(samples(field, point)).toEqual([
      ['m.count', cumulative, 7e6],
      ['m', cumulative, 2.5e6],
    ]);
    expect(samples(field, point, 1)).toEqual([
      ['m.count', delta, 7e6],
      ['m', delta, 2.5e6],
    ]);
  });

  it('without a sum, only the count', () => {
    expect(samples('histogram', { count: 7 })).toEqual([['m.count', SampleKind.cumulative, 7e6]]);
  });

  it('a point is taken whole or refused', () => {
    const histogram = { dataPoints: [{ ...times, count: 1, sum: 'NaN' }], aggregationTemporality: 2 };
    const request = withPoints([], {}, { gauge: undefined, histogram });
    expect(fromJson(request)).toEqual({ accepted: 0, refused: { value_invalid: 1 }, rows: '' });
  });
});

describe('what a point says besides its value', () => {
  it('the start of a counter is kept, and 0 where there is none', () => {
    const point = { asInt: 1, timeUnixNano: WHEN };
    const points = [point, { ...point, startTimeUnixNano: '1735689600000000000' }, { ...point, startTimeUnixNano: {} }];
    expect(samplesFrom(withPoints(points)).map(({ startedNs }) => startedNs)).toEqual([0n, 1735689600000000000n, 0n]);
  });

  it('a point without a recorded value is passed over', () => {
    const request = withPoints([
      { timeUnixNano: WHEN, flags: 1 },
      { timeUnixNano: WHEN, flags: 2, asInt: 1 },
    ]);
    expect(fromJson(request)).toMatchObject({ accepted: 1, refused: {} });
  });
});

describe('whose a measurement is', () => {
  const attributes = (values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  it.each<readonly [string, Record<string, string>, Record<string, string>, string, string]>([
    ['the service of its resource', { 'service.name': 's', 'k8s.pod.name': 'p' }, {}, 's', 'p'],
    ['its pod', { 'k8s.pod.name': 'p', 'container.name': 'c' }, {}, '', 'p'],
    ['its container', { 'container.name': 'c', 'process.executable.name': 'e' }, {}, '', 'c'],
    ['its function', { 'faas.name': 'f' }, {}, 'f', ''],
    ['its process', { 'process.executable.name': 'e', 'process.pid': '7' }, {}, 'e', ''],
    ['what the point names, where the resource does not', { 'host.name': 'h' }, { 'k8s.pod.name': 'p' }, '', 'p'],
    ['not what the point names, where the resource does', { 'service.name': 's' }, { 'k8s.pod.name': 'p' }, 's', ''],
    ['nobody’s', { 'host.name': 'h' }, {}, '', ''],
  ])('%s', (_, resource, point, service, pod) => {
    const points = [{ asInt: 1, timeUnixNano: WHEN, attributes: attributes(point) }];
    const [sample] = samplesFrom(withPoints(points, { attributes: attributes(resource) }));
    expect(sample).toMatchObject({ service, pod });
  });
});

describe('what an older version wrote', () => {
  it('is read, without the start of counters and without a tenant', () => {
    const writer = new RowWriter(64);
    decodeMetricsJson(Buffer.from(JSON.stringify(withPoints([{ asInt: 1, timeUnixNano: WHEN }]))), writer);
    const older = Buffer.from(writer.bytes().subarray(0, -8));
    older.writeUInt32LE(older.length - 4);
    const found = [...samplesIn(Buffer.concat([older, writer.bytes()]))];
    expect(found.map(({ started }) => started)).toEqual([-1, older.length + writer.sizeBytes - 8]);
    expect(found[1]!.at - found[0]!.at).toBe(older.length);
  });
});

describe('what kind of series a sum is', () => {
  it.each<readonly [object, number]>([
    [{ aggregationTemporality: 1, isMonotonic: true }, SampleKind.delta],
    [{ aggregationTemporality: 'AGGREGATION_TEMPORALITY_DELTA' }, SampleKind.delta],
    [{ aggregationTemporality: 2, isMonotonic: true }, SampleKind.cumulative],
    [{ aggregationTemporality: 2, isMonotonic: false }, SampleKind.gauge],
  ])('%j', (sum, kind) => {
    const dataPoints = [{ asInt: 1, timeUnixNano: WHEN }];
    const [sample] = samplesFrom(withPoints([], {}, { gauge: undefined, sum: { dataPoints, ...sum } }));
    expect(sample!.kind).toBe(kind);
  });
});

describe('which tenant a measurement names', () => {
  const attributes = (values: Record<string, string>) =>
    Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const tenantOf = (resource: Record<string, string>, point: Record<string, string>) => {
    const writer = new RowWriter(64);
    const points = [{ asInt: 1, timeUnixNano: WHEN, attributes: attributes(point) }];
    decodeMetricsJson(Buffer.from(JSON.stringify(withPoints(points, { attributes: attributes(resource) }))), writer);
    const [sample] = [...samplesIn(Buffer.from(writer.bytes()))];
    return sample!.tenant && Buffer.from(writer.bytes()).toString('utf8', ...sample!.tenant);
  };

  it.each<[string, Record<string, string>, Record<string, string>, string | null]>([
    ['a point says it', { 'tenant.id': 'acme' }, { 'tenant.id': 'zeta' }, 'zeta'],
    ['else its resource', { 'taximeter.tenant': 'acme' }, { unit: 'x' }, 'acme'],
    ['else nobody', {}, {}, null],
  ])('%s', (_, resource, point, tenant) => {
    expect(tenantOf(resource, point)).toBe(tenant);
  });
});
