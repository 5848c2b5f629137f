import { describe, expect, test } from 'vitest';
import { dayAfter, isDay, isMonth, monthRange, monthsOf, nextMonth, periodFromSearch } from './period.ts';
import { periodWords } from './period-words.ts';

const TODAY = new Date('2025-03-09T12:00:00Z');
const MONTHS = ['2025-02', '2025-01'];

describe('the period of the page', () => {
  test.each([
    [{}, MONTHS, 'February 2025', '2025-02-01T00:00:00Z', '2025-03-01T00:00:00Z'],
    [{}, [], 'March 2025', '2025-03-01T00:00:00Z', '2025-04-01T00:00:00Z'],
    [{ month: '2025-01' }, MONTHS, 'January 2025', '2025-01-01T00:00:00Z', '2025-02-01T00:00:00Z'],
    [{ month: '2024-12' }, MONTHS, 'December 2024', '2024-12-01T00:00:00Z', '2025-01-01T00:00:00Z'],
    [
      { from: '2025-01-06', to: '2025-01-13' },
      MONTHS,
      '6 Jan 2025 to 12 Jan 2025',
      '2025-01-06T00:00:00Z',
      '2025-01-13T00:00:00Z',
    ],
    [{ from: '2025-01-06', to: '2025-01-07' }, MONTHS, '6 Jan 2025', '2025-01-06T00:00:00Z', '2025-01-07T00:00:00Z'],
    [{ from: '2025-01-06', to: '2025-01-06' }, MONTHS, 'February 2025', '2025-02-01T00:00:00Z', '2025-03-01T00:00:00Z'],
    [
      { month: '2025-01', from: '2025-02-30', to: '2025-03-02' },
      MONTHS,
      'January 2025',
      '2025-01-01T00:00:00Z',
      '2025-02-01T00:00:00Z',
    ],
  ])('%j with months %j is %s', (search, months, words, from, to) => {
    const period = periodFromSearch(search, months, TODAY);
    expect(periodWords(period)).toBe(words);
    expect(period.range).toEqual({ from, to });
  });

  test('a year ends in January', () => {
    expect([nextMonth('2024-12'), nextMonth('2025-09'), dayAfter('2024-12-31'), dayAfter('2024-03-01', -1)]).toEqual([
      '2025-01',
      '2025-10',
      '2025-01-01',
      '2024-02-29',
    ]);
  });

  test('a range touches every month that it has an instant of', () => {
    expect(monthsOf(monthRange('2025-02'))).toEqual(['2025-02']);
    expect(monthsOf({ from: '2024-11-30T00:00:00Z', to: '2025-01-02T00:00:00Z' })).toEqual([
      '2024-11',
      '2024-12',
      '2025-01',
    ]);
  });

  test.each([
    ['2025-02-28', true],
    ['2025-02-29', false],
    ['2025-2-1', false],
    [20250201, false],
  ])('%s is a day: %s', (text, expected) => expect(isDay(text)).toBe(expected));

  test.each([
    ['2025-12', true],
    ['2025-13', false],
    ['2025-1', false],
    [undefined, false],
  ])('%s is a month: %s', (text, expected) => expect(isMonth(text)).toBe(expected));
});
