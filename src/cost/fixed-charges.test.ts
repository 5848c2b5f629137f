import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatInstant, parseMoney, parseRange } from '../model/index.ts';
import { costModelSpec, type ModelInForce } from './cost-model.ts';
import { fixedCharges } from './fixed-charges.ts';

interface Fixed {
  readonly amount: string;
  readonly per: 'month' | 'day' | 'year';
  readonly spread?: 'period' | 'hours';
}

function model(fixed: Fixed, from = '2000-01-01', to = '2100-01-01'): ModelInForce {
  const pools = [{ id: 'people', kind: 'indirect', driver: 'calls', fixed }];
  return {
    id: 'm@1',
    ...parseRange(from, to),
    spec: costModelSpec.parse({ currency: 'USD', pools }),
    meters: new Map(),
  };
}

function charges(fixed: Fixed, from: string, to: string, inForce = model(fixed)): string[] {
  return fixedCharges(inForce, parseRange(from, to)).map(
    (charge) => `${formatInstant(charge.chargeStartMs)} ${formatInstant(charge.chargeEndMs)} ${charge.amountAtto}`,
  );
}

const unit = '0.000000000000000001';

describe.each<[string, Fixed, string, string, string[]]>([
  ['a day', { amount: unit, per: 'day' }, '2024-02-29', '2024-03-01', ['2024-02-29T00:00:00Z 2024-03-01T00:00:00Z 1']],
  [
    'a leap February',
    { amount: unit, per: 'month' },
    '2024-02-01',
    '2024-03-01',
    ['2024-02-01T00:00:00Z 2024-03-01T00:00:00Z 1'],
  ],
  [
    'a year',
    { amount: unit, per: 'year' },
    '2024-01-01',
    '2024-02-01',
    ['2024-01-01T00:00:00Z 2025-01-01T00:00:00Z 1'],
  ],
  ['a period that begins before the range', { amount: unit, per: 'month' }, '2024-02-02', '2024-03-01', []],
  [
    'hours that begin inside the range',
    { amount: '-0.000000000000000025', per: 'day', spread: 'hours' },
    '2024-02-28T23:00:00Z',
    '2024-02-29T02:00:00Z',
    [
      '2024-02-28T23:00:00Z 2024-02-29T00:00:00Z -1',
      '2024-02-29T00:00:00Z 2024-02-29T01:00:00Z -2',
      '2024-02-29T01:00:00Z 2024-02-29T02:00:00Z -1',
    ],
  ],
])('%s', (_name, fixed, from, to, expected) => {
  test('is charged where it begins', () => expect(charges(fixed, from, to)).toEqual(expected));
});

test('a model in force from the middle of a month charges its hours from then on, and no whole month', () => {
  const hourly: Fixed = { amount: '744', per: 'month', spread: 'hours' };
  const from = '2024-01-15T12:00:00Z';
  expect(charges(hourly, '2024-01-01', '2024-02-01', model(hourly, from))).toHaveLength(16 * 24 + 12);
  const whole: Fixed = { amount: '744', per: 'month' };
  expect(charges(whole, '2024-01-01', '2024-02-01', model(whole, from))).toEqual([]);
});

test('the hours of a period add up to its amount, left-over units in the earliest hours', () => {
  const fixed = fc.record({
    amount: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map((value) => `${value}e-18`),
    per: fc.constantFrom('month' as const, 'day' as const, 'year' as const),
    spread: fc.constant('hours' as const),
  });
  fc.assert(
    fc.property(fixed, fc.integer({ min: 1990, max: 2060 }), (each, year) => {
      const range = parseRange(`${year}-01-01`, `${year + 1}-01-01`);
      const whole = parseMoney(each.amount).amountAtto;
      const hours = fixedCharges(model(each, '1980-01-01'), range).slice(0, 366 * 24);
      const first = hours.filter((hour) => hour.billingStartMs === hours[0]!.billingStartMs);
      expect(first.reduce((sum, hour) => sum + hour.amountAtto, 0n)).toBe(whole);
      const magnitudes = first.map(({ amountAtto }) => (amountAtto < 0n ? -amountAtto : amountAtto));
      expect([...magnitudes].sort((a, b) => (a > b ? -1 : a < b ? 1 : 0))).toEqual(magnitudes);
      expect(magnitudes[0]! - magnitudes.at(-1)! <= 1n).toBe(true);
    }),
    { numRuns: 30 },
  );
});
