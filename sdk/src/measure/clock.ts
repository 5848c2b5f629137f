const STEP_MS = 5;

/** Time of day that never steps within a call: the monotonic clock, set by the time of day now and then. */
export class Clock {
  #offsetMs = performance.timeOrigin;

  /** Milliseconds of the monotonic clock. */
  now(): number {
    return performance.now();
  }

  /** The time of day of a moment of the monotonic clock, in milliseconds since 1970. */
  timeOfDay(now: number): number {
    return this.#offsetMs + now;
  }

  /** Follows the time of day, which may be set, or drift away. */
  follow(): void {
    const offsetMs = Date.now() - performance.now();
    if (Math.abs(offsetMs - this.#offsetMs) > STEP_MS) this.#offsetMs = offsetMs;
  }
}
