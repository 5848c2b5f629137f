import { activeImports } from '../bill/index.ts';
import {
  chargeSlices,
  FIXED_SOURCE,
  type ModelInForce,
  modelSlices,
  modelsInForce,
  type Slice,
} from '../cost/index.ts';
import { monthOf, type TimeRange } from '../model/index.ts';
import type { Store, StoredImport, StoredPeriod } from '../store/index.ts';
import { billOfRow, billOfSlice, payerOf } from './bill-key.ts';
import { Closings } from './closings.ts';
import type { LedgerSlice } from './ledger-slice.ts';
import { closedPeriods, postedOfBills } from './queries.ts';

/** What there is to post. */
export interface Wanted {
  /** To be shared out by the work as it is known, in the order of charge periods. */
  readonly open: readonly Slice[];
  /** About a time that is closed: to be shared out as it was then. */
  readonly corrections: readonly LedgerSlice[];
  readonly closings: Closings;
}

export interface WantedQuestion {
  /** Charges that start in it. */
  readonly range: TimeRange;
  /** Which bills; all without it. */
  readonly isAsked?: (bill: Pick<Slice, 'source' | 'billingStartMs' | 'billingEndMs'>) => boolean;
  /** Which slices of these; all without it. All that are about the same charge period and pool, or none of them. */
  readonly isWanted?: (slice: Slice) => boolean;
  /** Where charges of fixed amounts are looked for, which are made anew for each question; none: the range. */
  readonly fixed?: TimeRange;
  /** Where fees of calls and priced meters are looked for; none: the range. */
  readonly measured?: TimeRange;
  /** As it was known then; none: now. What calls and events come to is always what is known of them now. */
  readonly asOf?: Date | undefined;
}

/**
 * Lists what open bills have to be shared out, and what closed ones have changed by.
 *
 * Gives  slices of open bills; those about a closed period apart, under the model that it was closed with; and for each closed bill
 *        that was imported anew, the difference to what the ledger holds of it, in the bill that is open after it.
 * Holds  nothing of a closed bill itself; an open bill's slices and corrections add up to its charges and its restatements.
 * From   docs/decisions/0018-closed-periods-are-corrected-in-open-ones.md
 */
export async function wantedSlices(store: Store, question: WantedQuestion): Promise<Wanted> {
  const {
    range,
    fixed: fixedIn = range,
    measured = range,
    asOf,
    isAsked = () => true,
    isWanted = () => true,
  } = question;
  const closings = new Closings(await closedPeriods(store.documents, asOf));
  const imports = await activeImports(store, asOf);
  const open = imports.filter((row) => !closings.hasRow(row));
  const models = await modelsInForce(store.documents, asOf);
  const asked = open.filter((row) => isAsked(headOf(row)));
  const charged = await slicesUnder(store, asked, models, closings, range);
  const own = charged.filter((slice) => !closings.hasSlice(slice));
  const ours = await modelSlices(store.columns, models, fixedIn, measured);
  const fixed = ours.filter((slice) => isAsked(slice) && !closings.hasSlice(slice));
  const restated = closings.isEmpty ? [] : await restatedSlices(store, imports, closings, range);
  return {
    open: [...own.filter((slice) => !closings.about(slice)), ...fixed].filter(isWanted).sort(inTime),
    corrections: [...own.filter((slice) => closings.about(slice)), ...restated.filter(isAsked)]
      .filter(isWanted)
      .sort(inTime),
    closings,
  };
}

/** Sums charges, each under the model of its time; charges about a closed period under what was known when it was closed. */
async function slicesUnder(
  store: Store,
  imports: readonly StoredImport[],
  models: readonly ModelInForce[],
  closings: Closings,
  range: TimeRange,
): Promise<Slice[]> {
  const slices = await chargeSlices(store.columns, imports, models, range);
  const touched = new Set(slices.flatMap((slice) => closings.about(slice)?.closed_at ?? []));
  const kept = slices.filter((slice) => !closings.about(slice));
  for (const closedAt of touched) {
    const then = await modelsInForce(store.documents, new Date(closedAt));
    const again = await chargeSlices(store.columns, imports, then, range);
    kept.push(...again.filter((slice) => closings.about(slice)?.closed_at === closedAt));
  }
  return kept;
}

