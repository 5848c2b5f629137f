import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRange } from '../model/index.ts';
import { convertAmount, convertParts } from './convert.ts';
import { conversionOf, currencyRatesSpec, type RatesDocument } from './currency-rates.ts';

function rates(days: Record<string, Record<string, string>>, holdDays = 0, name = 'ecb'): RatesDocument {
  return { name, version: 1, spec: currencyRatesSpec.parse({ source: 'Example bank', base: 'EUR', holdDays, days }) };
}

const september = rates({ '2024-09-02': { USD: '1.25', GBP: '0.8' }, '2024-09-03': { USD: '1.6', GBP: '0.8' } });
const twoDays = parseRange('2024-09-02', '2024-09-04');

const found: readonly (readonly [what: string, from: string, to: string, rate: string])[] = [
  ['out of the base: the mean of the days', 'EUR', 'USD', '1.425000000000000000'],
  ['into the base', 'USD', 'EUR', '0.712500000000000000'],
  ['across the base', 'GBP', 'USD', '1.781250000000000000'],
  ['to itself', 'USD', 'USD', '1.000000000000000000'],
];

test.each(found)('%s', (_what, from, to, rate) => {
  expect(conversionOf([september], from, to, twoDays)).toMatchObject({
    from,
    to,
    rate,
    days: 2,
    lastDay: '2024-09-03',
  });
});

test('the documents that gave a rate are named', () => {
  expect(conversionOf([september], 'USD', 'EUR', twoDays).sources).toEqual([
    'Example bank (CurrencyRates ecb, version 1)',
  ]);
});

test('a day without a rate is named, unless the one before it holds', () => {
  const friday = { '2024-09-06': { USD: '1.1' } };
  const weekend = parseRange('2024-09-06', '2024-09-09');
  const asked = () => conversionOf([rates(friday)], 'USD', 'EUR', weekend);
  expect(asked).toThrow(expect.objectContaining({ code: 'RATE_MISSING', facts: { from: 'USD', to: 'EUR', days: 2 } }));
  expect(asked).toThrow(
    expect.objectContaining({
      problems: [
        { message: '2024-09-07: no rate from USD to EUR' },
        { message: '2024-09-08: no rate from USD to EUR' },
      ],
    }),
  );
  expect(conversionOf([rates(friday, 2)], 'EUR', 'USD', weekend).rate).toBe('1.100000000000000000');
  expect(() => conversionOf([rates(friday, 1)], 'EUR', 'USD', weekend)).toThrow(
    expect.objectContaining({ code: 'RATE_MISSING' }),
  );
});

test('two documents may say the same, not different things', () => {
  const other = (usd: string) => rates({ '2024-09-02': { USD: usd }, '2024-09-03': { USD: '1.6' } }, 0, 'other');
  expect(conversionOf([september, other('1.25')], 'EUR', 'USD', twoDays).sources).toHaveLength(2);
  expect(() => conversionOf([september, other('1.26')], 'EUR', 'USD', twoDays)).toThrow(
    expect.objectContaining({
      code: 'RATE_AMBIGUOUS',
      problems: [{ message: '2024-09-02: two documents give different rates' }],
    }),
  );
});

const bad: readonly (readonly [what: string, spec: object])[] = [
  ['a rate as a number', { source: 's', base: 'EUR', days: { '2024-09-02': { USD: 1.1 } } }],
  ['a rate of nothing', { source: 's', base: 'EUR', days: { '2024-09-02': { USD: '0' } } }],
  [
    'a rate finer than 18 decimals',
    { source: 's', base: 'EUR', days: { '2024-09-02': { USD: '0.0000000000000000001' } } },
  ],
  ['a day that does not exist', { source: 's', base: 'EUR', days: { '2024-02-30': { USD: '1' } } }],
  ['nobody to name', { base: 'EUR', days: {} }],
];

test.each(bad)('refused: %s', (_what, spec) => {
  expect(currencyRatesSpec.safeParse(spec).success).toBe(false);
});

describe('parts of an amount', () => {
  const anyAmount = fc.bigInt(-(10n ** 33n), 10n ** 33n);
  const anyRate = fc.bigInt(1n, 10n ** 22n);

  test('add up to the converted whole, each within two units of its own value', () => {
    fc.assert(
      fc.property(fc.array(anyAmount, { minLength: 1, maxLength: 30 }), anyRate, (parts, rate) => {
        const total = convertAmount(
          parts.reduce((sum, part) => sum + part, 0n),
          rate,
        );
        const shares = convertParts(parts, rate, total);
        expect(shares.reduce((sum, share) => sum + share, 0n)).toBe(total);
        for (const [place, share] of shares.entries()) {
          const off = share * 10n ** 18n - parts[place]! * rate;
          expect(off > -2n * 10n ** 18n && off < 2n * 10n ** 18n).toBe(true);
        }
      }),
    );
  });

  test('a rate of 1 changes nothing', () => {
    fc.assert(
      fc.property(fc.array(anyAmount, { maxLength: 30 }), (parts) => {
        const total = parts.reduce((sum, part) => sum + part, 0n);
        expect(convertParts(parts, 10n ** 18n, total)).toEqual(parts);
      }),
    );
  });
});
