import { grouped, SpanKind } from '../../model/index.ts';
import type { Random } from './random.ts';
import { serviceNamed, WORKER } from './services.ts';
import type { Simulation } from './shape.ts';
import type { SimulatedSpan } from './span.ts';
import { type Message, TraceWriter } from './trace.ts';

const worker = serviceNamed(WORKER);
const LARGEST_BATCH = 4;

/** Every second trace is kept, so what is kept counts twice. */
export const WORKER_TRACE_STATE = 'ot=th:8';

/**
 * Writes how the worker takes one minute's messages from their queues, in batches.
 *
 * Gives  the spans of the traces that sampling keeps: a CONSUMER span without a parent, with one link for each message.
 */
export function writeWork(sim: Simulation, random: Random, messages: readonly Message[]): SimulatedSpan[] {
  const queues = grouped(messages, ({ publish }) => publish.queue);
  return [...queues.values()].flatMap((queue) => batchesOf(queue, random).flatMap((b) => writeBatch(sim, random, b)));
}

function batchesOf(messages: readonly Message[], random: Random): Message[][] {
  const rest = [...messages];
  const batches: Message[][] = [];
  while (rest.length > 0) batches.push(rest.splice(0, 1 + random.below(LARGEST_BATCH)));
  return batches;
}

function writeBatch(sim: Simulation, random: Random, batch: readonly Message[]): SimulatedSpan[] {
  const traceId = random.hex(32);
  const size = batch.reduce((sum, message) => sum + message.size, 0) / batch.length;
  const writer = new TraceWriter(sim, random, traceId, { size, traceState: WORKER_TRACE_STATE, isFailed: false });
  const { queue } = batch[0]!.publish;
  writer.work({
    service: worker,
    name: `process ${queue}`,
    kind: SpanKind.CONSUMER,
    startUs: Math.max(...batch.map(({ sentUs }) => sentUs)) + 20_000 + random.below(1_500_000),
    workUs: batch.reduce((sum, { publish }) => sum + publish.workUs, 0),
    steps: batch.flatMap(({ publish }) => publish.steps),
    links: batch.map(({ traceId, spanId }) => ({ traceId, spanId })),
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.destination.name': queue,
      'messaging.batch.message_count': batch.length,
    },
  });
  return isKept(traceId) ? writer.spans : [];
}

/** The rule of `th:8` (OpenTelemetry consistent sampling): kept when the last 56 bits are at least 2^55. */
function isKept(traceId: string): boolean {
  return traceId.charAt(18) >= '8';
}
