import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatInstant, MILLIS_PER_HOUR, SpanKind } from '../model/index.ts';
import {
  encodeTraceRequest,
  type OtlpSpan,
  type SimulationOptions,
  simulateBill,
  simulateMetrics,
  simulateTraces,
  simulation,
  simulationDocuments,
  type TraceRequest,
} from './index.ts';

const MONDAY = '2026-10-05T00:00:00Z';
const small = (options: Partial<SimulationOptions> = {}) =>
  simulation({ seed: 'small', start: MONDAY, days: 1, callsPerHour: 40, ...options });

describe('the same simulation', () => {
  it('gives the bytes that it has always given', () => {
    const sim = small();
    const parts = [simulateTraces(sim), simulateMetrics(sim), simulateBill(sim), [simulationDocuments(sim)]];
    expect(parts.map(digest)).toEqual(['bc2d8792392d3d5c', '9115bbd5acbefa71', '5ca8dfd6205320ce', '5ddda81f34fb35b8']);
  });

  it('gives other bytes for another seed', () => {
    expect(digest(simulateTraces(small()))).not.toBe(digest(simulateTraces(small({ seed: 'other' }))));
  });

  it('gives a part of the range as the whole has it', () => {
    const sim = small();
    const fromMs = sim.fromMs + 9 * MILLIS_PER_HOUR;
    const part = spansOf(simulateTraces(sim, { fromMs, toMs: fromMs + MILLIS_PER_HOUR })).map(({ spanId }) => spanId);
    const whole = new Set(spansOf(simulateTraces(sim)).map(({ spanId }) => spanId));
    expect(part.length).toBeGreaterThan(0);
    expect(part.filter((spanId) => !whole.has(spanId))).toEqual([]);
  });
});

