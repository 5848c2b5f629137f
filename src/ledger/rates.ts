import { modelsInForce, type Pool, type Rate, type RateCard, rateCardInForce, storedAmount } from '../cost/index.ts';
import { type BillingMonth, type Driver, drivers, monthOf, parseDecimal } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { callTotals } from './call-queries.ts';
import { closedPeriods } from './queries.ts';
import { type UnitSumRow, unitSums } from './unit-sums.ts';

/** How far rates were from the truth before. */
export interface Calibration {
  /** Each closed month: what its work came to at the rates known when it began, and what was final. */
  readonly months: readonly { readonly month: string; readonly card: string; readonly error: number }[];
  /** The least and the largest of their errors, as shares of the final amount; null while there are none. */
  readonly band: { readonly low: number; readonly high: number } | null;
}

const MOST_MONTHS = 12;

/**
 * Gives the unit prices by which calls are rated before there is a bill.
 *
 * Takes  atMs: when. currency: of the rates.
 * Gives  the RateCard document in force; without one, rates derived from the last month closed before; null without either.
 */
export async function rateCardAt(store: Store, atMs: number, currency: string): Promise<RateCard | null> {
  const document = await rateCardInForce(store.documents, atMs, currency);
  if (document) return document;
  const month = (await closedMonths(store, currency))
    .filter(({ toMs }) => toMs <= atMs || monthOf(atMs).fromMs >= toMs)
    .at(-1);
  return month ? derivedCard(store, month, currency) : null;
}

/** What a unit came to in a closed month: what tenants and unattributed work were charged, over what they were charged by. */
async function derivedCard(store: Store, month: BillingMonth, currency: string): Promise<RateCard> {
  const sums = await unitSums(store.columns, month, currency);
  const models = await modelsInForce(store.documents);
  const pools = models.findLast(({ fromMs }) => fromMs < month.toMs)?.spec.pools ?? [];
  const calls = await callTotals(store.columns, month, [], 'UTC');
  const callsMicro = [...calls.values()].reduce((sum, total) => sum + total.calls, 0n);
  return {
    id: month.month,
    origin: 'derived',
    currency,
    rates: sums.flatMap((row) => rateFrom(row, pools, callsMicro) ?? []),
  };
}

/** Where the weight of a share is the driver's plain total, a unit of it has a price; else a call has. */
function rateFrom(row: UnitSumRow, pools: readonly Pool[], callsMicro: bigint): Rate | null {
  const pool = pools.find(({ id }) => id === row.pool);
  if (pool?.fees) return null;
  const amountAtto = storedAmount(row.amount);
  const weight = whole(row.weight);
  const { service } = row;
  const services = service === '' ? (pool?.services ?? null) : [service];
  const isPlain = (drivers as readonly string[]).includes(row.driver) && !pool?.weights && !pool?.idle && weight > 0n;
  if (isPlain)
    return { pool: row.pool, kind: row.kind, driver: row.driver as Driver, services, amountAtto, perMicro: weight };
  return callsMicro > 0n
    ? { pool: row.pool, kind: row.kind, driver: 'calls', services: null, amountAtto, perMicro: callsMicro }
    : null;
}

/**
 * Holds rates against what was final: each closed month again, by the card that was known when it began.
 *
 * Gives  errors as shares of the final amount; a month whose final amount is zero has none.
 */
export async function calibration(store: Store, currency: string): Promise<Calibration> {
  const closed = (await closedMonths(store, currency)).slice(-MOST_MONTHS - 1);
  const months: { month: string; card: string; error: number }[] = [];
  let before: { month: string; sums: readonly UnitSumRow[] } | null = null;
  for (const month of closed) {
    const sums = await unitSums(store.columns, month, currency);
    const document = await rateCardInForce(store.documents, month.fromMs, currency);
    const rates = document ? documentPrices(document) : before && sumPrices(before.sums);
    const error = rates && errorOf(sums, rates);
    if (error !== null) months.push({ month: month.month, card: document?.id ?? before!.month, error });
    before = { month: month.month, sums };
  }
  const errors = months.map(({ error }) => error);
  return { months, band: errors.length === 0 ? null : { low: Math.min(...errors), high: Math.max(...errors) } };
}

type Prices = (row: UnitSumRow) => { readonly amountAtto: bigint; readonly per: bigint } | null;

function sumPrices(sums: readonly UnitSumRow[]): Prices {
  const known = new Map(
    sums.map((row) => [keyOf(row), { amountAtto: storedAmount(row.amount), per: whole(row.weight) }]),
  );
  return (row) => known.get(keyOf(row)) ?? null;
}

function documentPrices({ rates }: RateCard): Prices {
  return (row) => {
    const rate = rates.find(
      ({ pool, driver, services }) =>
        pool === row.pool &&
        driver === row.driver &&
        (row.service === '' || services === null || services.includes(row.service)),
    );
    return rate ? { amountAtto: rate.amountAtto, per: rate.perMicro } : null;
  };
}

function errorOf(sums: readonly UnitSumRow[], prices: Prices): number | null {
  let [rated, final] = [0n, 0n];
  for (const row of sums) {
    final += storedAmount(row.amount);
    const price = prices(row);
    if (price && price.per > 0n) rated += (price.amountAtto * whole(row.weight)) / price.per;
  }
  // A share of money is for people to look at: twelve digits are enough.
  return final === 0n ? null : Number(((rated - final) * 10n ** 12n) / final) / 1e12;
}

function keyOf({ pool, driver, service }: UnitSumRow): string {
  return JSON.stringify([pool, driver, service]);
}

function whole(text: string): bigint {
  const parsed = parseDecimal(text, 0);
  return parsed === null || parsed === 'too large' ? 0n : parsed.value;
}

/** The months in which bills of a currency were closed, oldest first. */
async function closedMonths(store: Pick<Store, 'documents'>, currency: string): Promise<BillingMonth[]> {
  const closed = (await closedPeriods(store.documents)).filter(
    (period) => period.currency === currency && period.source !== 'fixed',
  );
  const months = new Map(
    closed.map(({ billing_start }) => monthOf(Number(billing_start))).map((month) => [month.month, month]),
  );
  return [...months.values()].sort((a, b) => a.fromMs - b.fromMs);
}
