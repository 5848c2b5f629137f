import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attoFromText, shareOf } from './amount.ts';
import { formatExact, formatMoney, groupDigits } from './format-money.ts';
import { microCalls, perCall } from './per-call.ts';

describe('money is shown without losing or inventing a digit', () => {
  test.each([
    ['0.000000000000000000', 'USD', undefined, '$0.00'],
    ['866.729563607083000000', 'USD', undefined, '$866.73'],
    ['1234567.895000000000000000', 'USD', undefined, '$1,234,567.90'],
    ['-1234.500000000000000000', 'EUR', undefined, '−€1,234.50'],
    ['0.001259735016', 'USD', undefined, '$0.001260'],
    ['0.001259735016', 'USD', 12, '$0.001259735016'],
    ['0.200000000000000000', 'CHF', undefined, 'CHF\u00a00.20'],
    ['0.125000000000000000', 'USD', 2, '$0.12'],
    ['0.135000000000000000', 'USD', 2, '$0.14'],
    ['-0.001000000000000000', 'USD', 2, '$0.00'],
    ['999999999999999.999999999999999999', 'USD', 18, '$999,999,999,999,999.999999999999999999'],
    ['0.000000000000000001', 'USD', undefined, '$0.000000000000000001'],
    ['12.000000000000000000', 'JPY', 0, '¥12'],
  ] as const)('%s %s with %s decimals reads %s', (text, currency, decimals, shown) => {
    expect(formatMoney(attoFromText(text), currency, decimals)).toBe(shown);
  });

  test('every exact digit can be read back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 33n), max: 10n ** 33n }), (atto) => {
        const { head, tail } = formatExact(atto, 'USD', 18);
        const readBack = attoFromText(`${head}${tail}`.replace('−', '-').replace('$', '').replaceAll(',', ''));
        expect(readBack).toBe(atto);
      }),
    );
  });

  test('the quiet tail starts after the readable digits', () => {
    expect(formatExact(attoFromText('0.001259735016'), 'USD', 12)).toEqual({ head: '$0.001259', tail: '735016' });
    expect(formatExact(attoFromText('124.610911868944301074'), 'USD', 18)).toEqual({
      head: '$124.61',
      tail: '0911868944301074',
    });
  });

  test.each([
    ['1', '1'],
    ['999', '999'],
    ['1000', '1,000'],
    ['1234567', '1,234,567'],
  ])('groups %s as %s', (digits, grouped) => expect(groupDigits(digits)).toBe(grouped));

  test.each(['', '1.', '1e3', 'NaN', '+1', '1,000', '1.0000000000000000001'])('refuses %j', (text) => {
    expect(() => attoFromText(text)).toThrow(RangeError);
  });
});

describe('cost per call', () => {
  test.each([
    ['0.138570851747471218', 110, '0.001259735016'],
    ['5.328343594171405901', 110, '0.048439487220'],
    ['1.000000000000000000', 3, '0.333333333333'],
    ['-1.000000000000000000', 0.5, '-2.000000000000'],
    ['0.000000000000500000', 1, '0.000000000000'],
    ['0.000000000001500000', 1, '0.000000000002'],
  ])('%s over %s calls is %s', (amount, calls, expected) => {
    expect(perCall(attoFromText(amount), microCalls(calls))).toBe(attoFromText(expected));
  });

  test('is unknown without calls', () => expect(perCall(5n, 0n)).toBeNull());

  test.each([
    [0, 0n],
    [12, 12_000_000n],
    [0.000001, 1n],
    [1234567.891234, 1_234_567_891_234n],
  ])('%s calls are %s millionths', (calls, micro) => expect(microCalls(calls)).toBe(micro));
});

describe('shares', () => {
  test('of a bill that is zero or negative mean nothing', () => {
    expect(shareOf(5n, 0n)).toBeNull();
    expect(shareOf(5n, -10n)).toBeNull();
    expect(shareOf(1n, 4n)).toBe(0.25);
  });
});