describe('laws of simulated traces, for any simulation', () => {
  const options = fc.record({
    seed: fc.string(),
    start: fc
      .integer({ min: 0, max: 24 * 365 })
      .map((hour) => formatInstant(Date.UTC(2026, 0) + hour * MILLIS_PER_HOUR)),
    tenants: fc.integer({ min: 1, max: 300 }),
    endpoints: fc.integer({ min: 1, max: 60 }),
    callsPerHour: fc.integer({ min: 1, max: 60 }),
    spansPerRequest: fc.integer({ min: 1, max: 400 }),
  });
  const spansAndRequests = (chosen: SimulationOptions) => {
    const requests = [...simulateTraces(simulation({ ...chosen, days: 1 }))];
    return { requests, spans: spansOf(requests) };
  };

  it('ids are unique and well formed, batches are bounded', () => {
    fc.assert(
      fc.property(options, (chosen) => {
        const { requests, spans } = spansAndRequests(chosen);
        expect(new Set(spans.map(idOf)).size).toBe(spans.length);
        expect(spans.filter((span) => !/^[0-9a-f]{32}\/[0-9a-f]{16}$/.test(idOf(span)))).toEqual([]);
        const sizes = requests.map((request) => spansOf([request]).length);
        expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(chosen.spansPerRequest!);
      }),
      { numRuns: 6 },
    );
  });

  it('parents are in the trace and enclose their children, links lead to messages', () => {
    fc.assert(
      fc.property(options, (chosen) => {
        const { spans } = spansAndRequests(chosen);
        const byId = new Map(spans.map((span) => [idOf(span), span]));
        const strays = spans.filter((span) => {
          if (span.parentSpanId === undefined) return false;
          const parent = byId.get(`${span.traceId}/${span.parentSpanId}`);
          return !parent || startOf(span) < startOf(parent) || endOf(span) > endOf(parent);
        });
        const linked = spans.flatMap(({ links = [] }) => links.map((link) => byId.get(idOf(link))?.kind));
        expect(strays).toEqual([]);
        expect(linked.filter((kind) => kind !== SpanKind.PRODUCER)).toEqual([]);
      }),
      { numRuns: 6 },
    );
  });

  it('roots are calls of the gateway or linked work of the worker, and only that is sampled', () => {
    fc.assert(
      fc.property(options, (chosen) => {
        const wrong = withService(spansAndRequests(chosen).requests).filter(({ service, span }) => {
          const isWork = span.traceState === 'ot=th:8';
          if (isWork && span.traceId.charAt(18) < '8') return true;
          if (span.parentSpanId !== undefined) return false;
          const [expectedService, kind] = isWork ? ['worker', SpanKind.CONSUMER] : ['api-gateway', SpanKind.SERVER];
          return service !== expectedService || span.kind !== kind || (span.links !== undefined) !== isWork;
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 6 },
    );
  });
});

describe('the demo', () => {
  const sim = simulation({ seed: 1, start: MONDAY });
  const roots: OtlpSpan[] = [];
  let spans = 0;
  let sent = 0;
  let received = 0;
  beforeAll(() => {
    for (const request of simulateTraces(sim)) {
      const own = spansOf([request]);
      spans += own.length;
      sent += own.filter(({ kind }) => kind === SpanKind.PRODUCER).length;
      received += own.reduce((sum, { links = [] }) => sum + links.length, 0);
      roots.push(...own.filter(({ kind, parentSpanId }) => kind === SpanKind.SERVER && parentSpanId === undefined));
    }
  });
  const rootsOf = (tenant: string, from: string, to: string) =>
    roots.filter((root) => {
      const at = startOf(root);
      return attribute(root, 'tenant.id') === tenant && at >= nanos(from) && at < nanos(to);
    });

  it('has about 60,000 calls in fewer than 400,000 spans', () => {
    expect(roots.length).toBeGreaterThan(57_000);
    expect(roots.length).toBeLessThan(63_000);
    expect(spans).toBeLessThan(400_000);
  });

  it('has twelve tenants of falling size, a few anonymous calls, and twenty endpoints', () => {
    const tenants = roots.map((root) => attribute(root, 'tenant.id'));
    expect(new Set(tenants).size).toBe(13);
    expect(tenants.filter((tenant) => tenant === undefined).length / tenants.length).toBeCloseTo(0.008, 2);
    expect(new Set(roots.map(({ name }) => name)).size).toBe(20);
  });

  it('keeps half of the work on messages, as its weight says', () => {
    expect((received * 2) / sent).toBeGreaterThan(0.9);
    expect((received * 2) / sent).toBeLessThan(1.1);
  });

  it('has a storm of retries, refused or failing, in the middle of the range', () => {
    const storm = rootsOf('brightwater-foods', '2026-10-08T13:00:00Z', '2026-10-08T16:00:00Z');
    const calmDay = rootsOf('brightwater-foods', '2026-10-07T13:00:00Z', '2026-10-07T16:00:00Z');
    expect(storm.length).toBeGreaterThan(10 * calmDay.length);
    expect(storm.filter((root) => attribute(root, 'http.response.status_code') === '429').length).toBeGreaterThan(
      1_000,
    );
    expect(storm.filter((root) => attribute(root, 'taximeter.retries') !== undefined).length).toBeGreaterThan(1_000);
  });

  it('has a tenant that grows and one that loops at night', () => {
    const firstDay = rootsOf('cobalt-cycles', '2026-10-06T00:00:00Z', '2026-10-07T00:00:00Z').length;
    const laterDay = rootsOf('cobalt-cycles', '2026-10-09T00:00:00Z', '2026-10-10T00:00:00Z').length;
    expect(laterDay).toBeGreaterThan(firstDay * 1.5);
    const night = rootsOf('saltmarsh-supply', '2026-10-06T01:00:00Z', '2026-10-06T05:00:00Z').length;
    const noon = rootsOf('saltmarsh-supply', '2026-10-06T10:00:00Z', '2026-10-06T14:00:00Z').length;
    expect(night).toBeGreaterThan(noon * 4);
  });

  it('follows the hours of the day and the days of the week', () => {
    const callsIn = (from: string, to: string) =>
      roots.filter((r) => startOf(r) >= nanos(from) && startOf(r) < nanos(to)).length;
    const tuesdayNoon = callsIn('2026-10-06T11:00:00Z', '2026-10-06T15:00:00Z');
    expect(tuesdayNoon).toBeGreaterThan(2 * callsIn('2026-10-06T05:00:00Z', '2026-10-06T08:00:00Z'));
    expect(tuesdayNoon).toBeGreaterThan(1.4 * callsIn('2026-10-11T11:00:00Z', '2026-10-11T15:00:00Z'));
  });
});

describe('a simulation that cannot be', () => {
  it.each<[Partial<SimulationOptions>, string]>([
    [{ days: 0 }, 'days'],
    [{ tenants: 1.5 }, 'tenants'],
    [{ endpoints: 0 }, 'endpoints'],
    [{ callsPerHour: 0 }, 'callsPerHour'],
    [{ callsPerHour: Number.NaN }, 'callsPerHour'],
    [{ spansPerRequest: 0 }, 'spansPerRequest'],
    [{ sampleSeconds: 7 }, 'sampleSeconds'],
    [{ start: '2026-10-05T00:30:00Z' }, 'start'],
  ])('%j is refused by name', (options, path) => {
    expect(() => small(options)).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', problems: [expect.objectContaining({ path })] }),
    );
  });

  it('takes undefined as not given', () => {
    expect(small({ tenants: undefined }).tenants).toHaveLength(12);
  });
});

it('encodes as protobuf what it gives as JSON, in fewer bytes', () => {
  const [request] = simulateTraces(small());
  expect(encodeTraceRequest(request!).length).toBeLessThan(JSON.stringify(request).length / 2);
});

function digest(parts: Iterable<unknown>): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(typeof part === 'string' ? part : JSON.stringify(part));
  return hash.digest('hex').slice(0, 16);
}

function withService(requests: Iterable<TraceRequest>): { service: string; span: OtlpSpan }[] {
  return [...requests].flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ resource, scopeSpans }) => {
      const service = String(attribute(resource, 'service.name'));
      return scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ service, span })));
    }),
  );
}

function spansOf(requests: Iterable<TraceRequest>): OtlpSpan[] {
  return withService(requests).map(({ span }) => span);
}

function attribute({ attributes }: Pick<OtlpSpan, 'attributes'>, key: string): string | undefined {
  const value = attributes.find((candidate) => candidate.key === key)?.value;
  if (!value) return undefined;
  return 'stringValue' in value ? value.stringValue : value.intValue;
}

function idOf({ traceId, spanId }: { traceId: string; spanId: string }): string {
  return `${traceId}/${spanId}`;
}

function endOf(span: OtlpSpan): bigint {
  return BigInt(span.endTimeUnixNano);
}

function startOf(span: OtlpSpan): bigint {
  return BigInt(span.startTimeUnixNano);
}

function nanos(instant: string): bigint {
  return BigInt(Date.parse(instant)) * 1_000_000n;
}
