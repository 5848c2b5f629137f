import { FIXED_SOURCE, type LedgerAccount, storedAmount } from '../cost/index.ts';
import { type BillingMonth, formatInstant, formatMoney, grouped, MILLIS_PER_MINUTE } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { billOfRow } from './bill-key.ts';
import { sumOf } from './identity.ts';
import { closedPeriods } from './queries.ts';
import { OF_MONTH, ofMonthParams } from './sum-queries.ts';

/** One line of what is owed, or of what nobody owes. */
export interface ChargebackLine {
  /** `tenant` owes it; the others are shown back. */
  readonly ledger: LedgerAccount;
  readonly tenant: string;
  readonly source: string;
  readonly account: string;
  readonly currency: string;
  readonly pool: string;
  readonly kind: 'direct' | 'indirect';
  /** Empty where endpoints were not asked for. */
  readonly endpoint: string;
  readonly amount: string;
  /** Of it: about a time before the month, or what restates a closed one. */
  readonly corrections: string;
  readonly state: 'provisional' | 'final';
}

export interface Chargeback {
  readonly period: string;
  readonly view: 'chargeback' | 'showback';
  readonly lines: readonly ChargebackLine[];
  /** Never added up over currencies. */
  readonly totals: readonly { readonly currency: string; readonly amount: string }[];
}

interface SumRow {
  ledger: LedgerAccount;
  tenant: string;
  source: string;
  account: string;
  currency: string;
  billing_start: number;
  pool: string;
  kind: 'direct' | 'indirect';
  endpoint: string;
  amount: string;
  corrections: string;
}

export interface ChargebackQuestion {
  /** `chargeback`: what tenants owe. `showback`: the whole bill, with what nobody owes. */
  readonly view: 'chargeback' | 'showback';
  readonly tenant?: string | undefined;
  readonly byEndpoint: boolean;
}

/**
 * Gives what is in the books of a month, by who owes it.
 *
 * Holds  the lines of a showback add up to what was posted for the bills of the month, to the last digit.
 */
export async function chargeback(store: Store, month: BillingMonth, question: ChargebackQuestion): Promise<Chargeback> {
  const { view, tenant, byEndpoint } = question;
  const accounts = view === 'chargeback' ? "= 'tenant'" : "!= 'bill'";
  const endpoint = byEndpoint ? 'endpoint' : "''";
  const rows = await store.columns.query<SumRow>(
    `SELECT toString(k_ledger) AS ledger, k_tenant AS tenant, source, account, currency, toUnixTimestamp(k_start) AS billing_start, pool, kind, k_endpoint AS endpoint,
      k_amount AS amount, k_corrections AS corrections FROM (
      SELECT ledger AS k_ledger, tenant AS k_tenant, source, account, currency, billing_start AS k_start, pool, kind, ${endpoint} AS k_endpoint,
        sum(postings.amount) AS k_amount, sumIf(postings.amount, charge_start < billing_start OR toUnixTimestamp(restates) != 0) AS k_corrections
      FROM postings WHERE ledger ${accounts} ${tenant === undefined ? '' : 'AND tenant = {tenant:String}'} AND ${OF_MONTH}
      GROUP BY k_ledger, k_tenant, source, account, currency, k_start, pool, kind, k_endpoint HAVING k_amount != 0 OR k_corrections != 0
    ) ORDER BY k_ledger, k_tenant, currency, source, account, billing_start, pool, kind, k_endpoint`,
    { ...ofMonthParams(month), ...(tenant === undefined ? {} : { tenant }) },
  );
  const closed = new Set((await closedPeriods(store.documents)).map(billOfRow));
  const lines = rows.map(({ billing_start, amount, corrections, ...row }): ChargebackLine => {
    const isClosed = closed.has(billOfRow({ ...row, billing_start: billing_start * 1000 }));
    return {
      ...row,
      amount: formatMoney(storedAmount(amount)),
      corrections: formatMoney(storedAmount(corrections)),
      state: isClosed ? 'final' : 'provisional',
    };
  });
  return { period: month.month, view, lines, totals: totalsOf(lines) };
}

function totalsOf(lines: readonly Pick<ChargebackLine, 'currency' | 'amount'>[]) {
  const byCurrency = [...grouped(lines, ({ currency }) => currency)].sort(([a], [b]) => (a < b ? -1 : 1));
  return byCurrency.map(([currency, own]) => ({
    currency,
    amount: formatMoney(sumOf(own.map(({ amount }) => storedAmount(amount)))),
  }));
}

/** What one tenant owes for a month, with what it did for it. */
export interface Statement extends Omit<Chargeback, 'view'> {
  readonly tenant: string;
  readonly from: string;
  readonly to: string;
  readonly madeAt: string;
  readonly state: 'provisional' | 'final';
  readonly calls: readonly { readonly endpoint: string; readonly calls: number }[];
  /** The hashes that the month's books were sealed with, by which an export of them can be checked. */
  readonly seals: readonly string[];
}

/**
 * Makes the statement of a tenant.
 *
 * Gives  its lines by source, account, pool and endpoint, corrections of earlier months among them; the calls of the month.
 * Holds  the lines of all tenants' statements add up to the chargeback.
 */
export async function statementOf(store: Store, month: BillingMonth, tenant: string, now: Date): Promise<Statement> {
  const { lines, totals } = await chargeback(store, month, { view: 'chargeback', tenant, byEndpoint: true });
  const calls = await store.columns.query<{ endpoint: string; n: string }>(
    `SELECT endpoint, sum(calls) AS n FROM usage_minute
     WHERE marker = 0 AND tenant = {tenant:String} AND minute >= toDateTime({from:UInt32}, 'UTC') AND minute < toDateTime({to:UInt32}, 'UTC')
     GROUP BY endpoint HAVING n != 0 ORDER BY endpoint`,
    { tenant, from: month.fromMs / 1000, to: Math.ceil(month.toMs / MILLIS_PER_MINUTE) * 60 },
  );
  const closed = (await closedPeriods(store.documents)).filter(
    ({ source, billing_start, billing_end, seal }) =>
      seal !== '' && isWithin(source === FIXED_SOURCE ? Number(billing_end) - 1 : Number(billing_start), month),
  );
  return {
    tenant,
    period: month.month,
    from: formatInstant(month.fromMs),
    to: formatInstant(month.toMs),
    madeAt: now.toISOString(),
    state: lines.length > 0 && lines.every(({ state }) => state === 'final') ? 'final' : 'provisional',
    lines,
    totals,
    calls: calls.map(({ endpoint, n }) => ({ endpoint, calls: Number(n) / 1e6 })),
    seals: [...new Set(closed.map(({ seal }) => seal))],
  };
}

function isWithin(instantMs: number, { fromMs, toMs }: BillingMonth): boolean {
  return instantMs >= fromMs && instantMs < toMs;
}
