import { activeImports } from '../bill/index.ts';
import { FIXED_SOURCE, modelsInForce, type Slice, slicesOf } from '../cost/index.ts';
import { type BillingMonth, fail, formatInstant, formatMoney, MILLIS_PER_HOUR, parseMoney } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { closedPeriods, sumByBill } from './queries.ts';

export interface ReconcileLine {
  readonly source: string;
  readonly account: string;
  readonly currency: string;
  readonly billingStart: string;
  readonly billingEnd: string;
  readonly state: 'open' | 'closed';
  /** What the invoice asks for. */
  readonly billed: string;
  /** From what was billed to what was used: the effect of commitments. */
  readonly amortisation: string;
  /** What there is to share out, in the model's basis. */
  readonly charges: string;
  readonly posted: string;
  readonly residual: string;
  /** Hours between the first and the last hourly charge that have none. */
  readonly missingHours: number;
  readonly findings: readonly string[];
}

export interface Reconciliation {
  readonly period: string;
  readonly lines: readonly ReconcileLine[];
  /** Zero only when every line's residual is zero. */
  readonly residual: string;
}

/**
 * Holds the ledger against the bills of one billing month, recomputed from the raw charges.
 *
 * Gives  a line per bill (source, account, currency) and one for the fixed amounts.
 * Holds  billed + amortisation = charges; charges - posted = residual.
 */
export async function reconcile(store: Store, month: BillingMonth): Promise<Reconciliation> {
  const imports = (await activeImports(store)).filter(
    (bill) => bill.billing_start >= month.fromMs && bill.billing_start < month.toMs,
  );
  const models = await modelsInForce(store.documents);
  // A correction lies in this billing month and is about any time before it.
  const ever = { fromMs: 0, toMs: 4_294_967_295_000 };
  const charged = await slicesOf(
    store.columns,
    imports,
    models.map((model) => ({ ...model, spec: withoutFixed(model.spec) })),
    ever,
  );
  const fixed = (await slicesOf(store.columns, [], models, month)).filter((slice) => slice.source === FIXED_SOURCE);
  const posted = await sumByBill(store.columns, month);
  const closed = await closedPeriods(store.documents);
  const bills = new Map<string, { head: Slice; slices: Slice[]; billed: bigint; postedAtto: bigint }>();
  for (const slice of [...charged, ...fixed]) {
    const bill = bills.get(billKey(slice)) ?? { head: slice, slices: [], billed: 0n, postedAtto: 0n };
    bill.slices.push(slice);
    if (slice.source === FIXED_SOURCE) bill.billed += slice.amountAtto;
    bills.set(billKey(slice), bill);
  }
  for (const bill of imports) {
    const entry = bills.get(JSON.stringify([bill.source, bill.account, bill.currency, Number(bill.billing_start)]));
    if (entry) entry.billed += parseMoney(bill.billed).amountAtto;
  }
  const orphans: string[] = [];
  for (const row of posted) {
    const key = JSON.stringify([row.source, row.account, row.currency, Number(row.billing_start) * 1000]);
    const entry = bills.get(key);
    if (entry) entry.postedAtto += parseMoney(row.posted).amountAtto;
    else if (parseMoney(row.posted).amountAtto !== 0n) orphans.push(key);
  }
  const lines = [...bills.values()].map((bill) => {
    const isClosed = closed.some(
      (period) =>
        JSON.stringify([period.source, period.account, period.currency, Number(period.billing_start)]) ===
        billKey(bill.head),
    );
    return lineOf(bill, isClosed);
  });
  if (orphans.length > 0) throw fail('PERIOD_UNBALANCED', { postedWithoutBill: orphans.join(' ') });
  const residual = lines.reduce((sum, line) => sum + abs(parseMoney(line.residual).amountAtto), 0n);
  return { period: month.month, lines, residual: formatMoney(residual) };
}

function withoutFixed<Spec extends { pools: { fixed?: unknown }[] }>(spec: Spec): Spec {
  // Places stay as they are: they say which pool takes a charge.
  return { ...spec, pools: spec.pools.map((pool) => ({ ...pool, fixed: undefined })) };
}

function billKey(slice: Slice): string {
  return JSON.stringify([slice.source, slice.account, slice.currency, slice.billingStartMs]);
}

function lineOf(
  bill: { head: Slice; slices: readonly Slice[]; billed: bigint; postedAtto: bigint },
  isClosed: boolean,
): ReconcileLine {
  const { head, slices, billed, postedAtto } = bill;
  const charges = slices.reduce((sum, slice) => sum + slice.amountAtto, 0n);
  const missing = head.source === FIXED_SOURCE ? 0 : missingHours(slices);
  const residual = charges - postedAtto;
  const findings: string[] = [];
  if (residual !== 0n) findings.push('not everything is posted: run taximeter allocate for this period');
  if (missing > 0) findings.push(`${missing} hours between the first and the last hourly charge have no charge`);
  return {
    source: head.source,
    account: head.account,
    currency: head.currency,
    billingStart: formatInstant(head.billingStartMs),
    billingEnd: formatInstant(head.billingEndMs),
    state: isClosed ? 'closed' : 'open',
    billed: formatMoney(billed),
    amortisation: formatMoney(charges - billed),
    charges: formatMoney(charges),
    posted: formatMoney(postedAtto),
    residual: formatMoney(residual),
    missingHours: missing,
    findings,
  };
}

function missingHours(slices: readonly Slice[]): number {
  const inPeriod = slices.filter(
    (slice) =>
      slice.chargeEndMs - slice.chargeStartMs === MILLIS_PER_HOUR &&
      slice.chargeStartMs >= slice.billingStartMs &&
      slice.chargeStartMs < slice.billingEndMs,
  );
  const hours = new Set(inPeriod.map((slice) => slice.chargeStartMs));
  if (hours.size === 0) return 0;
  const first = inPeriod.reduce((least, slice) => Math.min(least, slice.chargeStartMs), Number.MAX_SAFE_INTEGER);
  const last = inPeriod.reduce((most, slice) => Math.max(most, slice.chargeStartMs), 0);
  return (last - first) / MILLIS_PER_HOUR + 1 - hours.size;
}

function abs(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}
