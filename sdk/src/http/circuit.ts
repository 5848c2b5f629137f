import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, type Policy } from 'cockatiel';

/**
 * Leaves a host alone for a while after failures in a row; then one goes ahead.
 *
 * Holds  it is tried again after that while also where the clock was set back meanwhile: cockatiel goes by the time of day.
 */
export class Circuit {
  readonly #make;
  readonly #openMs: number;
  readonly #passedMs: () => number;
  #breaker;
  #brokenMs = 0;

  /** Takes  failing: which results and errors are failures. passedMs: a clock that nobody sets. */
  constructor(failing: Policy, failures: number, openMs: number, passedMs: () => number) {
    this.#make = (initialState?: unknown) => {
      const made = circuitBreaker(failing, {
        ...{ halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failures) },
        ...(initialState === undefined ? {} : { initialState }),
      });
      made.onBreak(() => {
        this.#brokenMs = passedMs();
      });
      return made;
    };
    this.#openMs = openMs;
    this.#passedMs = passedMs;
    this.#breaker = this.#make();
  }

  /** Whether nothing is known against the host. */
  get isClosed(): boolean {
    return this.#breaker.state === CircuitState.Closed;
  }

  /** Whether one has gone ahead, whose answer others would have to wait for. */
  get isTrying(): boolean {
    return this.#breaker.state === CircuitState.HalfOpen;
  }

  /** Fails  with what `isBroken` knows while the host is left alone. */
  execute<Value>(run: () => Promise<Value>): Promise<Value> {
    const isOver = this.#passedMs() - this.#brokenMs >= this.#openMs;
    if (this.#breaker.state === CircuitState.Open && isOver) this.#breaker = this.#make(this.#readyState());
    return this.#breaker.execute(run);
  }

  /** As it is, but open since long ago. */
  #readyState(): unknown {
    const { ownState, breakerState } = this.#breaker.toJSON() as { ownState: object; breakerState: unknown };
    return { ownState: { ...ownState, openedAt: 0 }, breakerState };
  }
}

export function isBroken(error: unknown): boolean {
  return error instanceof BrokenCircuitError;
}
