import { activeImports } from '../bill/index.ts';
import { chargeSlices, FIXED_SOURCE, fixedSlices, modelsInForce, type Slice, storedAmount } from '../cost/index.ts';
import { type BillingMonth, formatInstant, formatMoney } from '../model/index.ts';
import type { Store, StoredImport, StoredPeriod } from '../store/index.ts';
import { billOfRow, billOfSlice } from './bill-key.ts';
import { sumOf } from './identity.ts';
import { missingHours } from './missing-hours.ts';
import { closedPeriods } from './queries.ts';
import { type PostedBillRow, sumByBill } from './sum-queries.ts';

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

/** What is known of one bill: from its charges, from the invoice, from the ledger, and since it was closed. */
interface Bill {
  readonly head: Pick<Slice, 'source' | 'account' | 'currency' | 'billingStartMs' | 'billingEndMs'>;
  readonly slices: Slice[];
  billedAtto: bigint;
  posted?: PostedBillRow;
  closed?: StoredPeriod;
}

// A correction lies in one billing month and is about any time before it.
const EVER = { fromMs: 0, toMs: 4_294_967_295_000 };
const LONGEST_FIXED_MS = 366 * 24 * 3_600_000;

/**
 * Holds the ledger against the bills of one billing month, recomputed from the raw charges.
 *
 * Takes  month: bills are of the month in which their billing period starts, fixed amounts of that in which it ends.
 * Gives  a line per bill (source, account, currency), one for each period of fixed amounts, and one for each bill
 *        that was posted and is no longer there; an open line that does not hold says what to do.
 * Holds  billed + amortisation = charges; charges - posted = residual; a closed line keeps the charges it was closed with.
 */
export async function reconcile(store: Store, month: BillingMonth): Promise<Reconciliation> {
  const isOfMonth = (instantMs: number) => instantMs >= month.fromMs && instantMs < month.toMs;
  const imports = (await activeImports(store)).filter((row) => isOfMonth(Number(row.billing_start)));
  const models = await modelsInForce(store.documents);
  const charged = await chargeSlices(store.columns, imports, models, EVER);
  const reach = { fromMs: month.fromMs - LONGEST_FIXED_MS, toMs: month.toMs };
  const fixed = fixedSlices(models, reach).filter((slice) => isOfMonth(slice.billingEndMs - 1));
  const posted = await sumByBill(store.columns, month);
  const bills = billsOf([...charged, ...fixed], imports, posted, await closedPeriods(store.documents));
  const lines = bills.map(lineOf);
  const residual = sumOf(lines.map((line) => abs(storedAmount(line.residual))));
  return { period: month.month, lines, residual: formatMoney(residual) };
}

function billsOf(
  slices: readonly Slice[],
  imports: readonly StoredImport[],
  posted: readonly PostedBillRow[],
  closed: readonly StoredPeriod[],
): Bill[] {
  const bills = new Map<string, Bill>();
  for (const slice of slices) {
    const bill: Bill = bills.get(billOfSlice(slice)) ?? { head: slice, slices: [], billedAtto: 0n };
    bill.slices.push(slice);
    bills.set(billOfSlice(slice), bill);
  }
  for (const row of posted) {
    const head = { ...row, billingStartMs: row.billing_start * 1000, billingEndMs: row.billing_end * 1000 };
    const known = bills.get(billOfSlice(head));
    if (known) known.posted = row;
    // What was posted and taken back to zero again is no longer anybody's business.
    else if (storedAmount(row.posted) !== 0n)
      bills.set(billOfSlice(head), { head, slices: [], billedAtto: 0n, posted: row });
  }
  for (const row of imports) {
    const bill = bills.get(billOfRow(row));
    if (bill) bill.billedAtto += storedAmount(row.billed);
  }
  for (const period of closed) {
    const bill = bills.get(billOfRow(period));
    if (bill) bill.closed = period;
  }
  return [...bills.values()];
}

function lineOf({ head, slices, billedAtto, posted, closed }: Bill): ReconcileLine {
  const isFixed = head.source === FIXED_SOURCE;
  const recomputed = sumOf(slices.map((slice) => slice.amountAtto));
  const charges = closed ? storedAmount(closed.charges) : recomputed;
  const billed = isFixed ? charges : billedAtto;
  const postedAtto = storedAmount(posted?.posted ?? '0');
  const missing = isFixed ? 0 : missingHours(slices);
  const findings: string[] = [];
  if (charges !== postedAtto && slices.length === 0) findings.push('what was posted has no bill any more');
  if (charges !== postedAtto)
    findings.push(`not everything is posted: run taximeter allocate ${reachOf(slices, posted)}`);
  if (missing > 0) findings.push(`${missing} hours between the first and the last hourly charge have no charge`);
  if (charges !== recomputed) {
    findings.push(
      `today's models would make it ${formatMoney(recomputed)}; a closed period keeps what it was closed with`,
    );
  }
  return {
    source: head.source,
    account: head.account,
    currency: head.currency,
    billingStart: formatInstant(head.billingStartMs),
    billingEnd: formatInstant(head.billingEndMs),
    state: closed ? 'closed' : 'open',
    billed: formatMoney(billed),
    amortisation: formatMoney(charges - billed),
    charges: formatMoney(charges),
    posted: formatMoney(postedAtto),
    residual: formatMoney(charges - postedAtto),
    missingHours: missing,
    findings,
  };
}

/** The range that holds every charge of a bill, of now and of before: allocate touches nothing outside of its range. */
function reachOf(slices: readonly Slice[], posted: PostedBillRow | undefined): string {
  const froms = slices.map((slice) => slice.chargeStartMs);
  const tos = slices.map((slice) => Math.max(slice.chargeEndMs, slice.chargeStartMs + 1000));
  if (posted) {
    froms.push(posted.charge_from * 1000);
    tos.push(posted.charge_to * 1000);
  }
  const least = froms.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER);
  return `--from ${formatInstant(least)} --to ${formatInstant(tos.reduce((a, b) => Math.max(a, b), 0))}`;
}

function abs(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}
