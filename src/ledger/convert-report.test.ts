import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Conversion } from '../bill/index.ts';
import { formatMoney } from '../model/index.ts';
import { convertCostReport, convertReconcileLine } from './convert-report.ts';

const days = { firstDay: '2024-09-01', lastDay: '2024-09-30', days: 30, sources: ['Example bank'] };
const conversion = (rate: bigint): Conversion => ({ from: 'USD', to: 'EUR', rate: formatMoney(rate), ...days });
const anyAmount = fc.bigInt(-(10n ** 30n), 10n ** 30n);
const anyRate = fc.bigInt(1n, 10n ** 21n);
const atto = (text: string) => BigInt(text.replace('.', ''));
const sum = (amounts: readonly bigint[]) => amounts.reduce((total, each) => total + each, 0n);

function reportOf(rows: readonly (readonly [bigint, bigint])[], idle: bigint, fixed: bigint) {
  const tenants = sum(rows.flat());
  const bill = tenants + idle;
  const amounts = { tenants, idle, unattributed: 0n, out_of_scope: 0n };
  const texts = (of: Record<string, bigint>) =>
    Object.fromEntries(Object.entries(of).map(([name, each]) => [name, formatMoney(each)]));
  return {
    currency: 'USD',
    identity: texts({ bill, charges: bill - fixed, fixed, ...amounts, residual: 0n }),
    pools: [{ pool: 'p', kind: 'direct', ...texts(amounts) }],
    rows: rows.map(
      ([direct, indirect]): Record<string, unknown> => ({
        ...{ tenant: 'a', calls: 3, ...texts({ direct, indirect, full: direct + indirect }) },
        ...{ directPerCall: '0.000000000000', fullPerCall: '0.000000000000', state: 'provisional', model: 'm v1' },
        coverage: { weight: 1, driver: null },
      }),
    ),
  };
}

test('what is rated, and the states, add up to their rows', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyAmount, anyAmount), { minLength: 1, maxLength: 6 }), anyRate, (amounts, rate) => {
      const rated = ([direct, indirect]: readonly [bigint, bigint]) => ({
        ...{ direct: formatMoney(direct), indirect: formatMoney(indirect), full: formatMoney(direct + indirect) },
      });
      const plain = reportOf(amounts, 0n, 0n);
      const [first = 0n, ...others] = amounts.map(([direct, indirect]) => direct + indirect);
      const all = formatMoney(first + sum(others));
      const report = {
        ...plain,
        rows: plain.rows.map((row, place) => ({ ...row, rated: rated(amounts[place]!) })),
        rated: { ...rated(amounts[0]!), card: '2024-08' },
        states: {
          rated: { calls: 1, full: all },
          provisional: { calls: 1, full: formatMoney(first) },
          final: { calls: 2, full: formatMoney(sum(others)) },
        },
      };
      const converted = convertCostReport(report, conversion(rate));
      for (const each of [converted.rated, ...converted.rows.map((row) => row.rated)])
        expect(atto(each.direct) + atto(each.indirect)).toBe(atto(each.full));
      const { states, rows } = converted;
      expect(atto(states.rated.full)).toBe(sum(rows.map((row) => atto(row.rated.full))));
      expect(atto(states.provisional.full) + atto(states.final.full)).toBe(
        sum(rows.map((row) => atto((row as Record<string, unknown>).full as string))),
      );
      expect(converted.rated.card).toBe('2024-08');
    }),
  );
});

test('a converted report still adds up in every way, at any rate', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyAmount, anyAmount), { maxLength: 12 }),
      anyAmount,
      anyAmount,
      anyRate,
      (rows, idle, fixed, rate) => {
        const { identity, currency, ...converted } = convertCostReport(reportOf(rows, idle, fixed), conversion(rate));
        const { bill, charges, tenants, unattributed, out_of_scope, residual, ...rest } = identity as Record<
          string,
          string
        >;
        expect(currency).toBe('EUR');
        expect(atto(tenants!) + atto(rest.idle!) + atto(unattributed!) + atto(out_of_scope!) + atto(residual!)).toBe(
          atto(bill!),
        );
        expect(atto(charges!) + atto(rest.fixed!)).toBe(atto(bill!));
        expect(residual).toBe(formatMoney(0n));
        if (rows.length > 0) expect(sum(converted.rows.map(({ full }) => atto(full as string)))).toBe(atto(tenants!));
        for (const row of converted.rows)
          expect(atto(row.direct as string) + atto(row.indirect as string)).toBe(atto(row.full as string));
      },
    ),
  );
});

test('what is no money stays, and an amount nobody has heard of is converted too', () => {
  const report = { ...reportOf([[10n ** 18n, 0n]], 0n, 0n), late: '3.000000000000000000' };
  const { rows, late } = convertCostReport(report, conversion(5n * 10n ** 17n));
  expect(late).toBe('1.500000000000000000');
  expect(rows[0]).toMatchObject({
    direct: '0.500000000000000000',
    directPerCall: '0.166666666667',
    state: 'provisional',
    calls: 3,
    coverage: { weight: 1, driver: null },
  });
});

test('a line of a reconciliation still adds up', () => {
  fc.assert(
    fc.property(anyAmount, anyAmount, anyAmount, anyRate, (billed, charges, posted, rate) => {
      const amounts = { billed, amortisation: charges - billed, charges, posted, residual: charges - posted };
      const texts = Object.fromEntries(Object.entries(amounts).map(([name, each]) => [name, formatMoney(each)]));
      const line = convertReconcileLine({ source: 'AWS', currency: 'USD', ...texts }, conversion(rate)) as Record<
        string,
        string
      >;
      expect(atto(line.billed!) + atto(line.amortisation!)).toBe(atto(line.charges!));
      expect(atto(line.charges!) - atto(line.posted!)).toBe(atto(line.residual!));
      expect(line).toMatchObject({ currency: 'EUR', source: 'AWS' });
    }),
  );
});
