const LONGEST_MS = 366 * 86_400_000;

/**
 * Reads Retry-After.
 *
 * Takes  value: whole seconds, or a date of HTTP.
 * Gives  milliseconds from now, not negative and at most a year; null when it is neither.
 * From   RFC 9110, 10.2.3.
 */
export function retryAfterMs(value: string | null | undefined, nowMs: number): number | null {
  const text = value?.trim() ?? '';
  if (/^\d{1,10}$/.test(text)) return Math.min(LONGEST_MS, Number(text) * 1000);
  // Date.parse takes far more than dates of HTTP: a number alone, or half a date.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return null;
  // The form of asctime names no zone, and means none but this.
  const atMs = Date.parse(/ GMT$/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(atMs) ? null : Math.min(LONGEST_MS, Math.max(0, atMs - nowMs));
}
