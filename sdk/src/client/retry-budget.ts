export interface RetryBudgetConfig {
  /** How much of a retry each success earns, 0 to 1. */
  readonly perSuccess: number;
  /** So many retries may be done before anything succeeded, and saved at most. */
  readonly most: number;
}

/** Thousandths, so that tenths of retries add up exactly. */
const UNIT = 1000;

/**
 * Keeps retries a share of what succeeds: when everything fails, everything repeated would be twice the load on what is down.
 *
 * Holds  retries <= most + perSuccess x successes, at every moment.
 */
export class RetryBudget {
  readonly #earned: number;
  readonly #most: number;
  #left: number;

  constructor({ perSuccess, most }: RetryBudgetConfig) {
    this.#earned = Math.floor(perSuccess * UNIT);
    this.#most = Math.floor(most * UNIT);
    this.#left = this.#most;
  }

  succeeded(): void {
    this.#left = Math.min(this.#most, this.#left + this.#earned);
  }

  /** Gives  whether a retry may be done; then it is taken. */
  take(): boolean {
    if (this.#left < UNIT) return false;
    this.#left -= UNIT;
    return true;
  }
}
