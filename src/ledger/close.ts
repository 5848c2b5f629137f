import { createHash } from 'node:crypto';
import { type BillingMonth, fail, parseInstant, parseMoney } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { type Reconciliation, reconcile } from './reconcile.ts';

/**
 * Closes a billing month: from then on its postings never change.
 *
 * Gives  the reconciliation it was closed on; closing twice changes nothing.
 * Fails  PERIOD_UNBALANCED while a residual is left; PERIOD_INCOMPLETE while hours are missing or there is no bill.
 */
export async function closePeriod(store: Store, month: BillingMonth, by: string, now: Date): Promise<Reconciliation> {
  const result = await reconcile(store, month);
  const open = result.lines.filter((line) => line.state === 'open');
  if (result.lines.length === 0)
    throw fail('PERIOD_INCOMPLETE', { period: month.month, reason: 'no bill was imported' });
  const unbalanced = open.filter((line) => parseMoney(line.residual).amountAtto !== 0n);
  if (unbalanced.length > 0) {
    const problems = unbalanced.map((line) => ({
      message: `${line.source} ${line.account}: residual ${line.residual} ${line.currency}`,
    }));
    throw fail('PERIOD_UNBALANCED', { period: month.month }, problems);
  }
  const incomplete = open.filter((line) => line.missingHours > 0);
  if (incomplete.length > 0) {
    const problems = incomplete.map((line) => ({
      message: `${line.source} ${line.account}: ${line.findings.join('; ')}`,
    }));
    throw fail('PERIOD_INCOMPLETE', { period: month.month }, problems);
  }
  await store.documents.transaction().execute(async (transaction) => {
    for (const line of open) {
      await transaction
        .insertInto('period')
        .values({
          source: line.source,
          account: line.account,
          currency: line.currency,
          billing_start: parseInstant(line.billingStart),
          billing_end: parseInstant(line.billingEnd),
          closed_at: now.toISOString(),
          closed_by: by,
          charges: line.charges,
          fingerprint: createHash('sha256').update(JSON.stringify(line)).digest('hex'),
        })
        .execute();
    }
  });
  return reconcile(store, month);
}
