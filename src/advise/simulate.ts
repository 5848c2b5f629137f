import { MILLIS_PER_MINUTE, type TimeRange } from '../model/index.ts';
import { billOf } from './simulation/bill.ts';
import { writeCall } from './simulation/call.ts';
import { documentsOf } from './simulation/documents.ts';
import { type LoadOptions, type LoadRequest, loadOf } from './simulation/load.ts';
import { metricsOf } from './simulation/metrics.ts';
import { type MetricsRequest, type TraceRequest, traceRequestFromSpans } from './simulation/otlp.ts';
import { planMinute } from './simulation/plan.ts';
import { Random } from './simulation/random.ts';
import type { Simulation } from './simulation/shape.ts';
import type { SimulatedSpan } from './simulation/span.ts';
import { writeWork } from './simulation/worker.ts';

/**
 * Yields the traces of a simulation as OTLP export requests, minute after minute.
 *
 * Takes  range: a part of the simulation in whole minutes; all of it by default. A part has the same spans as the whole.
 * Gives  requests of at most `spansPerRequest` spans, ready for JSON.stringify or encodeTraceRequest.
 * Holds  the same simulation gives the same bytes; a span's parent is in its trace; ids are unique; memory stays flat.
 */
export function* simulateTraces(sim: Simulation, range: TimeRange = sim): Generator<TraceRequest, void, undefined> {
  let waiting: SimulatedSpan[] = [];
  for (let minuteMs = range.fromMs; minuteMs < range.toMs; minuteMs += MILLIS_PER_MINUTE) {
    waiting = waiting.concat(spansOfMinute(sim, minuteMs));
    const sent = waiting.length - (waiting.length % sim.spansPerRequest);
    for (let at = 0; at < sent; at += sim.spansPerRequest) {
      yield traceRequestFromSpans(waiting.slice(at, at + sim.spansPerRequest));
    }
    waiting = waiting.slice(sent);
  }
  if (waiting.length > 0) yield traceRequestFromSpans(waiting);
}

/**
 * Yields what every pod's CPU, memory and network gauges show, as OTLP export requests of at most ten samples a series.
 *
 * Takes  range: a part of the simulation in whole minutes; all of it by default.
 * Holds  a sample stands at the start of the time that it tells of, so integrals agree with the calls of that time.
 */
export function simulateMetrics(sim: Simulation, range: TimeRange = sim): Generator<MetricsRequest, void, undefined> {
  return metricsOf(sim, range);
}

/**
 * Yields the cloud bill of a simulation: FOCUS 1.2 as CSV text in chunks, to be written one after the other.
 *
 * Gives  hourly rows for the range; for each calendar month that it touches the commitment, support, credit and tax.
 * Holds  per commitment and month Effective(Used) + Effective(Unused) = Billed(Purchase); costs are exact products of
 *        price and quantity; what is consumed follows the same calls as the traces.
 */
export function simulateBill(sim: Simulation): Generator<string, void, undefined> {
  return billOf(sim);
}

/** Writes the Boundary and CostModel documents (YAML) that make sense of a simulation's traces and bill. */
export function simulationDocuments(sim: Simulation): string {
  return documentsOf(sim);
}

/**
 * Yields OTLP protobuf requests without end, as fast as they can be copied: the traces of one hour, again and again, under
 * new ids and at new times. For traffic that is all different, encode simulateTraces instead.
 *
 * Takes  load: where in time the traces lie. One request holds a whole minute of `callsPerHour`.
 * Holds  the same simulation gives the same bytes; trace ids never repeat; every trace is whole within its request.
 */
export function simulateLoad(sim: Simulation, load: LoadOptions): Generator<LoadRequest, void, undefined> {
  const minutes = Array.from({ length: 60 }, (_, i) => sim.fromMs + LOAD_HOUR_MS + i * MILLIS_PER_MINUTE);
  return loadOf(
    sim,
    minutes.map((fromMs) => ({ fromMs, spans: spansOfMinute(sim, fromMs) })),
    load,
  );
}

/** Ten hours in: from midnight that is late morning, when traffic is above its mean. */
const LOAD_HOUR_MS = 10 * 60 * MILLIS_PER_MINUTE;

/** The calls that start in one minute, and the work on the messages that they left on queues. */
function spansOfMinute(sim: Simulation, minuteMs: number): SimulatedSpan[] {
  const random = new Random(sim.seed, 'traces', minuteMs);
  const calls = planMinute(sim, minuteMs).map((call) => writeCall(sim, random, call));
  const messages = calls.flatMap((writer) => writer.messages);
  return [...calls.flatMap((writer) => writer.spans), ...writeWork(sim, random, messages)];
}
