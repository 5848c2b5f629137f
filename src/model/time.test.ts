import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant, isTimeZone, monthOf, monthsOf, parseInstant, parseMonth, parseRange } from './time.ts';

describe('reading an instant', () => {
  it.each([
    ['2022-08-01', Date.UTC(2022, 7, 1)],
    ['2022-08-01T03:00:00Z', Date.UTC(2022, 7, 1, 3)],
    ['2024-09-18 23:00:00', Date.UTC(2024, 8, 18, 23)],
    ['2024-09-18 23:00:00 UTC', Date.UTC(2024, 8, 18, 23)],
    ['2024-09-18T23:00', Date.UTC(2024, 8, 18, 23)],
    ['2024-09-18T23:00:00.5+02:00', Date.UTC(2024, 8, 18, 21, 0, 0, 500)],
    ['2024-09-18T23:00:00-0330', Date.UTC(2024, 8, 19, 2, 30)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2022-08-01T00:00:00.123999999Z', Date.UTC(2022, 7, 1, 0, 0, 0, 123)],
    [' 2022-08-01 ', Date.UTC(2022, 7, 1)],
  ])('%s', (text, instantMs) => {
    expect(parseInstant(text)).toBe(instantMs);
  });

  it.each([
    ...['', 'now', '2022', '2022-08', '01/08/2022', '2022-8-1', '2023-02-29', '2022-04-31', '2022-13-01', '2022-00-10'],
    ...['2022-08-01T24:00:00Z', '2022-08-01T03:60:00Z', '2022-08-01T03:00:60Z', '2022-08-01T03:00:00 CET'],
    ...['2022-08-01T03:00:00+99:99', '2022-08-01T03:00:00+02:60', '1659312000000', '0000-00-00'],
  ])('"%s" is no time', (text) => {
    expect(() => parseInstant(text)).toThrow(expect.objectContaining({ code: 'TIME_MALFORMED' }));
  });

  const instants = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });

  it('is what an instant was written as, in any year of four digits', () => {
    fc.assert(
      fc.property(instants, (date) => {
        expect(parseInstant(formatInstant(date.getTime()))).toBe(date.getTime());
      }),
    );
  });
});

describe('ranges and months', () => {
  it('a range ends after it begins', () => {
    expect(parseRange('2022-08-01', '2022-08-02')).toEqual({
      fromMs: Date.UTC(2022, 7, 1),
      toMs: Date.UTC(2022, 7, 2),
    });
    for (const to of ['2022-08-01', '2022-07-31']) {
      expect(() => parseRange('2022-08-01', to)).toThrow(expect.objectContaining({ code: 'RANGE_EMPTY' }));
    }
  });

  it.each([
    ['1969-12-31', '1970-01-02'],
    ['0001-01-01', '2022-08-01'],
    ['2022-08-01', '2106-01-02'],
    ['2299-12-31', '9999-12-31'],
  ])('from %s to %s there can be no calls', (from, to) => {
    expect(() => parseRange(from, to)).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID' }));
  });

  it('all other times may be asked about', () => {
    expect(parseRange('1970-01-01', '2106-01-01')).toEqual({ fromMs: 0, toMs: Date.UTC(2106, 0) });
  });

  it.each(['2022-8', '2022-13', '2022-00', '2022', 'August'])('%s is no month', (text) => {
    expect(() => parseMonth(text)).toThrow(expect.objectContaining({ code: 'TIME_MALFORMED' }));
  });

  it('a month holds its instants and no others', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1970-01-01'), max: new Date('2199-12-31'), noInvalidDate: true }),
        (date) => {
          const { month, fromMs, toMs } = monthOf(date.getTime());
          expect(fromMs <= date.getTime() && date.getTime() < toMs).toBe(true);
          expect(parseMonth(month)).toEqual({ month, fromMs, toMs });
          expect(monthOf(toMs).fromMs).toBe(toMs);
          expect(date.toISOString().startsWith(month)).toBe(true);
        },
      ),
    );
  });

  it('the months of a range lie end to end around it', () => {
    const from = fc.integer({ min: 0, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(from, fc.integer({ min: 1, max: 100_000_000_000 }), (fromMs, length) => {
        const months = monthsOf({ fromMs, toMs: fromMs + length });
        expect(months[0]!.fromMs <= fromMs && months.at(-1)!.toMs >= fromMs + length).toBe(true);
        expect(months.at(-1)!.fromMs).toBeLessThan(fromMs + length);
        for (let i = 1; i < months.length; i++) expect(months[i]!.fromMs).toBe(months[i - 1]!.toMs);
      }),
    );
  });
});

it.each([
  ['Europe/Zurich', true],
  ['UTC', true],
  ['Mars/Base', false],
  ['', false],
])('%s as a time zone: %s', (zone, isKnown) => {
  expect(isTimeZone(zone)).toBe(isKnown);
});
