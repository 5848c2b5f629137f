import { activeImports } from '../bill/index.ts';
import { chargeSlices, FIXED_SOURCE, modelSlices, modelsInForce, type Slice, storedAmount } from '../cost/index.ts';
import { type BillingMonth, formatInstant, formatMoney, type TimeRange } from '../model/index.ts';
import type { Store, StoredImport, StoredPeriod } from '../store/index.ts';
import { billOfRow, billOfSlice } from './bill-key.ts';
import { sumOf } from './identity.ts';
import { lateCalls } from './late-calls.ts';
import { bookMonth } from './ledger-slice.ts';
import { missingDays, missingHours } from './missing-hours.ts';
import { postedOfMonth } from './queries.ts';
import { type PostedBillRow, sumByBill } from './sum-queries.ts';
import { type Wanted, wantedSlices } from './wanted.ts';

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
  /** What closed bills changed by after they were closed, posted in this one. */
  readonly restated: string;
  /** What there is to share out, in the model's basis: billed + amortisation + restated. */
  readonly charges: string;
  /** Of the charges: those about a time before the bill's own. */
  readonly corrections: string;
  readonly posted: string;
  readonly residual: string;
  /** Hours between the first and the last hourly charge that have none. */
  readonly missingHours: number;
  /** Days between the first and the last charge that have none. */
  readonly missingDays: number;
  readonly findings: readonly string[];
}

export interface Reconciliation {
  readonly period: string;
  readonly lines: readonly ReconcileLine[];
  /** Zero only when every line's residual is zero. */
  readonly residual: string;
  /** Calls of the month that came, less those that went, after it was closed; null where it cannot be said. */
  readonly lateCalls: number | null;
}

/** What is known of one bill: from its charges, from the invoice, from the ledger, and since it was closed. */
interface Bill {
  readonly head: Pick<Slice, 'source' | 'account' | 'currency' | 'billingStartMs' | 'billingEndMs'>;
  readonly slices: Slice[];
  restatedAtto: bigint;
  billedAtto: bigint;
  imports: StoredImport[];
  posted?: PostedBillRow;
  closed?: StoredPeriod;
}

// A correction lies in one billing month and is about any time before it.
export const EVER = { fromMs: 0, toMs: 4_294_967_295_000 };
const LONGEST_FIXED_MS = 366 * 24 * 3_600_000;

/**
 * Holds the ledger against the bills of one billing month, recomputed from the raw charges.
 *
 * Takes  month: bills are of the month in which their billing period starts, fixed amounts of that in which it ends.
 *        asOf: as it was known then; none: now.
 * Gives  a line per bill (source, account, currency), one for each period of fixed amounts, and one for each bill
 *        that was posted and is no longer there; an open line that does not hold says what to do.
 * Holds  billed + amortisation + restated = charges; charges - posted = residual; a closed line keeps what it was closed with.
 */
export async function reconcile(store: Store, month: BillingMonth, asOf?: Date): Promise<Reconciliation> {
  const { open, corrections, closings } = await wantedOfMonth(store, month, asOf);
  const imports = (await activeImports(store, asOf)).filter((row) => isOfMonth(row, month));
  const posted = await sumByBill(store.columns, month, asOf);
  const closed = closings.periods.filter((period) =>
    isOfBooks(
      {
        source: period.source,
        billingStartMs: Number(period.billing_start),
        billingEndMs: Number(period.billing_end),
      },
      month,
    ),
  );
  const wanted = [...open, ...corrections];
  const bills = billsOf(wanted, imports, posted, closed);
  const importsAtClose = asOf ? imports : await closingImports(store, closed);
  const todays = asOf ? new Map<string, bigint>() : await byTodaysModels(store, month, imports, closed);
  const lines = bills.map((bill) => lineOf(bill, importsAtClose, todays));
  const residual = sumOf(lines.map((line) => abs(storedAmount(line.residual))));
  const late = asOf ? null : await lateCalls(store, month, [], closings.periods);
  return { period: month.month, lines, residual: formatMoney(residual), lateCalls: late?.total ?? null };
}

