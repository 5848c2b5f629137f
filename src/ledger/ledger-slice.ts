import { FIXED_SOURCE, type Slice } from '../cost/index.ts';
import { type BillingMonth, monthOf } from '../model/index.ts';

/** A slice as the ledger knows it. */
export interface LedgerSlice extends Slice {
  /** When the billing period begins that was closed already when its bill changed: the slice is what that made of its costs. */
  readonly restatesMs?: number | undefined;
}

type Dated = Pick<Slice, 'source' | 'billingStartMs' | 'billingEndMs'>;

/** The month whose books a slice is in: a bill is of the month in which its billing period starts, a fixed amount of that in which it ends. */
export function bookMonth({ source, billingStartMs, billingEndMs }: Dated): BillingMonth {
  return monthOf(source === FIXED_SOURCE ? billingEndMs - 1 : billingStartMs);
}
