import type { UsageWindow } from '../api/questions.ts';
import { WINDOW_MS } from './volume-plan.ts';

const FINE: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' };
const COARSE: Intl.DateTimeFormatOptions = { weekday: 'short', day: 'numeric', month: 'short' };

/** `6 Jan, 14:00` or `Mon 6 Jan`, in the reader's chosen zone. */
export function slotWords(window: UsageWindow, timeZone: string): (startMs: number) => string {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...(window === 'day' ? COARSE : FINE),
    hourCycle: 'h23',
    timeZone,
  });
  // The middle of a day is that day in every zone, also where a gap's start is an hour off after a clock change.
  const offsetMs = window === 'day' ? WINDOW_MS.day / 2 : 0;
  return (startMs) => format.format(startMs + offsetMs);
}

/**
 * Labels of the time axis.
 *
 * Gives  words for the places that deserve a label (midnights, tens of minutes, every day), else an empty text.
 */
export function tickWords(window: UsageWindow, timeZone: string): (startMs: number) => string {
  const day = slotWords('day', timeZone);
  const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone });
  if (window === 'day') return day;
  if (window === 'minute') return (startMs) => (clock.format(startMs).endsWith('0') ? clock.format(startMs) : '');
  // A zone half an hour off has its first whole window at 00:30.
  return (startMs) => (clock.format(startMs).startsWith('00:') ? day(startMs) : '');
}

export function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
