import { expect, it } from 'vitest';
import { jsonFromProtobuf } from '../../../test/conformance/otlp-messages.ts';
import { simulateLoad } from '../simulate.ts';
import type { OtlpSpan, TraceRequest } from './otlp.ts';
import { type Simulation, simulation } from './shape.ts';

const sim = simulation({ seed: 'load', start: '2026-10-05', days: 1, callsPerHour: 600, habits: false });
const FROM_MS = Date.UTC(2026, 10, 1);

it('repeats the same bytes for the same seed', () => {
  expect(Buffer.concat(take(sim, 3)).equals(Buffer.concat(take(sim, 3)))).toBe(true);
});

it('sends whole traces at the asked time, never twice the same, also when it comes round to the same hour', () => {
  const seen = new Set<string>();
  for (const [round, bytes] of take(sim, 130).entries()) {
    const spans = spansOf(bytes);
    const known = new Set(spans.map(({ traceId, spanId }) => `${traceId}/${spanId}`));
    const strays = spans.filter(({ traceId, parentSpanId, links = [] }) => {
      const hasParent = parentSpanId === undefined || known.has(`${traceId}/${parentSpanId}`);
      return !hasParent || links.some((link) => !known.has(`${link.traceId}/${link.spanId}`));
    });
    const again = spans.filter(({ traceId }) => seen.has(traceId));
    const early = spans.filter(({ startTimeUnixNano }) => Number(startTimeUnixNano) / 1e6 < FROM_MS + round * 1_000);
    expect([strays, again, early]).toEqual([[], [], []]);
    for (const { traceId } of spans) seen.add(traceId);
  }
  expect(seen.size).toBeGreaterThan(1_000);
});

it('says how many spans a request holds', () => {
  const [request] = simulateLoad(sim, { fromMs: FROM_MS, stepMs: 1_000 });
  expect(request!.spans).toBeGreaterThan(20);
  expect(request!.bytes.length / request!.spans).toBeGreaterThan(150);
});

function spansOf(bytes: Buffer): OtlpSpan[] {
  const { resourceSpans } = jsonFromProtobuf('ExportTraceServiceRequest', bytes) as TraceRequest;
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

function take(sim: Simulation, count: number): Buffer[] {
  const load = simulateLoad(sim, { fromMs: FROM_MS, stepMs: 1_000 });
  return Array.from({ length: count }, () => load.next().value?.bytes ?? Buffer.alloc(0));
}
