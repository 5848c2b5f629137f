import { expect, test } from 'vitest';
import { currencyNumber, feeFrom } from './fee.ts';

const usd = currencyNumber('USD');

test.each([
  ['0.05', 'USD', { pico: 50_000_000_000, currency: usd }],
  ['1e-7', 'USD', { pico: 100_000, currency: usd }],
  ['0.0000000000015', '', { pico: 2, currency: 0 }],
  [' 3 ', 'EUR', { pico: 3_000_000_000_000, currency: currencyNumber('EUR') }],
  ['0', 'USD', { pico: 0, currency: usd }],
])('%j %j is a fee', (amount, currency, fee) => {
  expect(feeFrom(amount, currency)).toEqual(fee);
});

test.each([
  ['-0.05', 'USD'],
  ['9008', 'USD'],
  ['five', 'USD'],
  ['', 'USD'],
  ['1e99', 'USD'],
  ['0.05', 'dollars'],
  ['NaN', ''],
])('%j %j is none', (amount, currency) => {
  expect(feeFrom(amount, currency)).toBeNull();
});

test('currencies are told apart', () => {
  expect(new Set(['USD', 'EUR', 'DSU', ''].map(currencyNumber)).size).toBe(4);
});
