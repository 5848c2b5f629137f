import type { InstantRange } from '../api/questions.ts';

/** What the reader looks at: one calendar month, or days of their own choice; always in UTC, `to` excluded. */
export type Period =
  | { readonly kind: 'month'; readonly month: string; readonly range: InstantRange }
  | { readonly kind: 'days'; readonly range: InstantRange };

export interface PeriodSearch {
  readonly month?: string | undefined;
  /** First day, and the day after the last one, as everywhere in the API. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;

export function isMonth(text: unknown): text is string {
  return typeof text === 'string' && MONTH.test(text);
}

export function isDay(text: unknown): text is string {
  if (typeof text !== 'string' || !DAY.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(text);
}

/** Days win over a month; without either it is the newest month that holds anything. */
export function periodFromSearch(search: PeriodSearch, months: readonly string[], today: Date): Period {
  const { from, to } = search;
  if (isDay(from) && isDay(to) && from < to) return { kind: 'days', range: { from: midnight(from), to: midnight(to) } };
  const month = isMonth(search.month) ? search.month : (months[0] ?? today.toISOString().slice(0, 7));
  return { kind: 'month', month, range: monthRange(month) };
}

export function monthRange(month: string): InstantRange {
  return { from: `${month}-01T00:00:00Z`, to: `${nextMonth(month)}-01T00:00:00Z` };
}

/** The billing months that a range touches, oldest first. */
export function monthsOf(range: InstantRange): string[] {
  const months: string[] = [];
  for (let month = range.from.slice(0, 7); `${month}-01T00:00:00Z` < range.to; month = nextMonth(month))
    months.push(month);
  return months;
}

export function nextMonth(month: string): string {
  const year = Number(month.slice(0, 4));
  const number = Number(month.slice(5, 7));
  return number === 12 ? `${String(year + 1).padStart(4, '0')}-01` : `${month.slice(0, 5)}${pad(number + 1)}`;
}

export function dayAfter(day: string, days = 1): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

function midnight(day: string): string {
  return `${day}T00:00:00Z`;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
