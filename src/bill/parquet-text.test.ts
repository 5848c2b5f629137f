import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ATTO_DIGITS, formatMoney, parseMoney } from '../model/index.ts';
import { decimalText, floatText } from './parquet-text.ts';

test('a decimal keeps every digit', () => {
  const amount = fc.bigInt(-(10n ** 33n), 10n ** 33n);
  fc.assert(
    fc.property(amount, (atto) => {
      expect(decimalText(atto, ATTO_DIGITS)).toBe(formatMoney(atto));
    }),
  );
});

test('a decimal of any scale is the number it stands for', () => {
  const number = fc.tuple(fc.bigInt(-(10n ** 14n), 10n ** 14n), fc.nat({ max: 18 }));
  fc.assert(
    fc.property(number, ([value, scale]) => {
      expect(parseMoney(decimalText(value, scale)).amountAtto).toBe(value * 10n ** BigInt(ATTO_DIGITS - scale));
    }),
  );
});

test('a 32-bit float is written so that it reads back as itself, and no longer than needed', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Math.fround(Number(floatText(value)))).toBe(value === 0 ? 0 : value);
      expect(floatText(value).length).toBeLessThanOrEqual(String(value).length);
    }),
  );
  expect(floatText(Math.fround(0.1))).toBe('0.1');
});
