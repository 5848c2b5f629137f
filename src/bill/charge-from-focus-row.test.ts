import { expect, test } from 'vitest';
import { type ExampleRow, exampleRow } from '../../test/support/example-bill.ts';
import { formatInstant, formatMoney } from '../model/index.ts';
import { tagsOf } from './cell.ts';
import type { Charge } from './charge.ts';
import { chargeFromFocusRow, focusReading } from './charge-from-focus-row.ts';
import { ColumnKeys } from './column-cells.ts';
import type { DirtCounts } from './dirt.ts';
import { headerProblems, isFocusHeader, readFocusHeader } from './focus-header.ts';
import { textColumn } from './table.ts';

function read(row: ExampleRow): { charge: Charge | null; problems: readonly string[]; dirt: DirtCounts } {
  const dirt: DirtCounts = {};
  const header = readFocusHeader(Object.keys(row).map(textColumn), new ColumnKeys(), dirt);
  const result = chargeFromFocusRow(Object.values(row), focusReading(header, dirt));
  return 'source' in result ? { charge: result, problems: [], dirt } : { charge: null, problems: result, dirt };
}

function chargeOf(row: ExampleRow): Charge {
  const { charge, problems } = read(row);
  if (!charge) throw new Error(problems.join('; '));
  return charge;
}

function columnsOf(charge: Charge): Record<string, string> {
  return Object.fromEntries(charge.cells.map(({ column, text }) => [column, text]));
}

const refused: readonly (readonly [what: string, otherwise: ExampleRow, problem: RegExp])[] = [
  ['no BilledCost', { BilledCost: '' }, /^BilledCost is empty$/],
  ['a null BilledCost', { BilledCost: 'NULL' }, /^BilledCost is empty$/],
  ['a null EffectiveCost', { EffectiveCost: '(null)' }, /^EffectiveCost is empty$/],
  ['no account', { BillingAccountId: ' ' }, /^BillingAccountId is empty$/],
  ['no category', { ChargeCategory: '' }, /^ChargeCategory is empty$/],
  ['words for money', { BilledCost: 'free' }, /^BilledCost "free" is not an amount/],
  ['thousands separators', { BilledCost: '1,234.56' }, /^BilledCost "1,234.56" is not an amount/],
  ['a currency sign', { BilledCost: '$1' }, /^BilledCost "\$1" is not an amount/],
  ['NaN', { EffectiveCost: 'NaN' }, /^EffectiveCost "NaN" is not an amount/],
  ['infinity', { EffectiveCost: 'Infinity' }, /^EffectiveCost "Infinity" is not an amount/],
  ['too much money', { BilledCost: '1e16' }, /^BilledCost "1e16" is too large/],
  ['far too much money', { ListCost: '1e999' }, /^ListCost "1e999" is too large/],
  ['a currency that does not exist', { BillingCurrency: 'XYZ' }, /^BillingCurrency "XYZ" is no ISO 4217 code$/],
  ['a currency in small letters', { BillingCurrency: 'usd' }, /^BillingCurrency "usd" is no ISO 4217 code$/],
  ['no currency', { BillingCurrency: 'null' }, /^BillingCurrency is empty$/],
  ['words for a time', { ChargePeriodStart: 'yesterday' }, /^ChargePeriodStart "yesterday" is not a time/],
  ['a day that does not exist', { ChargePeriodEnd: '2024-09-31' }, /^ChargePeriodEnd "2024-09-31" is not a time/],
  ['a time before 1970', { ChargePeriodStart: '1969-12-31' }, /^ChargePeriodStart "1969-12-31" is not a time/],
  [
    'a charge that ends before it begins',
    { ChargePeriodEnd: '2024-09-18T21:00:00Z' },
    /^ChargePeriodEnd .* is not after/,
  ],
  [
    'a billing period that ends before it begins',
    { BillingPeriodEnd: '2024-08-01' },
    /^BillingPeriodEnd .* is not after/,
  ],
  ['an empty billing period', { BillingPeriodEnd: '2024-09-01' }, /^BillingPeriodEnd .* is not after/],
];

