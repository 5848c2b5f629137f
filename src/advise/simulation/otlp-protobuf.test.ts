import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonFromProtobuf } from '../../../test/conformance/otlp-messages.ts';
import type { KeyValue, OtlpSpan, TraceRequest } from './otlp.ts';
import { encodeTraceRequest, encodeWithMarks } from './otlp-protobuf.ts';

const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
const nanos = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const keyValue: fc.Arbitrary<KeyValue> = fc.record({
  key: fc.string(),
  value: fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 300 }).map((stringValue) => ({ stringValue })),
    fc.maxSafeNat().map((value) => ({ intValue: String(value) })),
  ),
});
const span: fc.Arbitrary<OtlpSpan> = fc.record(
  {
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: hex(16),
    traceState: fc.string({ minLength: 1 }),
    name: fc.string({ minLength: 1 }),
    kind: fc.integer({ min: 1, max: 5 }),
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
    attributes: fc.array(keyValue, { minLength: 1, maxLength: 4 }),
    links: fc.array(fc.record({ traceId: hex(32), spanId: hex(16) }), { minLength: 1, maxLength: 3 }),
    status: fc.constantFrom({}, { code: 2 }),
  },
  {
    requiredKeys: ['traceId', 'spanId', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano', 'attributes', 'status'],
  },
);
const request: fc.Arbitrary<TraceRequest> = fc.record({
  resourceSpans: fc.array(
    fc.record({
      resource: fc.record({ attributes: fc.array(keyValue, { minLength: 1, maxLength: 3 }) }),
      scopeSpans: fc.array(
        fc.record({
          scope: fc.record({ name: fc.string({ minLength: 1 }) }),
          spans: fc.array(span, { minLength: 1, maxLength: 5 }),
        }),
        { minLength: 1, maxLength: 2 },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

it('means to an independent decoder what the JSON says, for any request', () => {
  fc.assert(
    fc.property(request, (given) => {
      expect(jsonFromProtobuf('ExportTraceServiceRequest', encodeTraceRequest(given))).toEqual(zerosLeftOut(given));
    }),
  );
});

it('outgrows its first buffer', () => {
  const [one] = fc.sample(span, { numRuns: 1, seed: 1 });
  const spans = Array.from({ length: 3_000 }, () => one!);
  const large = { resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: { name: 's' }, spans }] }] };
  const decoded = jsonFromProtobuf('ExportTraceServiceRequest', encodeTraceRequest(large)) as TraceRequest;
  expect(decoded.resourceSpans[0]!.scopeSpans[0]!.spans).toHaveLength(3_000);
});

it('marks where trace ids and times stand', () => {
  fc.assert(
    fc.property(request, (given) => {
      const { bytes, marks } = encodeWithMarks(given);
      const spans = given.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
      const ids = spans.flatMap(({ traceId, links = [] }) => [traceId, ...links.map((link) => link.traceId)]);
      const times = spans.flatMap(({ startTimeUnixNano, endTimeUnixNano }) => [startTimeUnixNano, endTimeUnixNano]);
      const atIds = marks.traceIds.map((at) => bytes.toString('hex', at, at + 16));
      const atTimes = marks.times.map((at) => String(bytes.readBigUInt64LE(at)));
      expect(atIds.sort()).toEqual(ids.sort());
      expect(atTimes.sort()).toEqual(times.sort());
    }),
  );
});

/** proto3 gives these plain fields no presence: a decoder leaves out a zero time and an empty key. */
function zerosLeftOut(given: TraceRequest): unknown {
  const isZero = (key: string, value: unknown) =>
    (key.endsWith('TimeUnixNano') && value === '0') || (key === 'key' && value === '');
  return JSON.parse(JSON.stringify(given), (key, value) => (isZero(key, value) ? undefined : value));
}
