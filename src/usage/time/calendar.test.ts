import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatInstant, MILLIS_PER_HOUR, MILLIS_PER_MINUTE, parseRange } from '../../model/index.ts';
import { type CalendarUnit, calendarUnits, knownZone, parseSpan, windowsOf } from './calendar.ts';
import { comparedRange } from './other-range.ts';

const zones = [
  ...['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Asia/Kathmandu', 'Australia/Lord_Howe'],
  ...['America/Havana', 'America/St_Johns', 'Pacific/Chatham', 'America/Sao_Paulo', 'Pacific/Apia'],
];

/** A second opinion: what the clock on a wall of Intl shows, minute by minute, and nothing of the library under test. */
function wallClock(timeZone: string) {
  const shown = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit' },
  });
  return (at: number) => {
    const parts = new Map(shown.formatToParts(at).map(({ type, value }) => [type, value]));
    const day = `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
    return { day, hour: Number(parts.get('hour')), minute: Number(parts.get('minute')) };
  };
}

/** What a window is called by dates alone; windows of one unit that have the same name are one. */
function nameOf(day: string, unit: CalendarUnit): string {
  const date = new Date(`${day}T00:00:00Z`);
  if (unit === 'month') return day.slice(0, 7);
  if (unit === 'quarter') return `${day.slice(0, 4)}-${Math.ceil((date.getUTCMonth() + 1) / 3)}`;
  if (unit === 'day') return day;
  return new Date(date.getTime() - ((date.getUTCDay() + 6) % 7) * 24 * MILLIS_PER_HOUR).toISOString().slice(0, 10);
}

describe('windows of days and longer are those that a wall clock names', () => {
  test.each(zones)('%s', (zone) => {
    const clock = wallClock(zone);
    const from = fc.integer({ min: Date.UTC(2010, 0), max: Date.UTC(2027, 0) });
    const days = fc.integer({ min: 1, max: 100 });
    const unit = fc.constantFrom<CalendarUnit>('day', 'week', 'month', 'quarter');
    const property = fc.property(from, days, unit, (fromMs, length, asked) => {
      const windows = windowsOf({ fromMs, toMs: fromMs + length * 24 * MILLIS_PER_HOUR }, asked, zone);
      expect(windows[0]!.fromMs).toBeLessThanOrEqual(fromMs);
      expect(windows.at(-1)!.toMs).toBeGreaterThanOrEqual(fromMs + length * 24 * MILLIS_PER_HOUR);
      windows.forEach((window, place) => {
        if (place > 0) expect(window.fromMs).toBe(windows[place - 1]!.toMs);
        const name = (at: number) => nameOf(clock(at).day, asked);
        expect(name(window.toMs - MILLIS_PER_MINUTE)).toBe(name(window.fromMs));
        expect(name(window.fromMs - MILLIS_PER_MINUTE)).not.toBe(name(window.fromMs));
      });
    });
    fc.assert(property, { numRuns: 25, seed: 11 });
  });
});

describe('hours begin at a full hour of the wall clock, or where it jumps', () => {
  test.each(zones)('%s', (zone) => {
    const clock = wallClock(zone);
    const changes = fc.constantFrom(
      ...['2024-03-30T12:00Z', '2024-10-26T12:00Z', '2024-04-06T00:00Z', '2024-10-05T00:00Z', '2018-11-03T12:00Z'],
    );
    const property = fc.property(changes, fc.integer({ min: 0, max: 1500 }), (start, minutes) => {
      const fromMs = Date.parse(start) + minutes * MILLIS_PER_MINUTE;
      for (const window of windowsOf({ fromMs, toMs: fromMs + 5 * MILLIS_PER_HOUR }, 'hour', zone)) {
        const [before, first] = [clock(window.fromMs - MILLIS_PER_MINUTE), clock(window.fromMs)];
        const jumps = (first.hour * 60 + first.minute - before.hour * 60 - before.minute + 1440) % 1440 !== 1;
        expect(first.minute === 0 || jumps).toBe(true);
        for (let at = window.fromMs; at < window.toMs; at += MILLIS_PER_MINUTE) expect(clock(at).hour).toBe(first.hour);
      }
    });
    fc.assert(property, { numRuns: 20, seed: 12 });
  });
});

test.each<[string, string, string, number]>([
  ['a day of 23 hours', 'Europe/Berlin', '2024-03-31', 23],
  ['a day of 25 hours', 'Europe/Berlin', '2024-10-27', 25],
  ['a day of 24 hours and a half', 'Australia/Lord_Howe', '2024-04-07', 24.5],
  ['a day that begins at one', 'America/Sao_Paulo', '2018-11-04', 23],
])('%s', (_name, zone, day, hours) => {
  const noon = Date.parse(`${day}T12:00:00Z`);
  const window = windowsOf({ fromMs: noon, toMs: noon + 1 }, 'day', zone)[0]!;
  expect((window.toMs - window.fromMs) / MILLIS_PER_HOUR).toBe(hours);
});

test('every unit covers a range without holes in a zone of half hours', () => {
  for (const unit of calendarUnits) {
    const range = parseRange('2024-01-01', unit === 'minute' ? '2024-01-03' : '2024-12-31');
    const windows = windowsOf(range, unit, 'Asia/Kolkata');
    expect(windows.slice(1).every(({ fromMs }, place) => fromMs === windows[place]!.toMs)).toBe(true);
  }
});

test.each<[string, string, string, Parameters<typeof comparedRange>[1], string, string]>([
  ['the month before a month', '2024-03-01', '2024-04-01', 'previous', '2024-02-01', '2024-03-01'],
  ['the quarter before a quarter', '2024-04-01', '2024-07-01', 'previous', '2024-01-01', '2024-04-01'],
  ['the week before a week', '2024-03-04', '2024-03-11', 'previous', '2024-02-26', '2024-03-04'],
  ['the ten days before', '2024-03-05', '2024-03-15', 'previous', '2024-02-24', '2024-03-05'],
  ['as much time before', '2024-03-05T01:30', '2024-03-05T02:00', 'previous', '2024-03-05T01:00', '2024-03-05T01:30'],
  ['the same days a month earlier', '2024-03-30', '2024-04-02', 'last-month', '2024-02-29', '2024-03-02'],
  ['the same days a year earlier', '2024-02-29', '2024-03-01', 'last-year', '2023-02-28', '2023-03-01'],
  ['the same days a week earlier', '2024-03-05', '2024-03-06', 'last-week', '2024-02-27', '2024-02-28'],
])('%s', (_name, from, to, comparison, baseFrom, baseTo) => {
  const range = comparedRange(parseRange(from, to), comparison, 'UTC')!;
  const expected = parseRange(baseFrom, baseTo);
  expect([range.fromMs, range.toMs].map(formatInstant)).toEqual([expected.fromMs, expected.toMs].map(formatInstant));
});

test('last week in a zone is by its clock, also where an hour is missing in between', () => {
  const range = parseRange('2024-03-31T22:00:00Z', '2024-04-01T22:00:00Z');
  const { fromMs, toMs } = comparedRange(range, 'last-week', 'Europe/Berlin')!;
  expect([fromMs, toMs].map(formatInstant)).toEqual(['2024-03-24T23:00:00Z', '2024-03-25T23:00:00Z']);
});

test.each(['+05:30', 'Europe/Atlantis', '', '24h'])('%s is no zone', (zone) => {
  expect(() => knownZone(zone)).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID' }));
});

test('spans of time', () => {
  expect(['24h', '90m', '7d', '30s'].map(parseSpan)).toEqual([86_400_000, 5_400_000, 604_800_000, 30_000]);
  for (const text of ['', '0h', '1w', '-1h', '1.5h', 'h'])
    expect(() => parseSpan(text)).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID' }));
});