test.each(refused)('refused: %s', (_what, otherwise, problem) => {
  const { charge, problems } = read(exampleRow(otherwise));
  expect(charge).toBeNull();
  expect(problems).toEqual([expect.stringMatching(problem)]);
});

test('every problem of a row is told, not only the first', () => {
  const { problems } = read(
    exampleRow({ BilledCost: 'x', BillingCurrency: 'XX', ChargePeriodStart: '', EffectiveCost: '' }),
  );
  expect(problems).toHaveLength(4);
});

const taken: readonly (readonly [what: string, otherwise: ExampleRow, dirt: DirtCounts])[] = [
  ['a clean row', {}, {}],
  ['null words', { ServiceName: 'NULL', ServiceCategory: '(null)', RegionId: '\\N' }, { nullWord: 3 }],
  ['a closed list in another case', { ChargeFrequency: 'Usage-based', ChargeCategory: 'USAGE' }, { valueCase: 2 }],
  ['a category that FOCUS does not know', { ChargeCategory: 'Gift' }, { unknownCategory: 1 }],
  [
    'times without a zone',
    { ChargePeriodStart: '2024-09-18 22:00:00', ChargePeriodEnd: '2024-09-18 23:00:00' },
    { noZone: 2 },
  ],
  ['times finer than a second', { ChargePeriodEnd: '2024-09-18T22:59:59.999Z' }, { subSecond: 1 }],
  ['a charge without length', { ChargePeriodEnd: '2024-09-18T22:00:00Z' }, { emptyChargePeriod: 1 }],
  ['a column nobody knows', { Id: '11472' }, { strayColumn: 1 }],
  ['a column of the provider', { x_Discount: '0' }, {}],
  ['tags that are no JSON', { Tags: 'env=prod' }, { tagsUnreadable: 1 }],
  ['negative usage', { BilledCost: '-1' }, { negativeUsage: 1 }],
  ['a negative credit', { BilledCost: '-1', EffectiveCost: '-1', ChargeCategory: 'Credit' }, {}],
  ['an exponent', { BilledCost: '4e-10' }, { exponent: 1 }],
  ['finer than 10^-18', { BilledCost: '0.0000000000000000005' }, { rounded: 1 }],
  ['no list cost', { ListCost: '' }, { listCostMissing: 1 }],
  ['a null contracted cost', { ContractedCost: 'NULL' }, { contractedCostMissing: 1, nullWord: 1 }],
  ['nobody who provides', { ProviderName: '' }, { providerMissing: 1 }],
];

test.each(taken)('taken: %s', (_what, otherwise, dirt) => {
  const read_ = read(exampleRow(otherwise));
  expect(read_.problems).toEqual([]);
  expect(read_.dirt).toEqual(dirt);
});

const amounts: readonly (readonly [text: string, amount: string])[] = [
  ['4e-10', '0.000000000400000000'],
  ['0.00000080000', '0.000000800000000000'],
  ['-0.333333333333333333', '-0.333333333333333333'],
  ['0.0300000000000000005', '0.030000000000000000'],
  ['0.0300000000000000015', '0.030000000000000002'],
  [' 12 ', '12.000000000000000000'],
];

test.each(amounts)('the amount %s is %s', (text, amount) => {
  expect(formatMoney(chargeOf(exampleRow({ BilledCost: text })).billedAtto)).toBe(amount);
});

const sources: readonly (readonly [what: string, otherwise: ExampleRow, source: string])[] = [
  ['ProviderName first', { ServiceProviderName: 'B', InvoiceIssuerName: 'C' }, 'AWS'],
  ['then ServiceProviderName', { ProviderName: 'NULL', ServiceProviderName: 'B', InvoiceIssuerName: 'C' }, 'B'],
  ['then who sends the invoice', { ProviderName: '', InvoiceIssuerName: 'C' }, 'C'],
  ['else unknown', { ProviderName: '' }, '(unknown)'],
];

