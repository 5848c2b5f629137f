import { beforeAll, describe, expect, it } from 'vitest';
import { openedHouse } from '../../test/flow/opened-house.ts';
import { AUGUST, billOf, callRequest, hour, modelOf, type SmallCharge } from '../../test/flow/small-input.ts';
import { parseRange } from '../model/index.ts';
import { costReport } from './cost-report.ts';
import { shareErrors } from './standard-errors.ts';
import type { Dimension } from './sum-queries.ts';

/** Weights of 2: three traces of acme and one of zoo, a^2 = 2 each. Var = 6 - 2 x 0.75 x 6 + 0.5625 x 8 = 1.5, of a total of 8. */
const expected = Math.sqrt(1.5) / 8;
const four = ['acme', 'acme', 'acme', 'zoo'];
const sampled = 'ot=th:8';

/** What happens in each hour: how calls were sampled, and what is charged. */
const hours: readonly { readonly traceState?: string; readonly charges: readonly SmallCharge[] }[] = [
  { traceState: sampled, charges: [{}] },
  { traceState: sampled, charges: [{ EffectiveCost: '-1' }] },
  { traceState: sampled, charges: [{}, { EffectiveCost: '2' }] },
  { traceState: 'ot=th:0', charges: [{}] },
  { charges: [{}] },
  { traceState: sampled, charges: [{ ServiceName: 'of-one-service' }] },
];
const HOUR_MS = 3_600_000;

const { house } = await openedHouse('standard-errors');
beforeAll(async () => {
  await house.apply(
    modelOf([
      { id: 'vm', match: { ServiceName: 'vm' } },
      { id: 'scoped', match: { ServiceName: 'of-one-service' }, services: ['api'] },
    ]),
  );
  const calls = hours.flatMap(({ traceState = '' }, at) =>
    four.map((tenant, place) => callRequest({ id: at * 10 + place + 1, tenant, atMs: at * HOUR_MS, traceState })),
  );
  const elsewhere = callRequest({ id: 99, tenant: 'acme', service: 'other', atMs: 5 * HOUR_MS, traceState: sampled });
  await house.ingestTraces([...calls, elsewhere]);
  await house.importBills([
    billOf(hours.flatMap(({ charges }, at) => charges.map((each) => ({ ...each, ...hour(at) })))),
  ]);
  await house.allocate(AUGUST);
});

describe('the standard error of a cost', () => {
  it.each<readonly [string, readonly [from: number, to: number], readonly Dimension[], number | null]>([
    ['of sampled calls', [0, 1], ['tenant'], expected],
    ['of a credit', [1, 2], ['tenant'], expected],
    ['of two charges of one hour: together', [2, 3], ['tenant'], 3 * expected],
    ['of two hours: as independent amounts', [0, 2], ['tenant'], Math.SQRT2 * expected],
    ['where every call was seen', [3, 4], ['tenant', 'endpoint'], 0],
    ['where nobody said how it sampled', [4, 5], ['tenant'], null],
    ['by endpoint, where all have one', [0, 1], ['endpoint'], 0],
    ['by pool', [0, 1], ['tenant', 'pool'], null],
    ['of a pool of one service among others', [5, 6], ['tenant'], null],
  ])('%s', async (_, [from, to], by, error) => {
    const at = (hourOf: number) => new Date(Date.UTC(2022, 7, 1) + hourOf * HOUR_MS).toISOString();
    const { rows } = await costReport(house.store, parseRange(at(from), at(to)), by);
    expect(rows.length).toBeGreaterThan(0);
    for (const { standardError } of rows) {
      if (error === null) expect(standardError).toBeNull();
      else expect(Number(standardError)).toBeCloseTo(error, 12);
    }
  });
});

it('is what shares of an amount differ by when the same traces are sampled again and again', () => {
  let state = 88_172_645;
  const random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  // Of each trace its tenant, what it adds to the driver, and one in how many of its like is kept.
  const traces = Array.from({ length: 1_500 }, (_, place) => ({
    tenant: ['a', 'b', 'c'][place % 3]!,
    quantity: 1 + (place % 7) * (place % 3),
    oneIn: [1, 4, 10][(place % 5) % 3]!,
  }));
  const shares: number[] = [];
  let meanError = 0;
  for (let round = 0; round < 2_000; round++) {
    const groups = new Map(['a', 'b', 'c'].map((tenant) => [tenant, { total: 0, aa: 0 }]));
    for (const { tenant, quantity, oneIn } of traces) {
      if (random() * oneIn >= 1) continue;
      const group = groups.get(tenant)!;
      group.total += quantity * oneIn;
      group.aa += (quantity * oneIn) ** 2 * (1 - 1 / oneIn);
    }
    const sums = [...groups].map(([tenant, { total, aa }]) => {
      return { period: 0, tenant, endpoint: '', is_nobodys: 0, total: String(total), aa, ab: aa };
    });
    const all = sums.reduce((sum, { total }) => sum + Number(total), 0);
    shares.push((100 * Number(sums[0]!.total)) / all);
    meanError += shareErrors('100', sums).get('["a",""]')! / 2_000;
  }
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const spread = Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length);
  expect(meanError / spread).toBeGreaterThan(0.93);
  expect(meanError / spread).toBeLessThan(1.07);
});
