import fc from 'fast-check';
import { expect, test } from 'vitest';
import { closePeriod, reconcile } from '../../src/ledger/index.ts';
import { parseMonth } from '../../src/model/index.ts';
import { byteOrder, decimal, largestRemainder, scaled } from './auditor/numbers.ts';
import { openedHouse } from './opened-house.ts';
import { billOf, callRequest, modelOf, type SmallCharge } from './small-input.ts';

/** Any order of imports, restatements, corrections, late calls, models and closings, held against a few lines that know only the rule. */

const months = ['2022-08', '2022-09', '2022-10'] as const;
const all = { from: '2022-08-01', to: '2022-11-01' };
const tenants = ['acme', 'beta', 'é'];
const starts = [Date.UTC(2022, 7, 1), Date.UTC(2022, 8, 1), Date.UTC(2022, 9, 1), Date.UTC(2022, 10, 1)];
const HOUR = 3_600_000;

const charge = fc.record({
  /** Months before the bill's own: a correction. */
  back: fc.nat(2),
  hour: fc.nat(1),
  cost: fc.constantFrom('1', '-0.5', '0.000000000000000001', '-0.000000000000000002', '7.77', '0', '123.456789'),
});
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ bill: fc.nat(2), charges: fc.array(charge, { minLength: 1, maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ late: fc.tuple(fc.nat(2), fc.nat(1), fc.nat(2)) }) },
  { weight: 1, arbitrary: fc.record({ model: fc.constantFrom('calls', 'spans') }) },
  { weight: 3, arbitrary: fc.constant({ close: true } as const) },
);

const { house } = await openedHouse('ledger-histories');

/** Calls by hour and tenant, over all histories. */
const calls = new Map<number, Map<string, bigint>>();
let ids = 0;

async function call(atMs: number, tenant: string): Promise<void> {
  const ofHour = calls.get(atMs) ?? new Map<string, bigint>();
  calls.set(atMs, ofHour.set(tenant, (ofHour.get(tenant) ?? 0n) + 1_000_000n));
  ids += 1;
  await house.ingestTraces([callRequest({ id: ids, tenant, atMs: atMs - starts[0]! })]);
}

await house.apply(modelOf());
for (const start of starts.slice(0, 3)) for (const tenant of tenants) await call(start, tenant);
await call(starts[0]!, 'acme');

async function rows(sql: string): Promise<Record<string, string>[]> {
  return house.store.columns.query<Record<string, string>>(sql);
}

/** Everything in the books of closed bills, row by row as one number. */
async function closedBooks(): Promise<Map<string, string>> {
  const closed = await house.store.documents.selectFrom('period').selectAll().execute();
  const books = await rows(
    `SELECT concat(account, ' ', toString(toUnixTimestamp(billing_start))) AS bill, toString(sum(cityHash64(slice, version, entry, ledger, tenant, endpoint, amount, chain))) AS sum
     FROM postings GROUP BY bill`,
  );
  const keys = new Set(closed.map((period) => `${period.account} ${Number(period.billing_start) / 1000}`));
  return new Map(books.flatMap(({ bill, sum }) => (keys.has(bill!) ? [[bill!, sum!]] : [])));
}

let histories = 0;