test.each(sources)('the source: %s', (_what, otherwise, source) => {
  expect(chargeOf(exampleRow(otherwise)).source).toBe(source);
});

test('a time without a zone is UTC, one with an offset is moved to UTC', () => {
  const charge = chargeOf(
    exampleRow({ ChargePeriodStart: '2024-09-18 22:00:00', ChargePeriodEnd: '2024-09-19T01:00:00+02:00' }),
  );
  expect([charge.chargeStartMs, charge.chargeEndMs].map(formatInstant)).toEqual([
    '2024-09-18T22:00:00Z',
    '2024-09-18T23:00:00Z',
  ]);
});

test('columns keep their text, nulls are left out, tags stand apart', () => {
  const charge = chargeOf(exampleRow({ BilledCost: '4e-10', RegionId: 'NULL', Tags: '{" org":"trey"}', Id: '7' }));
  const columns = columnsOf(charge);
  expect(columns).toMatchObject({ BilledCost: '4e-10', Id: '7', ServiceName: 'vm' });
  expect(Object.keys(columns)).not.toContain('RegionId');
  expect(Object.keys(columns)).not.toContain('Tags');
  expect(charge.tags).toEqual(tagsOf([['org', 'trey']]));
});

test('tags that cannot be read stay visible as a column', () => {
  const charge = chargeOf(exampleRow({ Tags: 'env=prod' }));
  expect(columnsOf(charge).Tags).toBe('env=prod');
});

test('column names are found in any case, with spaces and underscores', () => {
  const { BilledCost, ServiceName, BillingCurrency, ...others } = exampleRow();
  const row = {
    ...others,
    ' billedcost ': BilledCost!,
    service_name: ServiceName!,
    'Billing Currency': BillingCurrency!,
  };
  const { charge, dirt } = read(row);
  const { cells, ...amounts } = charge!;
  expect(amounts).toEqual(expect.objectContaining({ billedAtto: chargeOf(exampleRow()).billedAtto }));
  expect(columnsOf(charge!)).toEqual(columnsOf(chargeOf(exampleRow())));
  expect(cells.map(({ column }) => column)).toEqual(chargeOf(exampleRow()).cells.map(({ column }) => column));
  expect(dirt).toEqual({ headerName: 3 });
});

test('a row with other than its header has columns is refused; empty cells at the end do no harm', () => {
  const row = exampleRow();
  const header = readFocusHeader(Object.keys(row).map(textColumn), new ColumnKeys(), {});
  const cells = Object.values(row);
  const result = (given: readonly string[]) => chargeFromFocusRow(given, focusReading(header, {}));
  expect(result(cells.slice(1))).toEqual(['the row has 13 values where the header has 14']);
  expect(result([...cells, 'slipped'])).toEqual(['the row has 15 values where the header has 14']);
  expect(result([...cells, ''])).toMatchObject({ source: 'AWS' });
});

test('a header names each mandatory column that is missing or there twice', () => {
  const file = { name: 'a.csv', path: '' };
  const cells = [
    'BilledCost',
    'billed_cost',
    ...Object.keys(exampleRow()).filter((name) => !/Cost|Category/.test(name)),
  ];
  expect(headerProblems({ line: 1, columns: cells.map(textColumn) }, file).map((problem) => problem.message)).toEqual([
    'the column BilledCost appears 2 times',
    'the column EffectiveCost is missing',
    'the column ChargeCategory is missing',
  ]);
});

test('a table of something else is not taken for a bill', () => {
  expect(isFocusHeader(['time', 'user', 'BilledCost'])).toBe(false);
  expect(isFocusHeader(Object.keys(exampleRow()))).toBe(true);
});
