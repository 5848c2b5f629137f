import { beforeAll, describe, expect, test } from 'vitest';
import { type CostStates, calibration, closePeriod, costReport, costStates } from '../../src/ledger/index.ts';
import { parseMonth, parseRange } from '../../src/model/index.ts';
import { applyVersions } from '../../src/store/index.ts';
import { openedHouse } from './opened-house.ts';
import { billOf, callRequest, modelOf } from './small-input.ts';

/** Rated within a minute, provisional with an open bill, final with a closed one: what each answer says. */

const { house } = await openedHouse('rated');

const HOUR = 3_600_000;
const julyBill = {
  ...{ BillingPeriodStart: '2022-07-01T00:00:00Z', BillingPeriodEnd: '2022-08-01T00:00:00Z', EffectiveCost: '8' },
  ...{ ChargePeriodStart: '2022-07-31T23:00:00Z', ChargePeriodEnd: '2022-08-01T00:00:00Z' },
};

beforeAll(async () => {
  // July: four calls, 8.00. August: a billed first hour with three calls, then two calls that no bill knows.
  const calls = [-1, -2, -3, -4, 1, 2, 3].map((id) => ({
    id: id + 10,
    tenant: 'acme',
    atMs: id < 0 ? -600_000 : 600_000,
  }));
  const late = [
    { id: 21, tenant: 'acme', atMs: 2 * HOUR },
    { id: 22, tenant: 'zeta', atMs: 2 * HOUR + 60_000 },
  ];
  await house.ingestTraces([...calls, ...late].map(callRequest));
  await house.importBills([billOf([julyBill]), billOf([{ EffectiveCost: '3' }])]);
  await house.apply(modelOf(undefined, { effectiveFrom: '2022-01-01' }));
  await house.allocate({ from: '2022-07-01', to: '2022-09-01' });
});

async function states(
  now = '2022-08-01T03:00:00Z',
  range = parseRange('2022-08-01', '2022-08-02'),
): Promise<CostStates> {
  const by = ['tenant'] as const;
  return costStates(house.store, await costReport(house.store, range, by), range, by, new Date(now));
}

const short = (amount: string | undefined) => amount?.replace(/\.?0+$/, '');
const shown = ({ rows }: CostStates) =>
  rows.map(({ tenant, full, state, rated }) => [tenant, short(full), state, short(rated?.full) ?? null]);

describe('before a month was closed', () => {
  test('without a RateCard nothing is rated', async () => {
    const told = await states();
    expect(told.rated).toBeNull();
    expect(shown(told)).toEqual([
      ['acme', '3', 'provisional', null],
      ['zeta', '', 'provisional', null].map((cell) => (cell === '' ? '0' : cell)),
    ]);
  });
});

describe('when July is closed', () => {
  beforeAll(async () => {
    await closePeriod(house.store, parseMonth('2022-07'), 'test', new Date());
  });

  test('its unit costs rate what August has no bill for, beside what is posted', async () => {
    const told = await states();
    expect(shown(told)).toEqual([
      ['acme', '3', 'rated', '2'],
      ['zeta', '0', 'rated', '2'],
    ]);
    expect(told.rated).toMatchObject({
      card: '2022-07',
      origin: 'derived',
      from: '2022-08-01T01:00:00Z',
      to: '2022-08-01T03:00:00Z',
    });
    expect(told.states).toMatchObject({ rated: { calls: 2 }, provisional: { calls: 3 }, final: { calls: 0 } });
    expect(Object.values(told.states!).map(({ full }) => short(full))).toEqual(['4', '3', '0']);
  });

  test('work of the future is not rated, and closed months are final', async () => {
    expect((await states('2022-08-01T00:30:00Z')).rated).toBeNull();
    expect(shown(await states('2022-09-01', parseRange('2022-07-31', '2022-08-01')))).toEqual([
      ['acme', '8', 'final', null],
    ]);
  });

  test('a RateCard comes before derived rates', async () => {
    const spec = {
      currency: 'USD',
      rates: [{ pool: 'vm', kind: 'direct', driver: 'calls', price: '1500000', per: '1000000' }],
    };
    const version = { kind: 'RateCard', name: 'card', effectiveFromMs: Date.UTC(2022, 7, 1), spec, reason: '' };
    await applyVersions(house.store.documents, [version], 'test', new Date());
    const told = await states();
    expect(told.rated).toMatchObject({ card: 'card@1', origin: 'document' });
    expect(shown(told)[1]).toEqual(['zeta', '0', 'rated', '1.5']);
  });

  test('closing August says how far rates were off', async () => {
    expect((await calibration(house.store, 'USD')).band).toBeNull();
    await closePeriod(house.store, parseMonth('2022-08'), 'test', new Date());
    // Three calls at 1.50 against 3.00.
    expect(await calibration(house.store, 'USD')).toEqual({
      months: [{ month: '2022-08', card: 'card@1', error: 0.5 }],
      band: { low: 0.5, high: 0.5 },
    });
  });
});
