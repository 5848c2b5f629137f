import { fail, parseRange, type TimeRange } from '../../model/index.ts';
import { calendarUnits, shiftInstant, windowStart, windowsOf } from './calendar.ts';

export const comparisons = ['none', 'previous', 'last-week', 'last-month', 'last-year'] as const;
export type Comparison = (typeof comparisons)[number];

const shifts = { 'last-week': { weeks: -1 }, 'last-month': { months: -1 }, 'last-year': { years: -1 } } as const;

/**
 * Gives the range that another one is compared with.
 *
 * Takes  comparison: `previous` is the stretch of the same length just before; for whole weeks, months or quarters as many of them.
 *        The others are the same dates and times of a week, a month or a year earlier.
 * Gives  null for `none`.
 */
export function comparedRange(range: TimeRange, comparison: Comparison, timeZone: string): TimeRange | null {
  if (comparison === 'none') return null;
  if (comparison !== 'previous') {
    const by = shifts[comparison];
    const [fromMs, toMs] = [shiftInstant(range.fromMs, by, timeZone), shiftInstant(range.toMs, by, timeZone)];
    if (toMs <= fromMs) throw fail('PARAMETER_INVALID', { reason: `the range has no counterpart ${comparison}` });
    return { fromMs, toMs };
  }
  for (const unit of [...calendarUnits].reverse()) {
    if (unit === 'minute' || unit === 'hour') break;
    if ([range.fromMs, range.toMs].some((at) => windowStart(at, unit, timeZone) !== at)) continue;
    const count = windowsOf(range, unit, timeZone).length;
    const by = unit === 'quarter' ? { months: -3 * count } : { [`${unit}s`]: -count };
    return { fromMs: shiftInstant(range.fromMs, by, timeZone), toMs: range.fromMs };
  }
  return { fromMs: 2 * range.fromMs - range.toMs, toMs: range.fromMs };
}

/** Reads the range to compare with: its own ends, or a word. Fails PARAMETER_INVALID, TIME_MALFORMED, RANGE_EMPTY. */
export function askedComparison(
  range: TimeRange,
  asked: { readonly compare: Comparison; readonly baseFrom?: string | undefined; readonly baseTo?: string | undefined },
  timeZone: string,
): TimeRange | null {
  const { compare, baseFrom, baseTo } = asked;
  if (baseFrom === undefined && baseTo === undefined) return comparedRange(range, compare, timeZone);
  if (baseFrom === undefined || baseTo === undefined) {
    throw fail('PARAMETER_INVALID', { reason: 'baseFrom and baseTo go together' });
  }
  return parseRange(baseFrom, baseTo);
}
