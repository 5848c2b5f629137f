import { createHash } from 'node:crypto';
import { storedAmount } from '../cost/index.ts';
import { type BillingMonth, type FailureCode, fail, formatInstant, parseInstant } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { billKey } from './bill-key.ts';
import { chainTip } from './chain.ts';
import { type ClosingLimits, foundations, limitFindings } from './closing-limits.ts';
import { inTurn } from './in-turn.ts';
import { keepCallsAtClose } from './late-calls.ts';
import { closedPeriods } from './queries.ts';
import { type ReconcileLine, type Reconciliation, reconcile, unpostedSlices } from './reconcile.ts';

/** What a month was closed on. */
export interface Closing extends Reconciliation {
  /** What is beyond usual limits where none was set. */
  readonly warnings: readonly string[];
}

/**
 * Closes a billing month: from then on its postings never change. What was known when it began is what it closes; the chain of the
 * month is sealed with the hash that it has come to.
 *
 * Takes  limits: beyond which it refuses; without them it only warns.
 * Gives  the reconciliation it was closed on; closing twice changes nothing, bills that came later are closed then.
 * Fails  PERIOD_UNBALANCED while a residual is left; PERIOD_INCOMPLETE while hours are missing, there is no bill, or too
 *        much is unattributed or not covered.
 */
export function closePeriod(
  store: Store,
  month: BillingMonth,
  by: string,
  now: Date,
  limits: ClosingLimits = {},
): Promise<Closing> {
  return inTurn(store, async () => {
    // What is imported or applied while it closes comes after it.
    const { lines } = await reconcile(store, month, now);
    if (lines.length === 0) throw fail('PERIOD_INCOMPLETE', { period: month.month, reason: 'no bill was imported' });
    const open = lines.filter((line) => line.state === 'open');
    const isUnbalanced = (line: ReconcileLine) => storedAmount(line.residual) !== 0n;
    refuse('PERIOD_UNBALANCED', month, open.filter(isUnbalanced));
    if (open.length > 0) await refuseUnposted(store, month, now);
    refuse(
      'PERIOD_INCOMPLETE',
      month,
      open.filter((line) => line.missingHours > 0),
    );
    const warnings = await withinLimits(store, month, open, limits);
    if (open.length > 0) await recordClosing(store, month, open, by, now);
    return { ...(await reconcile(store, month)), warnings };
  });
}

/** Gives what is worth a warning. */
async function withinLimits(
  store: Store,
  month: BillingMonth,
  open: readonly ReconcileLine[],
  limits: ClosingLimits,
): Promise<string[]> {
  const measured = await foundations(store.columns, month);
  const findings = open.flatMap((line) => {
    const key = billKey(line.source, line.account, line.currency, parseInstant(line.billingStart));
    const foundation = measured.get(key);
    const found = foundation ? limitFindings(foundation, limits) : [];
    return found.map(({ message, isForbidden }) => ({ message: `${nameOf(line)}: ${message}`, isForbidden }));
  });
  const forbidden = findings.filter(({ isForbidden }) => isForbidden);
  if (forbidden.length > 0) {
    const problems = forbidden.map(({ message }) => ({ message }));
    throw fail('PERIOD_INCOMPLETE', { period: month.month }, problems);
  }
  return findings.map(({ message }) => message);
}

function nameOf({ source, account }: ReconcileLine): string {
  return [source, account].join(' ').trim();
}

function refuse(code: FailureCode, month: BillingMonth, lines: readonly ReconcileLine[]): void {
  if (lines.length === 0) return;
  const problems = lines.map((line) => ({
    message: `${nameOf(line)}: residual ${line.residual} ${line.currency}; ${line.findings.join('; ')}`,
  }));
  throw fail(code, { period: month.month }, problems);
}

/** Slices that are too large and too small by the same amount leave no residual, and are wrong all the same. */
async function refuseUnposted(store: Store, month: BillingMonth, now: Date): Promise<void> {
  const unposted = await unpostedSlices(store, month, now);
  if (unposted.length === 0) return;
  const problems = unposted.slice(0, 20).map(({ source, account, poolId, chargeStartMs }) => ({
    message: `${source} ${account}: pool ${poolId} of ${formatInstant(chargeStartMs)} is not posted as it is now`,
  }));
  throw fail('PERIOD_UNBALANCED', { period: month.month, slices: unposted.length }, problems);
}

/**
 * The calls that are known go first, then, in one transaction, what makes the bills closed: a crash between the two leaves calls that
 * no closing names.
 */
async function recordClosing(
  store: Store,
  month: BillingMonth,
  lines: readonly ReconcileLine[],
  by: string,
  now: Date,
): Promise<void> {
  const tip = await chainTip(store.columns, month);
  const periods = lines.map((line) => ({
    source: line.source,
    account: line.account,
    currency: line.currency,
    billing_start: parseInstant(line.billingStart),
    billing_end: parseInstant(line.billingEnd),
    closed_at: now.toISOString(),
    closed_by: by,
    charges: line.charges,
    fingerprint: createHash('sha256').update(JSON.stringify(line)).digest('hex'),
    seal: tip.hash,
    seal_place: tip.place,
  }));
  await keepCallsAtClose(store, periods, await closedPeriods(store.documents), now);
  await store.documents.transaction().execute(async (transaction) => {
    for (const period of periods) await transaction.insertInto('period').values(period).execute();
  });
}