/** What there is to post of the bills of a month. Its bills bring charges of any time. */
function wantedOfMonth(store: Store, month: BillingMonth, asOf: Date | undefined): Promise<Wanted> {
  const isAsked = (bill: Parameters<typeof bookMonth>[0]) => isOfBooks(bill, month);
  return wantedSlices(store, { range: EVER, fixed: fixedReach(month), measured: month, isAsked, asOf });
}

function isOfBooks(bill: Parameters<typeof bookMonth>[0], month: BillingMonth): boolean {
  return bookMonth(bill).month === month.month;
}

/** When fixed amounts begin that end in a month. */
function fixedReach({ fromMs, toMs }: BillingMonth): TimeRange {
  return { fromMs: fromMs - LONGEST_FIXED_MS, toMs };
}

/** What closed bills and fixed amounts would come to under the models that were applied since; only where there are any. */
async function byTodaysModels(
  store: Store,
  month: BillingMonth,
  imports: readonly StoredImport[],
  closed: readonly StoredPeriod[],
): Promise<ReadonlyMap<string, bigint>> {
  const sums = new Map<string, bigint>();
  const models = await modelsInForce(store.documents);
  const names = JSON.stringify(models.map(({ id }) => id));
  for (const closedAt of new Set(closed.map((period) => period.closed_at))) {
    const then = await modelsInForce(store.documents, new Date(closedAt));
    if (JSON.stringify(then.map(({ id }) => id)) === names) continue;
    const bills = new Set(closed.filter((period) => period.closed_at === closedAt).map(billOfRow));
    const rows = imports.filter((row) => bills.has(billOfRow(row)));
    const charged = await chargeSlices(store.columns, rows, models, EVER);
    const slices = [...charged, ...(await modelSlices(store.columns, models, fixedReach(month), month))];
    for (const bill of bills) sums.set(bill, 0n);
    for (const slice of slices) {
      const sum = sums.get(billOfSlice(slice));
      if (bills.has(billOfSlice(slice)) && sum !== undefined) sums.set(billOfSlice(slice), sum + slice.amountAtto);
    }
  }
  return sums;
}

/** Slices of a month's open bills that the ledger does not hold as they are to be, or that it holds and should not. */
export async function unpostedSlices(store: Store, month: BillingMonth, asOf?: Date): Promise<Slice[]> {
  const { open, corrections, closings } = await wantedOfMonth(store, month, asOf);
  const standing = new Map<string, Slice>();
  for (const { slice } of await postedOfMonth(store.columns, month, FIXED_SOURCE)) {
    if (!closings.hasSlice(slice)) standing.set(sliceKey(slice), slice);
  }
  const unposted = [...open, ...corrections].filter((slice) => {
    const posted = standing.get(sliceKey(slice));
    standing.delete(sliceKey(slice));
    return posted?.amountAtto !== slice.amountAtto;
  });
  return [...unposted, ...standing.values()];
}

function sliceKey(slice: Slice & { readonly restatesMs?: number | undefined }): string {
  const { chargeStartMs, chargeEndMs, billingEndMs, poolId, restatesMs = 0 } = slice;
  return JSON.stringify([billOfSlice(slice), billingEndMs, chargeStartMs, chargeEndMs, poolId, restatesMs]);
}

function isOfMonth(row: StoredImport, month: BillingMonth): boolean {
  return Number(row.billing_start) >= month.fromMs && Number(row.billing_start) < month.toMs;
}

/** What was in force of closed bills when they were closed, by bill. */
async function closingImports(store: Store, closed: readonly StoredPeriod[]): Promise<StoredImport[]> {
  const kept: StoredImport[] = [];
  for (const closedAt of new Set(closed.map((period) => period.closed_at))) {
    const bills = new Set(closed.filter((period) => period.closed_at === closedAt).map(billOfRow));
    kept.push(...(await activeImports(store, new Date(closedAt))).filter((row) => bills.has(billOfRow(row))));
  }
  return kept;
}

