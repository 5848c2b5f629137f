import { dayAfter, type Period } from './period.ts';

const MONTH_WORDS = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });
const DAY_WORDS = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});

/** `August 2022` */
export function monthWords(month: string): string {
  return MONTH_WORDS.format(new Date(`${month}-01T00:00:00Z`));
}

/** `1 Aug 2022` */
function dayWords(day: string): string {
  return DAY_WORDS.format(new Date(`${day}T00:00:00Z`));
}

/** `August 2022`, or `1 Aug 2022 to 3 Aug 2022` with the last day named, as people count days. */
export function periodWords(period: Period): string {
  if (period.kind === 'month') return monthWords(period.month);
  const first = period.range.from.slice(0, 10);
  const last = dayAfter(period.range.to.slice(0, 10), -1);
  return first === last ? dayWords(first) : `${dayWords(first)} to ${dayWords(last)}`;
}
