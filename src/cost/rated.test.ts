import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowWriter, Texts } from '../store/index.ts';
import type { Rate } from './rate-card.ts';
import { callPrices, plainCallPrice, ratedRows } from './rated.ts';
import { readTotals } from './work-totals.ts';

type Row = readonly [tenant: string, endpoint: string, service: string, calls: bigint];

function work(rows: readonly Row[]) {
  const writer = new RowWriter();
  for (const [tenant, endpoint, service, calls] of rows) {
    for (const name of [tenant, endpoint, service]) writer.text(name);
    writer.i128(calls);
  }
  return readTotals(Buffer.from(writer.bytes()), ['calls'], new Texts());
}

const rate = (otherwise: Partial<Rate> = {}): Rate => ({
  ...{ pool: 'p', kind: 'direct', driver: 'calls', services: null, amountAtto: 3n, perMicro: 2_000_000n },
  ...otherwise,
});

test('a rate is multiplied by weighed quantities, rounded once for each tenant and endpoint', () => {
  const rows = ratedRows(
    work([
      ['acme', '/a', 'api', 500_000n],
      ['acme', '/a', 'db', 500_000n],
      ['zeta', '/a', 'api', 3_000_000n],
      ['', '', 'api', 2_000_000n],
    ]),
    [rate(), rate({ pool: 'q', services: ['db'], kind: 'indirect' }), rate({ driver: 'spans' })],
  );
  expect(rows.map(({ tenant, pool, kind, amountAtto }) => [tenant, pool, kind, amountAtto])).toEqual([
    ['acme', 'p', 'direct', 2n], // 1.5, half to even
    ['zeta', 'p', 'direct', 4n], // 4.5
    ['', 'p', 'direct', 3n],
    ['acme', 'q', 'indirect', 1n], // 0.75
  ]);
});

test('rates that were derived from amounts give these amounts back, but for half a unit a row', () => {
  const quantity = fc.bigInt({ min: 1n, max: 10n ** 20n });
  fc.assert(
    fc.property(
      fc.array(quantity, { minLength: 1, maxLength: 9 }),
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      (all, amount) => {
        const rows = ratedRows(work(all.map((calls, place) => [`t${place}`, '/', '', calls])), [
          rate({ amountAtto: amount, perMicro: all.reduce((sum, calls) => sum + calls, 0n) }),
        ]);
        const off = 2n * rows.reduce((sum, row) => sum + row.amountAtto, -amount);
        expect(off <= BigInt(all.length) && off >= -BigInt(all.length)).toBe(true);
      },
    ),
  );
});

test("a call costs what the tenant's calls cost on the average, else those of the endpoint; else it is not known", () => {
  const row = (tenant: string, endpoint: string, amountAtto: bigint) =>
    ({ tenant, endpoint, pool: 'p', kind: 'direct', amountAtto }) as const;
  const prices = callPrices(
    [
      row('acme', '/a', 30n),
      row('acme', '/a', 10n),
      row('zeta', '/a', 20n),
      row('', '/a', 1000n),
      row('acme', '/work', 5n),
    ],
    [
      { tenant: 'acme', endpoint: '/a', callsMicro: 4_000_000n },
      { tenant: 'zeta', endpoint: '/a', callsMicro: 1_000_000n },
      { tenant: 'idle', endpoint: '/free', callsMicro: 2_000_000n },
    ],
  );
  expect(prices.ratedCostOf('/a', 'acme')).toBe(10n);
  expect(prices.ratedCostOf('/a', 'zeta')).toBe(20n);
  expect(prices.ratedCostOf('/a', 'new')).toBe(12n);
  expect(prices.ratedCostOf('/free', 'idle')).toBe(0n);
  expect(prices.ratedCostOf('/work', 'acme')).toBeNull();
  expect(prices.ratedCostOf('/b', 'acme')).toBeNull();
});

test('the price of a call is known before the first one only where nothing else is rated', () => {
  const all = rate({ perMicro: 1_000_000n });
  expect(plainCallPrice([all, rate({ pool: 'q', perMicro: 2_000_000n, amountAtto: 8n })])).toBe(7n);
  expect(plainCallPrice([all, rate({ driver: 'spans' })])).toBeNull();
  expect(plainCallPrice([all, rate({ services: ['db'] })])).toBeNull();
  expect(plainCallPrice([])).toBeNull();
});
