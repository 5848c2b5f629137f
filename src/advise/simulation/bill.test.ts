import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { parseMoney } from '../../model/index.ts';
import { billOf } from './bill.ts';
import { simulation } from './shape.ts';

type Row = Record<string, string>;

/** The last two days of October and the first two of November. */
const sim = simulation({ seed: 'bill', start: '2026-10-30', days: 4, callsPerHour: 60 });
const rows: Row[] = parse([...billOf(sim)].join(''), { columns: true });
const months = ['2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z'];

const sum = (of: Row[], column: string) => of.reduce((total, row) => total + parseMoney(row[column]!).amountAtto, 0n);
const where = (wanted: Row) =>
  rows.filter((row) => Object.entries(wanted).every(([column, value]) => row[column] === value));

it.each(months)('pays in %s for the commitment exactly what was used and unused', (BillingPeriodStart) => {
  const used = where({ BillingPeriodStart, CommitmentDiscountStatus: 'Used' });
  const unused = where({ BillingPeriodStart, CommitmentDiscountStatus: 'Unused' });
  const bought = rows.filter(
    (row) =>
      row.BillingPeriodStart === BillingPeriodStart && row.ChargeCategory === 'Purchase' && row.CommitmentDiscountId,
  );
  expect([used.length, unused.length, bought.length]).toEqual([48, 48, 1]);
  expect(sum(used, 'EffectiveCost') + sum(unused, 'EffectiveCost')).toBe(sum(bought, 'BilledCost'));
  expect([sum(used, 'BilledCost'), sum(unused, 'BilledCost'), sum(bought, 'EffectiveCost')]).toEqual([0n, 0n, 0n]);
});

it.each(months)(
  'adds up in %s: billed and effective are the same, one invoice, tax on the rest',
  (BillingPeriodStart) => {
    const ofMonth = where({ BillingPeriodStart });
    expect(sum(ofMonth, 'BilledCost')).toBe(sum(ofMonth, 'EffectiveCost'));
    expect(new Set(ofMonth.map((row) => row.InvoiceId))).toEqual(new Set([`INV-${BillingPeriodStart.slice(0, 7)}`]));
    const [tax, ...more] = ofMonth.filter((row) => row.ChargeCategory === 'Tax');
    expect(more).toEqual([]);
    const untaxed = sum(ofMonth, 'BilledCost') - sum([tax!], 'BilledCost');
    const offBy = sum([tax!], 'BilledCost') * 5n - untaxed;
    expect(offBy < 0n ? -offBy : offBy).toBeLessThanOrEqual(parseMoney('0.025').amountAtto);
  },
);

it('has every hour of the range once, within its billing period', () => {
  const hours = where({ ChargeDescription: 'control plane' }).map((row) => Date.parse(row.ChargePeriodStart!));
  expect(hours).toEqual(Array.from({ length: 96 }, (_, i) => sim.fromMs + i * 3_600_000));
  for (const row of rows) {
    expect(row.ChargePeriodStart! >= row.BillingPeriodStart! && row.ChargePeriodEnd! <= row.BillingPeriodEnd!).toBe(
      true,
    );
  }
});

it('charges exactly price times quantity, with all decimals, and reads back without rounding', () => {
  for (const row of where({ ChargeDescription: 'egress' })) {
    const quantity = parseMoney(row.ConsumedQuantity!).amountAtto;
    expect(parseMoney(row.BilledCost!)).toEqual({ amountAtto: (quantity * 9n) / 100n, isRounded: false });
  }
  expect(
    rows.flatMap((row) =>
      ['BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost'].map((c) => parseMoney(row[c]!).isRounded),
    ),
  ).not.toContain(true);
});

it('has what makes bills hard: a credit, support, another project, tags as JSON', () => {
  expect(where({ ChargeCategory: 'Credit' }).map((row) => row.BilledCost)).toEqual([
    '-18.2500000001',
    '-18.2500000001',
  ]);
  expect(where({ ChargeDescription: 'developer support' })).toHaveLength(2);
  expect(where({ Tags: '{"project": "data-lake"}' })).toHaveLength(96);
  for (const { Tags } of rows) if (Tags) expect(typeof JSON.parse(Tags)).toBe('object');
});