test('whatever happens: residual 0, closed books as they were, everybody as if the bills had been right', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 7, size: 'max' }), async (steps) => {
      const account = `account-${histories++}`;
      const bills = new Map<number, { hourMs: number; cost: bigint }[]>();
      const frozen = new Map<number, ReadonlyMap<string, bigint>>();
      let closings = 0;
      for (const one of steps) {
        const before = await closedBooks();
        if ('bill' in one) {
          const charges = one.charges.map(({ back, hour, cost }) => ({
            hourMs: starts[Math.max(0, one.bill - back)]! + hour * HOUR,
            cost,
          }));
          bills.set(
            one.bill,
            charges.map(({ hourMs, cost }) => ({ hourMs, cost: scaled(cost, 18) })),
          );
          await house.importBills([
            billOf(charges.map(({ hourMs, cost }) => focusCharge(account, one.bill, hourMs, cost))),
          ]);
        } else if ('late' in one) await call(starts[one.late[0]]! + one.late[1] * HOUR, tenants[one.late[2]]!);
        else if ('model' in one)
          await house.apply(modelOf([{ id: 'vm', match: { ServiceName: 'vm' }, driver: one.model }]));
        else if (bills.has(closings)) {
          await closePeriod(house.store, parseMonth(months[closings]!), 'test', new Date());
          closings += 1;
          const posted = await rows(
            `SELECT toUnixTimestamp(charge_start) AS hour FROM postings WHERE account = '${account}' AND ledger = 'bill'
             AND billing_start < toDateTime(${starts[closings]! / 1000}, 'UTC') GROUP BY slice, version, hour HAVING sum(toInt8(entry)) > 0`,
          );
          for (const { hour } of posted) {
            const atMs = Number(hour) * 1000;
            if (!frozen.has(atMs)) frozen.set(atMs, new Map(calls.get(atMs) ?? []));
          }
        }
        await house.allocate(all);
        expect([...(await closedBooks())]).toEqual(expect.arrayContaining([...before]));
        expect(await owed(account)).toEqual(expected(bills, frozen, closings));
      }
      expect((await house.report(all)).identity.residual).toBe('0.000000000000000000');
      for (const month of months)
        expect((await reconcile(house.store, parseMonth(month))).residual).toBe('0.000000000000000000');
      expect(await house.allocate(all)).toMatchObject({ posted: 0, reversed: 0 });
    }),
    { numRuns: 4, seed: 18, endOnFailure: true },
  );
  expect(
    await rows('SELECT slice, version, entry FROM postings GROUP BY slice, version, entry HAVING sum(amount) != 0'),
  ).toEqual([]);
});

function focusCharge(account: string, bill: number, hourMs: number, cost: string): SmallCharge {
  const at = (ms: number) => new Date(ms).toISOString();
  return {
    ...{ BillingAccountId: account, BilledCost: cost, EffectiveCost: cost },
    ...{ BillingPeriodStart: at(starts[bill]!), BillingPeriodEnd: at(starts[bill + 1]!) },
    ...{ ChargePeriodStart: at(hourMs), ChargePeriodEnd: at(hourMs + HOUR) },
  };
}

/** What everybody has in the books of an account by hour, over all months. */
async function owed(account: string): Promise<string[]> {
  const sums = await rows(
    `SELECT toUnixTimestamp(charge_start) AS hour, concat(toString(ledger), ' ', tenant) AS who, sum(postings.amount) AS amount FROM postings
     WHERE account = '${account}' AND ledger != 'bill' GROUP BY hour, who HAVING amount != 0 ORDER BY hour, who`,
  );
  return sums.map(({ hour, who, amount }) => `${hour} ${who} ${decimal(scaled(amount!, 18), 18)}`).sort();
}

/**
 * The rule: all that bills say of a closed hour is shared out at once, by the weights of its first closing, or of now where nothing of
 * it was closed. Of an open hour every bill is shared out for itself.
 */
function expected(
  bills: ReadonlyMap<number, readonly { hourMs: number; cost: bigint }[]>,
  frozen: ReadonlyMap<number, ReadonlyMap<string, bigint>>,
  closings: number,
): string[] {
  const heaps = new Map<string, { hourMs: number; total: bigint }>();
  for (const [bill, charges] of bills)
    for (const { hourMs, cost } of charges) {
      const isClosed = hourMs < starts[closings]!;
      const key = isClosed ? `${hourMs}` : `${hourMs} ${bill}`;
      heaps.set(key, { hourMs, total: (heaps.get(key)?.total ?? 0n) + cost });
    }
  const owes = new Map<string, bigint>();
  const add = (who: string, amount: bigint) => owes.set(who, (owes.get(who) ?? 0n) + amount);
  for (const { hourMs, total } of heaps.values()) {
    const weights = [...(frozen.get(hourMs) ?? calls.get(hourMs) ?? [])].sort(([a], [b]) => byteOrder(a, b));
    const shares = largestRemainder(
      total,
      weights.map(([, weight]) => weight),
    );
    for (const [place, [tenant]] of weights.entries()) add(`${hourMs / 1000} tenant ${tenant}`, shares[place]!);
    if (weights.length === 0) add(`${hourMs / 1000} idle `, total);
  }
  return [...owes].flatMap(([who, amount]) => (amount === 0n ? [] : [`${who} ${decimal(amount, 18)}`])).sort();
}
