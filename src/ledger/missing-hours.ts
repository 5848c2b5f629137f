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
