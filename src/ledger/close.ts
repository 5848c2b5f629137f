import { createHash } from 'node:crypto';
import { storedAmount } from '../cost/index.ts';
import { type BillingMonth, type FailureCode, fail, parseInstant } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { inTurn } from './in-turn.ts';
import { type ReconcileLine, type Reconciliation, reconcile } from './reconcile.ts';

/**
 * Closes a billing month: from then on its postings never change.
 *
 * Gives  the reconciliation it was closed on; closing twice changes nothing, bills that came later are closed then.
 * Fails  PERIOD_UNBALANCED while a residual is left; PERIOD_INCOMPLETE while hours are missing or there is no bill.
 */
export function closePeriod(store: Store, month: BillingMonth, by: string, now: Date): Promise<Reconciliation> {
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
    await recordClosing(store, open, by, now);
    return reconcile(store, month);
  });
}

function refuse(code: FailureCode, month: BillingMonth, lines: readonly ReconcileLine[]): void {
  if (lines.length === 0) return;
  const problems = lines.map(({ source, account, currency, residual, findings }) => ({
    message: `${[source, account].join(' ').trim()}: residual ${residual} ${currency}; ${findings.join('; ')}`,
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
