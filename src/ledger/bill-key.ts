import type { Slice } from '../cost/index.ts';
import type { StoredPeriod } from '../store/index.ts';

/** Names a bill: what is posted, reconciled and closed as one. */
export function billKey(source: string, account: string, currency: string, billingStartMs: number): string {
  return JSON.stringify([source, account, currency, billingStartMs]);
}

type Billed = Pick<Slice, 'source' | 'account' | 'currency' | 'billingStartMs'>;
type BilledRow = Pick<StoredPeriod, 'source' | 'account' | 'currency' | 'billing_start'>;

export function billOfSlice({ source, account, currency, billingStartMs }: Billed): string {
  return billKey(source, account, currency, billingStartMs);
}

/** The same for rows of the document store: imports and closed periods. */
export function billOfRow(row: BilledRow): string {
  return billKey(row.source, row.account, row.currency, Number(row.billing_start));
}

/** Names whose bills they are: source, account and currency, whatever the period. */
export function payerOf({ source, account, currency }: Pick<BilledRow, 'source' | 'account' | 'currency'>): string {
  return JSON.stringify([source, account, currency]);
}
