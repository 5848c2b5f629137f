import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Driver } from '../model/index.ts';
import { RowWriter, Texts } from '../store/index.ts';
import { allocateSlice, integralKey } from './allocate-slice.ts';
import type { Pool } from './pool.ts';
import { ruleAlone } from './rule.ts';
import { accountNumbers } from './slice-shares.ts';
import { readTotals, type WorkTotals } from './work-totals.ts';

const drivers: readonly Driver[] = ['calls', 'busy_us'];
interface WorkRow {
  readonly names: readonly [tenant: string, endpoint: string, service: string];
  readonly totals: readonly [calls: bigint, busyUs: bigint];
}
const row = (tenant: string, endpoint: string, service: string, calls: bigint, busyUs = 0n): WorkRow => ({
  names: [tenant, endpoint, service],
  totals: [calls, busyUs],
});
function work(...rows: WorkRow[]): WorkTotals {
  const writer = new RowWriter();
  for (const { names, totals } of rows) {
    for (const name of names) writer.text(name);
    for (const total of totals) writer.i128(total);
  }
  return readTotals(Buffer.from(writer.bytes()), drivers, new Texts());
}
const pool = (otherwise: Partial<Pool> = {}): Pool => ({ id: 'p', kind: 'direct', driver: 'calls', ...otherwise });
const split = { over: 'service', by: 'cpu' } as const;
const accounts = Object.fromEntries(Object.entries(accountNumbers).map(([name, number]) => [number, name]));

const measured = (all: WorkTotals, byService: Record<string, bigint>) => ({
  work: all,
  wider: null,
  integrals: new Map([[integralKey('service', 'cpu'), new Map(Object.entries(byService))]]),
});

/** `account service tenant endpoint amount`, in the order of posting. */
function lines(
  amount: bigint,
  rule: Pool | null,
  totals: WorkTotals,
  integrals: Record<string, bigint> = {},
): string[] {
  const shares = allocateSlice(amount, rule && ruleAlone(rule), measured(totals, integrals));
  return Array.from(shares.accounts, (account, place) => {
    const names = [shares.services, shares.tenants, shares.endpoints].map((ids) => shares.texts.string(ids[place]!));
    return [accounts[account], ...names, shares.amounts.get(place)].join(' ');
  });
}

describe('a pool without a step-down', () => {
  const totals = work(
    row('acme', '/a', 'api', 1n),
    row('acme', '/a', 'db', 1n),
    row('zeta', '/a', 'api', 1n, 9n),
    row('', '', 'api', 1n),
  );

  test('adds up services and puts unattributed work last', () => {
    expect(lines(10n, pool(), totals)).toEqual(['tenant  acme /a 5', 'tenant  zeta /a 3', 'unattributed    2']);
  });

  test('looks only at the services in scope', () => {
    expect(lines(10n, pool({ services: ['db'] }), totals)).toEqual(['tenant  acme /a 10']);
  });

  test('leaves out who has none of the driver', () => {
    expect(lines(10n, pool({ driver: 'busy_us' }), totals)).toEqual(['tenant  zeta /a 10']);
  });

  test('gives everything to idle when nobody has any', () => {
    expect(lines(-4n, pool({ services: ['gone'] }), totals)).toEqual(['idle    -4']);
    expect(lines(-4n, pool(), work())).toEqual(['idle    -4']);
  });

  test('gives what no pool takes to out_of_scope', () => {
    expect(lines(7n, null, totals)).toEqual(['out_of_scope    7']);
  });
});

describe('a step-down pool', () => {
  const totals = work(row('acme', '/a', 'api', 1n), row('acme', '/a', 'db', 2n), row('zeta', '/a', 'db', 2n));

  test('splits over services by the metric, then each part by the work of its service', () => {
    expect(lines(10n, pool({ split }), totals, { api: 3n, db: 2n })).toEqual([
      'tenant api acme /a 6',
      'tenant db acme /a 2',
      'tenant db zeta /a 2',
    ]);
  });

  test('breaks ties by service in byte order, whatever the order of the integrals', () => {
    const shares = { é: 1n, b: 1n, B: 1n };
    expect(lines(2n, pool({ split }), work(), shares)).toEqual(['idle B   1', 'idle b   1', 'idle é   0']);
  });

  test('gives the part of a service without work to idle, labelled with the service', () => {
    expect(lines(10n, pool({ split }), totals, { api: 1n, silent: 1n })).toEqual([
      'tenant api acme /a 5',
      'idle silent   5',
    ]);
  });

  test('passes over services with no integral or out of scope; without any all is idle', () => {
    expect(lines(10n, pool({ split, services: ['api'] }), totals, { api: 1n, db: 9n })).toEqual([
      'tenant api acme /a 10',
    ]);
    expect(lines(10n, pool({ split }), totals, { api: 0n, db: -1n })).toEqual(['idle    10']);
    expect(lines(10n, pool({ split }), totals)).toEqual(['idle    10']);
  });
});

test('shares add up to the amount, and none has the other sign', () => {
  const name = fc.constantFrom('a', 'b', 'é');
  const weight = fc.bigInt({ min: 0n, max: 1000n });
  const totals = fc
    .array(fc.tuple(name, name, name, weight, weight), { maxLength: 12 })
    .map((rows) =>
      work(...rows.map(([tenant, endpoint, service, calls, busy]) => row(tenant, endpoint, service, calls, busy))),
    );
  const rule = fc.record({
    driver: fc.constantFrom(...drivers),
    split: fc.constantFrom(undefined, split),
    services: fc.option(fc.array(name, { minLength: 1 }), { nil: undefined }),
  });
  const integrals = fc.dictionary(name, fc.bigInt({ min: -3n, max: 1000n }));
  const sum = fc.bigInt({ min: -(2n ** 126n), max: 2n ** 126n });
  fc.assert(
    fc.property(sum, rule, totals, integrals, (amount, otherwise, all, byService) => {
      const shares = allocateSlice(amount, ruleAlone(pool(otherwise)), measured(all, byService));
      expect(shares.amounts.sum()).toBe(amount);
      expect(Array.from(shares.accounts, (_, place) => shares.amounts.get(place) * amount >= 0n)).not.toContain(false);
    }),
  );
});
