import type { Refusal } from '../refusal.ts';
import type { SpanTable } from '../table/span-table.ts';
import { IdState, type SpanDraft } from './span-draft.ts';

// Clocks outside these years are unset or broken; nanoseconds since 1970 in two halves are compared by the upper one.
const OLDEST_HIGH = Math.floor((Date.UTC(2000, 0) * 1e6) / 2 ** 32);
// Minutes are kept as seconds in 32 bits, which end in 2106.
const NEWEST_HIGH = Math.floor((Date.UTC(2106, 0) * 1e6) / 2 ** 32);
/** A longer span could not be measured in whole nanoseconds of a double. */
const LONGEST_HIGH = Math.floor(2 ** 53 / 2 ** 32);

/** Says why a span that was decoded is refused, by its ids and times; null when it is not. */
export function refusalOf({ trace, span, start, end }: SpanTable, row: number, draft: SpanDraft): Refusal | null {
  const at = row * 4;
  if (!draft.hasTrace || (trace[at]! | trace[at + 1]! | trace[at + 2]! | trace[at + 3]!) === 0)
    return 'trace_id_invalid';
  if (!draft.hasSpan || (span[row * 2]! | span[row * 2 + 1]!) === 0) return 'span_id_invalid';
  if (draft.parent === IdState.malformed) return 'parent_id_invalid';
  const [startHigh, endHigh] = [start[row * 2 + 1]!, end[row * 2 + 1]!];
  if (startHigh < OLDEST_HIGH || startHigh > NEWEST_HIGH || endHigh > NEWEST_HIGH) return 'time_invalid';
  return endHigh - startHigh >= LONGEST_HIGH ? 'duration_too_long' : null;
}
