import { divideHalfEven, WEIGHT_ONE } from '../model/index.ts';

const TWO_56 = 1n << 56n;
const OT_MEMBER = /(?:^|,)\s*ot=([^,]*)/;
/** Beyond nine thousand million spans for one a threshold is noise, and its millionths no longer fit a double. */
const LARGEST_MICRO = BigInt(Number.MAX_SAFE_INTEGER);
const THRESHOLD = /(?:^|;)th:([0-9a-f]{1,14})(?:;|$)/;

export interface Weight {
  /** Adjusted count in whole millionths. */
  readonly micro: number;
  /** False when the sender did not say how it sampled; the row then counts once. */
  readonly isKnown: boolean;
}

const unknownWeight: Weight = { micro: WEIGHT_ONE, isKnown: false };

/**
 * Reads how many spans a sampled span stands for from its W3C tracestate.
 *
 * Takes  tracestate: the header's text, `vendor=x,ot=rv:1;th:c`.
 * Gives  the adjusted count 2^56 / (2^56 - T) in millionths, rounded half-even; 1 and unknown without a usable threshold.
 * From   OpenTelemetry specification, TraceState probability sampling.
 */
export function weightFromTraceState(tracestate: string): Weight {
  const member = OT_MEMBER.exec(tracestate)?.[1];
  const threshold = member === undefined ? undefined : THRESHOLD.exec(member.trim())?.[1];
  if (threshold === undefined) return unknownWeight;
  const rejected = BigInt(`0x${threshold.padEnd(14, '0')}`);
  const micro = divideHalfEven(TWO_56 * BigInt(WEIGHT_ONE), TWO_56 - rejected);
  return micro > LARGEST_MICRO ? unknownWeight : { micro: Number(micro), isKnown: true };
}

/** How a sender may say what a sampled span stands for, besides the threshold of the specification. */
export const weightFallbacks = ['p', 'SampleRate'] as const;
export type WeightFallback = (typeof weightFallbacks)[number];

const POWER = /(?:^|;)p:(\d{1,2})(?:;|$)/;
const LARGEST_POWER = 33;

/**
 * Reads the weight of `ot=p:N`, an older form: one of 2^N was kept.
 *
 * Gives  null without it; p:63 means never sampled, which no span that arrives is.
 */
export function weightFromPower(tracestate: string): Weight | null {
  const member = OT_MEMBER.exec(tracestate)?.[1];
  const power = Number(member === undefined ? Number.NaN : (POWER.exec(member.trim())?.[1] ?? Number.NaN));
  return power <= LARGEST_POWER ? { micro: 2 ** power * WEIGHT_ONE, isKnown: true } : null;
}

/** Reads the weight of an attribute `SampleRate`: one of so many was kept. Null for what is no such number. */
export function weightFromRate(rate: number): Weight | null {
  return rate >= 1 && rate * WEIGHT_ONE <= Number.MAX_SAFE_INTEGER ? { micro: rate * WEIGHT_ONE, isKnown: true } : null;
}

/**
 * Splits one row's weight evenly over its takers, to the last millionth.
 *
 * Takes  weight: whole millionths. takers: how many, at least 1, already in their order.
 * Gives  one part per taker.
 * Holds  parts add up to the weight and differ by at most 1; earlier takers get the left-over.
 * From   largest-remainder method: all remainders are equal, so order decides.
 */
export function splitWeight(weight: number, takers: number): number[] {
  const part = Math.floor(weight / takers);
  const leftOver = weight - part * takers;
  return Array.from({ length: takers }, (_, place) => (place < leftOver ? part + 1 : part));
}
