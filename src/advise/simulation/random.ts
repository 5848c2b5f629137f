import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * A stream of seeded randomness. Only exact arithmetic goes in and out (no Math.exp, sin or pow, whose last digit may
 * differ between engines), so that a seed gives the same bytes on every machine.
 */
export class Random {
  readonly #generator: RandomGenerator;

  /** Streams of different keys are independent, so every minute can be made without those before it. */
  constructor(seed: string, ...key: readonly (string | number)[]) {
    const state = createHash('sha256')
      .update(JSON.stringify([seed, ...key]))
      .digest();
    this.#generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => state.readInt32LE(offset)));
  }

  /** From 0 up to, not including, 1. */
  unit(): number {
    return uniformFloat64(this.#generator);
  }

  /** A whole number from 0 up to, not including, the bound. */
  below(bound: number): number {
    return uniformInt(this.#generator, 0, bound - 1);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** A whole number whose mean is the expected one: its floor, or one more. */
  count(expected: number): number {
    const floor = Math.floor(expected);
    return floor + (this.chance(expected - floor) ? 1 : 0);
  }

  /** An index, as often as its weight asks for. */
  pick(weights: RunningSums): number {
    const aim = this.unit() * weights.at(-1)!;
    let low = 0;
    for (let high = weights.length - 1; low < high; ) {
      const middle = (low + high) >>> 1;
      if (weights[middle]! > aim) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Lower-case hexadecimal digits, never all zero: OTLP forbids such ids. */
  hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += (this.#generator.next() >>> 0).toString(16).padStart(8, '0');
    return /[^0]/.test(text.slice(0, digits)) ? text.slice(0, digits) : this.hex(digits);
  }
}

/** Each weight plus all before it: what pick() searches. */
export type RunningSums = Float64Array;

export function runningSums(weights: readonly number[]): RunningSums {
  let sum = 0;
  return Float64Array.from(weights, (weight) => {
    sum += weight;
    return sum;
  });
}
