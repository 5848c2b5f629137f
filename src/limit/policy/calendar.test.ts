import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Calendar, calendarRule, LONGEST_WINDOW_US } from './calendar.ts';

type Window = Parameters<typeof calendarRule>[0];

function windowAt(window: Partial<Window>, instant: string, since: string | null = null): string[] {
  const rule = calendarRule({ zone: 'UTC', every: 'month', ...window }, since === null ? null : Date.parse(since));
  const { startUs, endUs } = new Calendar(rule).at(Date.parse(instant) * 1000);
  return [startUs, endUs].map((us) => new Date(us / 1000).toISOString().slice(0, 16));
}

it.each([
  [{ calendar: 'day' }, '2026-06-01T00:00:00Z', '2026-06-01T00:00', '2026-06-02T00:00'],
  // 23 and 25 hours.
  [{ calendar: 'day', zone: 'Europe/Berlin' }, '2026-03-29T12:00:00Z', '2026-03-28T23:00', '2026-03-29T22:00'],
  [{ calendar: 'day', zone: 'Europe/Berlin' }, '2026-10-25T12:00:00Z', '2026-10-24T22:00', '2026-10-25T23:00'],
  // Summer time began at midnight: the day begins at one.
  [{ calendar: 'day', zone: 'America/Sao_Paulo' }, '2018-11-04T12:00:00Z', '2018-11-04T03:00', '2018-11-05T02:00'],
  // Midnight came twice: the day begins at the first.
  [{ calendar: 'day', zone: 'America/Havana' }, '2026-11-01T12:00:00Z', '2026-11-01T04:00', '2026-11-02T05:00'],
  // A day that did not happen.
  [{ calendar: 'day', zone: 'Pacific/Apia' }, '2011-12-30T09:59:00Z', '2011-12-29T10:00', '2011-12-30T10:00'],
  [{ calendar: 'week' }, '2026-06-07T23:59:00Z', '2026-06-01T00:00', '2026-06-08T00:00'],
  [{ calendar: 'week', anchor: 'sun' }, '2026-06-07T00:00:00Z', '2026-06-07T00:00', '2026-06-14T00:00'],
  [{ calendar: 'month', anchor: '31' }, '2026-02-27T23:00:00Z', '2026-01-31T00:00', '2026-02-28T00:00'],
  [{ calendar: 'month', anchor: '31' }, '2026-02-28T00:00:00Z', '2026-02-28T00:00', '2026-03-31T00:00'],
  [{ calendar: 'month', anchor: '29' }, '2024-02-29T00:00:00Z', '2024-02-29T00:00', '2024-03-29T00:00'],
  [{ calendar: 'month', zone: 'Asia/Kolkata' }, '2026-05-31T18:30:00Z', '2026-05-31T18:30', '2026-06-30T18:30'],
  [{ calendar: 'year', anchor: '02-29' }, '2025-02-28T00:00:00Z', '2025-02-28T00:00', '2026-02-28T00:00'],
  [{ calendar: 'year', anchor: '04-01' }, '2026-03-31T00:00:00Z', '2025-04-01T00:00', '2026-04-01T00:00'],
] as const)('%o at %s', (window, instant, start, end) => {
  expect(windowAt(window as Partial<Window>, instant)).toEqual([start, end]);
});

it('counts anniversaries from a day', () => {
  const yearly = { calendar: 'anniversary', every: 'year' } as const;
  expect(windowAt({ calendar: 'anniversary' }, '2026-04-29T00:00:00Z', '2024-01-31')).toEqual([
    '2026-03-31T00:00',
    '2026-04-30T00:00',
  ]);
  expect(windowAt(yearly, '2026-01-30T00:00:00Z', '2024-01-31')).toEqual(['2025-01-31T00:00', '2026-01-31T00:00']);
});

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/Sao_Paulo',
  'America/Havana',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'Australia/Lord_Howe',
];

it('has windows that touch, and that hold the instant asked for', () => {
  const unit = fc.constantFrom('day', 'week', 'month', 'year');
  const instant = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2040, 0) });
  fc.assert(
    fc.property(
      unit,
      fc.constantFrom(...zones),
      fc.integer({ min: 1, max: 31 }),
      instant,
      (calendar, zone, day, ms) => {
        const anchor = calendar === 'month' ? String(day) : undefined;
        const at = new Calendar(calendarRule({ calendar, zone, every: 'month', ...(anchor ? { anchor } : {}) }, null));
        const window = at.at(ms * 1000);
        expect(window.startUs).toBeLessThanOrEqual(ms * 1000);
        expect(window.endUs).toBeGreaterThan(ms * 1000);
        expect(window.endUs - window.startUs).toBeLessThanOrEqual(LONGEST_WINDOW_US[calendar as 'day']);
        expect(at.at(window.endUs).startUs).toBe(window.endUs);
        expect(at.at(window.startUs - 1).endUs).toBe(window.startUs);
      },
    ),
    { numRuns: 300 },
  );
});
