import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ATTO,
  divideHalfEven,
  formatMoney,
  isCurrencyCode,
  LARGEST_AMOUNT,
  parseDecimal,
  parseMoney,
} from './money.ts';

describe('reading an amount', () => {
  it.each<readonly [string, bigint, boolean]>([
    ['12', 12n * ATTO, false],
    ['-0.5', -ATTO / 2n, false],
    ['+1.', ATTO, false],
    ['.25', ATTO / 4n, false],
    ['4e-10', 4n * 10n ** 8n, false],
    ['1.5E+3', 1500n * ATTO, false],
    ['-0', 0n, false],
    ['0e999', 0n, false],
    ['0.000000000000000001', 1n, false],
    ['1e-999', 0n, true],
    // Exact halves go to the even neighbour.
    ['0.0000000000000000005', 0n, true],
    ['0.0000000000000000015', 2n, true],
    ['-0.0000000000000000025', -2n, true],
    ['0.00000000000000000250000001', 3n, true],
    ['1000000000000000', LARGEST_AMOUNT, false],
  ])('%s', (text, amountAtto, isRounded) => {
    expect(parseMoney(text)).toEqual({ amountAtto, isRounded });
  });

  it.each([
    '',
    ' ',
    '1,000.00',
    '$5',
    '1 2',
    '.',
    '-',
    'e5',
    '1e',
    '0x10',
    'NaN',
    'Infinity',
    '1_000',
    '１',
    '--1',
    ' 1',
  ])('"%s" is no amount', (text) => {
    expect(() => parseMoney(text)).toThrow(expect.objectContaining({ code: 'MONEY_MALFORMED' }));
  });

  it.each(['1000000000000000.000000000000000001', '-1e16', '1e999', '9'.repeat(401), `0.${'1'.repeat(400)}`])(
    '%s is too large to keep exact',
    (text) => {
      expect(() => parseMoney(text)).toThrow(expect.objectContaining({ code: 'MONEY_TOO_LARGE' }));
    },
  );

  const amount = fc.record({
    sign: fc.constantFrom('', '-', '+'),
    whole: fc.stringMatching(/^\d{1,20}$/),
    fraction: fc.stringMatching(/^\d{0,30}$/),
    // Most amounts are written without one.
    exponent: fc.option(fc.integer({ min: -40, max: 4 })),
  });

  it('is the nearest whole number of 10^-digits, a tie even, and says when it is not exact', () => {
    fc.assert(
      fc.property(amount, fc.integer({ min: 0, max: 18 }), ({ sign, whole, fraction, exponent }, digits) => {
        const parsed = parseDecimal(`${sign}${whole}.${fraction}${exponent === null ? '' : `e${exponent}`}`, digits);
        // The same number as a fraction of whole numbers.
        const scale = digits + (exponent ?? 0) - fraction.length;
        const dividend = BigInt(sign + whole + fraction) * 10n ** BigInt(Math.max(0, scale));
        const divisor = 10n ** BigInt(Math.max(0, -scale));
        const { value, isRounded } = parsed as { value: bigint; isRounded: boolean };
        const twiceOff = 2n * (value * divisor - dividend);
        const size = twiceOff < 0n ? -twiceOff : twiceOff;
        expect(size <= divisor).toBe(true);
        if (size === divisor) expect(value % 2n).toBe(0n);
        expect(isRounded).toBe(twiceOff !== 0n);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('writing an amount', () => {
  it.each<readonly [bigint, number, string]>([
    [0n, 18, '0.000000000000000000'],
    [-1n, 18, '-0.000000000000000001'],
    [-1n, 2, '0.00'],
    [12n * ATTO + ATTO / 2n, 0, '12'],
    [13n * ATTO + ATTO / 2n, 0, '14'],
    [-ATTO / 200n, 2, '0.00'],
    [(3n * ATTO) / 200n, 2, '0.02'],
  ])('%s with %i decimals is %s', (amountAtto, digits, text) => {
    expect(formatMoney(amountAtto, digits)).toBe(text);
  });

  it('is read back as it was, and never written with an exponent or as -0', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -LARGEST_AMOUNT, max: LARGEST_AMOUNT }),
        fc.integer({ min: 0, max: 18 }),
        (value, digits) => {
          expect(parseMoney(formatMoney(value))).toEqual({ amountAtto: value, isRounded: false });
          expect(formatMoney(value, digits)).toMatch(
            digits === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${digits}}$`),
          );
          expect(formatMoney(value, digits)).not.toMatch(/^-[0.]+$/);
        },
      ),
    );
  });
});

it('dividing rounds to nearest, ties to even, for both signs alike', () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.bigInt(1n, 10n ** 20n), (dividend, divisor) => {
      const quotient = divideHalfEven(dividend, divisor);
      const twiceOff = 2n * (quotient * divisor - dividend);
      expect(twiceOff <= divisor && twiceOff >= -divisor).toBe(true);
      if (twiceOff === divisor || twiceOff === -divisor) expect(quotient % 2n).toBe(0n);
      expect(divideHalfEven(-dividend, divisor)).toBe(-quotient);
    }),
  );
});

it.each([
  ['USD', true],
  ['usd', false],
  ['US', false],
  ['DOLLAR', false],
  ['', false],
])('%s as a currency code: %s', (text, isCode) => {
  expect(isCurrencyCode(text)).toBe(isCode);
});
