/** Repeats are known and late spans join their calls for so long; what is younger is never let go. */
export const LEAST_DAYS = 62;

/**
 * Reads a period: `90d` or `forever`.
 *
 * Gives  days; null for ever; undefined when it is neither, or too short.
 */
export function readPeriod(text: string): number | null | undefined {
  if (text === 'forever') return null;
  const days = Number(/^(\d{1,5})d$/.exec(text)?.[1] ?? 0);
  return days >= LEAST_DAYS ? days : undefined;
}
