export interface BackoffConfig {
  readonly baseMs: number;
  readonly mostMs: number;
}

/**
 * How long to wait before an attempt is repeated.
 *
 * Takes  attempt: 0 after the first one failed. random: from 0 to below 1. atLeastMs: what the other side asked for.
 * Gives  milliseconds from atLeastMs to atLeastMs + min(mostMs, baseMs x 2^attempt), spread evenly.
 * Holds  never sooner than was asked for; never longer than mostMs beyond it.
 * From   "full jitter": many that fail at once do not come back at once. What was asked for is spread as well.
 */
export function backoffMs({ baseMs, mostMs }: BackoffConfig, attempt: number, random: number, atLeastMs = 0): number {
  const ceiling = Math.min(mostMs, baseMs * 2 ** Math.min(attempt, 52));
  return atLeastMs + Math.floor(random * ceiling);
}
