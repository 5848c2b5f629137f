import fc from 'fast-check';
import { expect, test } from 'vitest';
import { slotOfWeek, windowsOf } from '../time/calendar.ts';
import { slottedWindows } from './weekly-slots.ts';

const HOUR = 3_600_000;

test('windows with their places are those of the calendar, also on days on which clocks change', () => {
  const zones = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'Pacific/Apia',
  );
  // Around changes of the clock more often than not.
  const starts = fc.constantFrom(
    Date.UTC(2026, 2, 28),
    Date.UTC(2026, 9, 24),
    Date.UTC(2026, 3, 3),
    Date.UTC(2011, 11, 28),
  );
  const property = fc.property(
    zones,
    starts,
    fc.nat(30),
    fc.integer({ min: 1, max: 80 }),
    (zone, start, early, hours) => {
      const range = { fromMs: start + early * HOUR, toMs: start + (early + hours) * HOUR };
      for (const unit of ['hour', 'day'] as const) {
        const slotted = slottedWindows(range, unit, zone);
        expect(slotted.map(({ window }) => window)).toEqual(windowsOf(range, unit, zone));
        expect(slotted.map(({ slot }) => slot)).toEqual(
          slotted.map(({ window }) => slotOfWeek(window.fromMs, unit, zone)),
        );
      }
    },
  );
  fc.assert(property, { numRuns: 40, seed: 75 });
});

test('more hours than anybody reads are refused', () => {
  const range = { fromMs: 0, toMs: 10_001 * HOUR };
  expect(() => slottedWindows(range, 'hour', 'UTC')).toThrow(/too long/);
});
