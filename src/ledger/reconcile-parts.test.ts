import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { openedHouse } from '../../test/flow/opened-house.ts';
import { AUGUST, billOf, callRequest, hour, modelOf } from '../../test/flow/small-input.ts';
import { formatMoney, parseMoney, parseMonth } from '../model/index.ts';
import { reconcileFully } from './reconcile-parts.ts';

const { house } = await openedHouse('reconcile-parts');

const august = parseMonth('2022-08');
const now = new Date('2022-08-05T00:00:00Z');
const charge = (number: number, ServiceName: string, cost: string, otherwise = {}) => ({
  ...{ ...hour(number), ServiceName, BilledCost: cost, EffectiveCost: cost, ...otherwise },
});

await house.apply(modelOf());
await house.ingestTraces([callRequest({ id: 1 })]);
await house.importBills([
  billOf([charge(0, 'vm', '3'), charge(30, 'vm', '4'), charge(31, "Bob's S3", '5'), charge(100, 'Queue', '-1')]),
]);
await house.allocate({ from: '2022-08-01', to: '2022-08-02' });

describe('the charges in parts', () => {
  test.each([[['service']], [['day']], [['account', 'invoice']], [['service', 'day']]] as const)(
    'by %s: matched + unmatched = charges',
    async (by) => {
      const { parts, lines } = await reconcileFully(house.store, august, by, now);
      for (const { matched, unmatched, charges } of parts) expect(sum([matched, unmatched])).toBe(charges);
      expect(sum(parts.map(({ charges }) => charges))).toBe(lines[0]!.charges);
      expect(sum(parts.map(({ unmatched }) => unmatched))).toBe('8.000000000000000000');
    },
  );

  test('say what no pool takes, with a line that takes it', async () => {
    const { outOfScope } = await reconcileFully(house.store, august, [], now);
    expect(outOfScope.map(({ service, charges }) => [service, charges])).toEqual([
      ["Bob's S3", '5.000000000000000000'],
      ['Queue', '-1.000000000000000000'],
    ]);
    const model = parse(modelOf()) as { spec: { pools: unknown[] } };
    for (const { modelLine } of outOfScope) model.spec.pools.push(...(parse(modelLine) as unknown[]));
    await house.apply(stringify(model));
    expect((await reconcileFully(house.store, august, [], now)).outOfScope).toEqual([]);
    await house.allocate(AUGUST);
    const { parts, residual } = await reconcileFully(house.store, august, ['service'], now);
    expect([residual, parts.map(({ unmatched }) => Number(unmatched))]).toEqual(['0.000000000000000000', [0, 0, 0]]);
  });

  test('say which days are missing, and how old the newest charge is', async () => {
    const { lines, exports } = await reconcileFully(house.store, august, [], now);
    expect(lines[0]).toMatchObject({ missingDays: 2 });
    const age = { source: 'AWS', account: 'acct', newestCharge: '2022-08-05T05:00:00Z' };
    expect(exports).toMatchObject([{ ...age, ageHours: 0, isStalled: false }]);
    const later = await reconcileFully(house.store, august, [], new Date('2022-08-09T05:00:00Z'));
    expect(later.exports).toMatchObject([{ ...age, ageHours: 96, isStalled: true }]);
  });

  test('find one bill that came under two names', async () => {
    const rows = (ProviderName: string) =>
      [0, 1].map((at) => ({
        ...charge(at, 'vm', '2.5'),
        ProviderName,
        BillingAccountId: 'twice',
        ResourceId: `i-${at}`,
      }));
    await house.importBills([wide(rows('AWS')), wide(rows('A reseller'))]);
    const { doubles } = await reconcileFully(house.store, august, [], now);
    expect(doubles).toEqual([
      {
        first: 'A reseller twice',
        second: 'AWS twice',
        currency: 'USD',
        rows: 2,
        billed: '5.000000000000000000',
      },
    ]);
  });
});

/** A bill with a column more than the smallest one has. */
function wide(rows: readonly (Record<string, string> & { ResourceId: string })[]): string {
  const [head, ...lines] = billOf(rows.map(({ ResourceId: _, ...row }) => row))
    .trimEnd()
    .split('\n');
  return [`${head},ResourceId`, ...lines.map((line, place) => `${line},${rows[place]!.ResourceId}`), ''].join('\n');
}

function sum(amounts: readonly string[]): string {
  return formatMoney(amounts.reduce((total, amount) => total + parseMoney(amount).amountAtto, 0n));
}
