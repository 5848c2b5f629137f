import { describe, expect, test } from 'vitest';
import type { UsageRow } from '../api/contract.ts';
import { slotWords } from './slot-words.ts';
import { volumePlan } from './volume-plan.ts';
import { slotsFromRows, volumeSummary } from './volume-slots.ts';

const JANUARY = { from: '2025-01-01T00:00:00Z', to: '2025-02-01T00:00:00Z' };

function row(start: string, calls: number, errors = 0): UsageRow {
  return {
    start,
    calls,
    errors,
    bytesIn: 0,
    bytesOut: 0,
    records: null,
    averageMs: null,
    standardError: 0,
    late: null,
  };
}

describe('what to draw', () => {
  test.each([
    ['2024-06-01T00:00:00Z', '2025-06-01T00:00:00Z', '2025-01-01T00:00:00Z', '2025-02-01T00:00:00Z', 'day'],
    ['2025-01-06T00:00:10Z', '2025-01-12T23:59:59Z', '2025-01-06T00:00:00Z', '2025-01-13T00:00:00Z', 'hour'],
    ['2025-01-06T10:00:10Z', '2025-01-06T10:08:20Z', '2025-01-06T10:00:00Z', '2025-01-06T10:09:00Z', 'minute'],
  ])('calls from %s to %s', (oldestCall, newestCall, from, to, window) => {
    expect(volumePlan(JANUARY, { oldestCall, newestCall })).toEqual({ range: { from, to }, window });
  });

  test('nothing, when no call lies in the period', () => {
    expect(volumePlan(JANUARY, { oldestCall: null, newestCall: null })).toBeNull();
    expect(volumePlan(JANUARY, { oldestCall: '2025-02-01T00:00:00Z', newestCall: '2025-03-01T00:00:00Z' })).toBeNull();
  });
});

describe('the time axis', () => {
  test('missing windows are gaps, not zeros; windows of several rows are added', () => {
    const rows = [
      row('2025-01-06T03:00:00Z', 5, 1),
      row('2025-01-06T00:00:00Z', 1),
      row('2025-01-06T00:00:00Z', 2),
      row('2025-01-06T04:00:00Z', 0),
    ];
    const slots = slotsFromRows(rows, 'hour');
    expect(slots.map((slot) => slot.figures?.calls ?? null)).toEqual([3, null, null, 5, 0]);
    expect(volumeSummary(slots)).toMatchObject({ calls: 8, errors: 1, errorShare: 0.125, gaps: 2, peak: slots[3] });
  });

  test('a day of 23 or 25 hours is one day', () => {
    const berlin = ['2025-03-28T23:00:00Z', '2025-03-29T23:00:00Z', '2025-03-30T22:00:00Z', '2025-04-01T22:00:00Z'];
    const slots = slotsFromRows(
      berlin.map((start) => row(start, 1)),
      'day',
    );
    const words = slotWords('day', 'Europe/Berlin');
    expect(slots.map((slot) => `${words(slot.startMs)} ${slot.figures ? 'calls' : 'gap'}`)).toEqual([
      'Sat 29 Mar calls',
      'Sun 30 Mar calls',
      'Mon 31 Mar calls',
      'Tue 1 Apr gap',
      'Wed 2 Apr calls',
    ]);
  });

  test('no rows, no slots', () => {
    expect(volumeSummary(slotsFromRows([], 'day'))).toEqual({
      calls: 0,
      errors: 0,
      errorShare: null,
      gaps: 0,
      peak: null,
    });
  });
});
