import { createHash } from 'node:crypto';
import { storedAmount } from '../cost/index.ts';
import { type BillingMonth, type FailureCode, fail, parseInstant } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { billKey } from './bill-key.ts';
import { type ClosingLimits, foundations, limitFindings } from './closing-limits.ts';
import { inTurn } from './in-turn.ts';
import { type ReconcileLine, type Reconciliation, reconcile } from './reconcile.ts';

/** What a month was closed on. */
export interface Closing extends Reconciliation {
  /** What is beyond usual limits where none was set. */
  readonly warnings: readonly string[];
}

/**
 * Closes a billing month: from then on its postings never change.
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
    const { lines } = await reconcile(store, month);
    if (lines.length === 0) throw fail('PERIOD_INCOMPLETE', { period: month.month, reason: 'no bill was imported' });
    const open = lines.filter((line) => line.state === 'open');
    const isUnbalanced = (line: ReconcileLine) => storedAmount(line.residual) !== 0n;
    refuse('PERIOD_UNBALANCED', month, open.filter(isUnbalanced));
    refuse(
      'PERIOD_INCOMPLETE',
      month,
      open.filter((line) => line.missingHours > 0),
    );
    const warnings = await withinLimits(store, month, open, limits);
    await recordClosing(store, open, by, now);
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

function recordClosing(store: Store, lines: readonly ReconcileLine[], by: string, now: Date): Promise<void> {
  return store.documents.transaction().execute(async (transaction) => {
    for (const line of lines) {
      const period = {
        source: line.source,
        account: line.account,
        currency: line.currency,
        billing_start: parseInstant(line.billingStart),
        billing_end: parseInstant(line.billingEnd),
        closed_at: now.toISOString(),
        closed_by: by,
        charges: line.charges,
        fingerprint: createHash('sha256').update(JSON.stringify(line)).digest('hex'),
      };
      await transaction.insertInto('period').values(period).execute();
    }
  });
}
