import type { Slice } from '../cost/index.ts';
import { MILLIS_PER_HOUR } from '../model/index.ts';

/**
 * Counts the hours for which a bill that is charged by the hour has no charge.
 *
 * Takes  slices: of one bill.
 * Gives  how many hours between its first and its last hourly charge inside the billing period have none.
 */
export function missingHours(slices: readonly Slice[]): number {
  const hours = new Set<number>();
  for (const { chargeStartMs, chargeEndMs, billingStartMs, billingEndMs } of slices) {
    const isHourly = chargeEndMs - chargeStartMs === MILLIS_PER_HOUR;
    // A correction is about hours of an earlier period.
    if (isHourly && chargeStartMs >= billingStartMs && chargeStartMs < billingEndMs) hours.add(chargeStartMs);
  }
  if (hours.size === 0) return 0;
  const inOrder = [...hours].sort((a, b) => a - b);
  return (inOrder.at(-1)! - inOrder[0]!) / MILLIS_PER_HOUR + 1 - hours.size;
}

const MILLIS_PER_DAY = 24 * MILLIS_PER_HOUR;

/**
 * Counts the days (UTC) for which a bill has no charge.
 *
 * Takes  slices: of one bill; those of a correction are left out by the caller.
 * Gives  how many days between its first and its last charge no charge covers.
 */
export function missingDays(slices: readonly Pick<Slice, 'chargeStartMs' | 'chargeEndMs'>[]): number {
  const stretches = slices
    .map(
      ({ chargeStartMs, chargeEndMs }) =>
        [dayOf(chargeStartMs), dayOf(Math.max(chargeStartMs, chargeEndMs - 1))] as const,
    )
    .sort(([a], [b]) => a - b);
  let [missing, last] = [0, Number.NaN];
  for (const [first, end] of stretches) {
    if (first > last + 1) missing += first - last - 1;
    last = Number.isNaN(last) ? end : Math.max(last, end);
  }
  return missing;
}

function dayOf(instantMs: number): number {
  return Math.floor(instantMs / MILLIS_PER_DAY);
}