function billsOf(
  slices: readonly (Slice & { readonly restatesMs?: number | undefined })[],
  imports: readonly StoredImport[],
  posted: readonly PostedBillRow[],
  closed: readonly StoredPeriod[],
): Bill[] {
  const bills = new Map<string, Bill>();
  const billFor = (head: Bill['head']): Bill => {
    const known = bills.get(billOfSlice(head));
    const bill = known ?? { head, slices: [], restatedAtto: 0n, billedAtto: 0n, imports: [] };
    bills.set(billOfSlice(head), bill);
    return bill;
  };
  for (const slice of slices) {
    const bill = billFor(slice);
    bill.slices.push(slice);
    if (slice.restatesMs !== undefined) bill.restatedAtto += slice.amountAtto;
  }
  for (const period of closed) {
    const head = { ...period, billingStartMs: Number(period.billing_start), billingEndMs: Number(period.billing_end) };
    billFor(head).closed = period;
  }
  for (const row of posted) {
    const head = { ...row, billingStartMs: row.billing_start * 1000, billingEndMs: row.billing_end * 1000 };
    // What was posted and taken back to zero again is no longer anybody's business.
    if (bills.has(billOfSlice(head)) || storedAmount(row.posted) !== 0n) billFor(head).posted = row;
  }
  for (const row of imports) {
    const bill = bills.get(billOfRow(row));
    if (!bill) continue;
    bill.billedAtto += storedAmount(row.billed);
    bill.imports.push(row);
  }
  return [...bills.values()].sort((a, b) => rank(a) - rank(b));
}

/** Bills in the order in which they were found, fixed amounts last. */
function rank({ head }: Bill): number {
  return head.source === FIXED_SOURCE ? 1 : 0;
}

function lineOf(bill: Bill, atClose: readonly StoredImport[], todays: ReadonlyMap<string, bigint>): ReconcileLine {
  const { head, slices, posted, closed } = bill;
  const isFixed = head.source === FIXED_SOURCE;
  const wanted = sumOf(slices.map((slice) => slice.amountAtto));
  const charges = closed ? storedAmount(closed.charges) : wanted;
  const restated = closed ? storedAmount(posted?.restated ?? '0') : bill.restatedAtto;
  const then = atClose.filter((row) => billOfRow(row) === billOfSlice(head));
  const closedBilled = sumOf(then.map((row) => storedAmount(row.billed)));
  const billed = isFixed ? charges : closed ? closedBilled : bill.billedAtto;
  const postedAtto = storedAmount(posted?.posted ?? '0');
  const own = slices.filter((slice) => slice.chargeStartMs >= slice.billingStartMs);
  const corrections = closed
    ? storedAmount(posted?.corrected ?? '0') + restated
    : sumOf(slices.filter((slice) => slice.chargeStartMs < slice.billingStartMs).map((slice) => slice.amountAtto));
  const [missing, days] = isFixed ? [0, 0] : [missingHours(slices), missingDays(own)];
  const findings: string[] = [];
  if (charges !== postedAtto && slices.length === 0) findings.push('what was posted has no bill any more');
  if (charges !== postedAtto)
    findings.push(`not everything is posted: run taximeter allocate ${reachOf(slices, posted)}`);
  if (missing > 0) findings.push(`${missing} hours between the first and the last hourly charge have no charge`);
  if (days > 0) findings.push(`${days} days between the first and the last charge have no charge`);
  const today = todays.get(billOfSlice(head));
  if (today !== undefined && today !== charges - restated && !isChanged(then, bill.imports))
    findings.push(`today's models would make it ${formatMoney(today)}; a closed period keeps what it was closed with`);
  if (closed && !isFixed && isChanged(then, bill.imports))
    findings.push(
      `the bill was changed from ${formatMoney(closedBilled)} to ${formatMoney(bill.billedAtto)} billed after it was closed; the difference is posted in an open period`,
    );
  return {
    source: head.source,
    account: head.account,
    currency: head.currency,
    billingStart: formatInstant(head.billingStartMs),
    billingEnd: formatInstant(head.billingEndMs),
    state: closed ? 'closed' : 'open',
    billed: formatMoney(billed),
    amortisation: formatMoney(charges - billed - restated),
    restated: formatMoney(restated),
    charges: formatMoney(charges),
    corrections: formatMoney(corrections),
    posted: formatMoney(postedAtto),
    residual: formatMoney(charges - postedAtto),
    missingHours: missing,
    missingDays: days,
    findings,
  };
}

function isChanged(then: readonly StoredImport[], now: readonly StoredImport[]): boolean {
  const ids = (rows: readonly StoredImport[]) => rows.map((row) => row.import_id).join();
  return ids(then) !== ids(now);
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
