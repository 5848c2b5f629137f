import { traceRequestFromSpans } from './otlp.ts';
import { encodeWithMarks, type IdentityMarks } from './otlp-protobuf.ts';
import { Random } from './random.ts';
import type { Simulation } from './shape.ts';
import type { SimulatedSpan } from './span.ts';

/** One protobuf request of a load test, and how many spans it carries. */
export interface LoadRequest {
  readonly bytes: Buffer;
  readonly spans: number;
}

interface Template extends LoadRequest {
  readonly marks: IdentityMarks;
  /** When its traces begin, to move them elsewhere in time. */
  readonly fromMs: number;
}

/** Where a load test's traces lie in time. */
export interface LoadOptions {
  /** Start of the first request's traces; each request moves on by `stepMs`. */
  readonly fromMs: number;
  readonly stepMs: number;
}

/**
 * Repeats templates as ever new traces: only trace ids and times are overwritten, so that sending costs more than making.
 *
 * Takes  minutes: the spans of whole minutes, each becoming one template; traces and links must not leave their minute.
 * Gives  requests without end; each is a Buffer of its own.
 * Holds  trace ids never repeat; whether a trace is sampled (its last 56 bits) does not change.
 */
export function* loadOf(
  sim: Simulation,
  minutes: readonly { readonly fromMs: number; readonly spans: readonly SimulatedSpan[] }[],
  { fromMs, stepMs }: LoadOptions,
): Generator<LoadRequest, void, undefined> {
  const templates = minutes.filter(({ spans }) => spans.length > 0).map(templateOf);
  const random = new Random(sim.seed, 'load');
  for (let round = 0; templates.length > 0; round++) {
    const template = templates[round % templates.length]!;
    const mask = Buffer.from(random.hex(16), 'hex');
    yield { spans: template.spans, bytes: anew(template, mask, fromMs + round * stepMs) };
  }
}

function templateOf({ fromMs, spans }: { fromMs: number; spans: readonly SimulatedSpan[] }): Template {
  return { ...encodeWithMarks(traceRequestFromSpans(spans)), spans: spans.length, fromMs };
}

/** The same mask on every id keeps parents, children and links together. */
function anew({ bytes, marks, fromMs }: Template, mask: Buffer, toMs: number): Buffer {
  const copy = Buffer.from(bytes);
  const low = mask.readInt32LE(0);
  const high = mask.readInt32LE(4);
  for (const at of marks.traceIds) {
    copy.writeInt32LE(copy.readInt32LE(at) ^ low, at);
    copy.writeInt32LE(copy.readInt32LE(at + 4) ^ high, at + 4);
  }
  const shiftNanos = BigInt(toMs - fromMs) * 1_000_000n;
  for (const at of marks.times) copy.writeBigUInt64LE(copy.readBigUInt64LE(at) + shiftNanos, at);
  return copy;
}
