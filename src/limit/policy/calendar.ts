/** A window of a calendar, [startUs, endUs), in microseconds since 1970. */
export interface CalendarWindow {
  readonly startUs: number;
  readonly endUs: number;
}

export interface CalendarRule {
  readonly unit: 'day' | 'week' | 'month' | 'year';
  readonly zone: string;
  /** For weeks: 0 is Sunday. */
  readonly weekday: number;
  /** For years: 1 to 12. */
  readonly month: number;
  /** For months and years: 1 to 31; a month that has fewer days begins on its last. */
  readonly day: number;
}

/**
 * How long a window may last, with a day over: the clock goes back in autumn, and now and then a country changes its zone.
 */
export const LONGEST_WINDOW_US: Readonly<Record<CalendarRule['unit'], number>> = {
  day: 2 * 86_400_000_000,
  week: 8 * 86_400_000_000,
  month: 32 * 86_400_000_000,
  year: 367 * 86_400_000_000,
};

interface LocalDay {
  readonly year: number;
  /** From 0, may lie outside of 0 to 11. */
  readonly month: number;
  readonly day: number;
}

/**
 * Tells the windows of a calendar in a zone.
 *
 * Holds  windows touch and do not overlap; each begins with a local day, on the 23- and 25-hour days of summer time too;
 *        an anchor of 29 to 31 is the last day of a shorter month.
 */
export class Calendar {
  readonly rule: CalendarRule;
  readonly #format: Intl.DateTimeFormat;
  #last: CalendarWindow = { startUs: 0, endUs: 0 };

  constructor(rule: CalendarRule) {
    this.rule = rule;
    this.#format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: rule.zone, hourCycle: 'h23', era: 'short' },
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
  }

  /** Gives the window that holds an instant. */
  at(us: number): CalendarWindow {
    if (us >= this.#last.startUs && us < this.#last.endUs) return this.#last;
    const atMs = Math.floor(us / 1000);
    const local = new Date(this.#localMs(atMs));
    let step = this.#stepOf(local);
    // The anchor may lie later in this month or year than the instant does.
    if (this.#startMs(step) > atMs) step -= 1;
    else if (this.#startMs(step + 1) <= atMs) step += 1;
    this.#last = { startUs: this.#startMs(step) * 1000, endUs: this.#startMs(step + 1) * 1000 };
    return this.#last;
  }

  /** Windows are counted from 1970, so that the next one is one more. */
  #stepOf(local: Date): number {
    const days = Math.floor(local.getTime() / 86_400_000);
    const { unit, weekday } = this.rule;
    if (unit === 'day') return days;
    // 1970 began on a Thursday.
    if (unit === 'week') return Math.floor((days + 4 - weekday) / 7);
    const months = (local.getUTCFullYear() - 1970) * 12 + local.getUTCMonth();
    return unit === 'month' ? months : Math.floor((months - (this.rule.month - 1)) / 12);
  }

  #startMs(step: number): number {
    const { unit, weekday, month, day } = this.rule;
    if (unit === 'day') return this.#midnightMs({ year: 1970, month: 0, day: 1 + step });
    if (unit === 'week') return this.#midnightMs({ year: 1970, month: 0, day: 1 + step * 7 - 4 + weekday });
    const months = unit === 'month' ? step : step * 12 + month - 1;
    const lastDay = new Date(Date.UTC(1970, months + 1, 0)).getUTCDate();
    return this.#midnightMs({ year: 1970, month: months, day: Math.min(day, lastDay) });
  }

  /** The first instant of a local day: its midnight, or what comes instead where summer time skips it. */
  #midnightMs({ year, month, day }: LocalDay): number {
    const wanted = Date.UTC(year, month, day);
    let [low, high] = [wanted - 16 * 3_600_000, wanted + 16 * 3_600_000];
    for (const guess of [low, high].map((at) => wanted - this.#offsetMs(at)).sort((a, b) => a - b))
      if (this.#localMs(guess) === wanted) return guess;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#localMs(middle) >= wanted) high = middle;
      else low = middle;
    }
    return high;
  }

  #offsetMs(atMs: number): number {
    return this.#localMs(atMs) - atMs;
  }

  /** What the clock on the wall shows, as if it were UTC. */
  #localMs(atMs: number): number {
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(atMs)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) + (((atMs % 1000) + 1000) % 1000);
  }
}

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Reads the rule of a window of a document; an anniversary is counted from the day it is given. */
export function calendarRule(
  window: {
    readonly calendar?: string;
    readonly zone: string;
    readonly anchor?: string;
    readonly every: 'month' | 'year';
  },
  sinceMs: number | null,
): CalendarRule {
  const { calendar, zone, anchor = '' } = window;
  const none = { zone, weekday: 1, month: 1, day: 1 };
  if (calendar === 'anniversary') {
    const since = new Date(sinceMs ?? 0);
    return { ...none, unit: window.every, month: since.getUTCMonth() + 1, day: since.getUTCDate() };
  }
  if (calendar === 'week') return { ...none, unit: 'week', weekday: anchor === '' ? 1 : weekdays.indexOf(anchor) };
  if (calendar === 'month') return { ...none, unit: 'month', day: anchor === '' ? 1 : Number(anchor) };
  if (calendar !== 'year') return { ...none, unit: 'day' };
  const [month = 1, day = 1] = anchor === '' ? [1, 1] : anchor.split('-').map(Number);
  return { ...none, unit: 'year', month, day };
}