/** What closed bills that were imported anew have changed by since they were closed, and since that was last posted in a closed bill. */
async function restatedSlices(
  store: Store,
  imports: readonly StoredImport[],
  closings: Closings,
  range: TimeRange,
): Promise<LedgerSlice[]> {
  const changed = await changedPeriods(store, imports, closings);
  if (changed.length === 0) return [];
  const posted = await postedOfBills(store.columns, range, changed);
  const restated: LedgerSlice[] = [];
  for (const period of changed) {
    const key = billOfRow(period);
    const models = await modelsInForce(store.documents, new Date(period.closed_at));
    const rows = imports.filter((row) => billOfRow(row) === key);
    const now = await slicesUnder(store, rows, models, closings.before(period.closed_at), range);
    const before = posted.filter(
      (slice) =>
        closings.hasSlice(slice) &&
        (billOfSlice(slice) === key
          ? slice.restatesMs === undefined
          : slice.restatesMs === Number(period.billing_start) && payerOf(slice) === payerOf(period)),
    );
    const home = openPeriodAfter(period, imports, closings);
    const own = now.filter((slice) => billOfSlice(slice) === key);
    for (const slice of differences(own, before))
      restated.push({ ...slice, ...home, restatesMs: Number(period.billing_start) });
  }
  return restated;
}

/** Closed bills whose imports in force are not those that they were closed with. */
async function changedPeriods(
  store: Store,
  imports: readonly StoredImport[],
  closings: Closings,
): Promise<StoredPeriod[]> {
  const now = idsByBill(imports);
  const atClose = new Map<string, Map<string, string>>();
  const changed: StoredPeriod[] = [];
  for (const period of closings.periods) {
    if (period.source === FIXED_SOURCE) continue;
    const then = atClose.get(period.closed_at) ?? idsByBill(await activeImports(store, new Date(period.closed_at)));
    atClose.set(period.closed_at, then);
    if (now.get(billOfRow(period)) !== then.get(billOfRow(period))) changed.push(period);
  }
  return changed;
}

function idsByBill(imports: readonly StoredImport[]): Map<string, string> {
  return new Map(imports.map((row) => [billOfRow(row), row.import_id]));
}

/** What to post so that `before` becomes `now`, by charge period and pool; nothing where they agree. */
function differences(now: readonly Slice[], before: readonly Slice[]): Slice[] {
  const amounts = new Map<string, Slice>();
  const add = (slice: Slice, sign: bigint) => {
    const key = placeKey(slice);
    const known = amounts.get(key);
    amounts.set(key, { ...(known ?? slice), amountAtto: (known?.amountAtto ?? 0n) + sign * slice.amountAtto });
  };
  for (const slice of now) add(slice, 1n);
  for (const slice of before) add(slice, -1n);
  return [...amounts.values()].filter(({ amountAtto }) => amountAtto !== 0n);
}

/** The first open bill after a closed one; where there is none yet, the month that follows the last closed one. */
function openPeriodAfter(
  period: StoredPeriod,
  imports: readonly StoredImport[],
  closings: Closings,
): Pick<Slice, 'billingStartMs' | 'billingEndMs'> {
  const isLater = (row: { billing_start: number }) => Number(row.billing_start) >= Number(period.billing_end);
  const open = imports.filter((row) => payerOf(row) === payerOf(period) && !closings.hasRow(row) && isLater(row));
  const [first] = open.map(headOf).sort((a, b) => a.billingStartMs - b.billingStartMs);
  if (first) return { billingStartMs: first.billingStartMs, billingEndMs: first.billingEndMs };
  const ends = closings.ofPayer(period).map((each) => Number(each.billing_end));
  const billingStartMs = Math.max(...ends);
  const { toMs } = monthOf(billingStartMs);
  // Of a bill that does not begin with a month, the next one ends a month later on the same day.
  return { billingStartMs, billingEndMs: toMs + (billingStartMs - monthOf(billingStartMs).fromMs) };
}

/** Names what is corrected: the same time and pool of the same payer, whichever bill brings it. */
export function placeKey(slice: Slice): string {
  const { source, account, currency, chargeStartMs, chargeEndMs, poolId } = slice;
  return JSON.stringify([source, account, currency, chargeStartMs, chargeEndMs, poolId]);
}

function headOf(row: StoredImport) {
  return { source: row.source, billingStartMs: Number(row.billing_start), billingEndMs: Number(row.billing_end) };
}

function inTime(a: Slice, b: Slice): number {
  return a.chargeStartMs - b.chargeStartMs || a.chargeEndMs - b.chargeEndMs;
}
