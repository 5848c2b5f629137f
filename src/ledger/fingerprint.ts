import { createHash } from 'node:crypto';
import type { Slice, SliceShares } from '../cost/index.ts';
import { packTexts } from '../store/index.ts';
import type { LedgerSlice } from './ledger-slice.ts';

/** Names a slice for ever: what bill, period and pool it is about. */
export function sliceId(slice: LedgerSlice): Buffer {
  const { source, account, currency, billingStartMs, billingEndMs, chargeStartMs, chargeEndMs, poolId } = slice;
  const key: unknown[] = [source, account, currency, billingStartMs, billingEndMs, chargeStartMs, chargeEndMs, poolId];
  if (slice.restatesMs !== undefined) key.push(slice.restatesMs);
  return createHash('sha256').update(JSON.stringify(key)).digest().subarray(0, 16);
}

/**
 * Says what a posting of a slice says: two with the same fingerprint need not be posted twice. Rows keep its first half.
 *
 * Gives  32 bytes.
 * Holds  equal shares have equal fingerprints, whatever the numbers of their texts are; texts, weights and amounts all count.
 * From   docs/reference/ledger-export.md
 */
export function fingerprintOf(slice: Slice, shares: SliceShares): Buffer {
  const hash = createHash('sha256');
  const head = [slice.amountAtto.toString(), slice.kind, slice.driver, slice.model, shares.accounts.length];
  hash.update(JSON.stringify(head));
  for (const ids of [shares.services, shares.tenants, shares.endpoints]) {
    const { entries, keys } = packTexts(shares.texts, ids);
    hash.update(Uint32Array.of(entries.length)).update(entries).update(keys);
  }
  hash.update(shares.accounts).update(shares.weights.words).update(shares.amounts.words);
  return hash.digest();
}
