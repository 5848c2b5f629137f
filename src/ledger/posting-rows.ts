import { createHash } from 'node:crypto';
import type { LedgerAccount, Share, Slice } from '../cost/index.ts';
import { assert } from '../model/index.ts';
import { type RowShape, RowWriter } from '../store/index.ts';

export const postingShape: RowShape = [
  ['batch', 'UInt64'],
  ['posted_at', "DateTime64(3, 'UTC')"],
  ['slice', 'FixedString(16)'],
  ['version', 'UInt32'],
  ['fingerprint', 'FixedString(16)'],
  ['entry', 'Int8'],
  ['source', 'String'],
  ['account', 'String'],
  ['currency', 'String'],
  ['billing_start', "DateTime('UTC')"],
  ['billing_end', "DateTime('UTC')"],
  ['charge_start', "DateTime('UTC')"],
  ['charge_end', "DateTime('UTC')"],
  ['pool', 'String'],
  ['kind', 'Int8'],
  ['model', 'String'],
  ['driver', 'String'],
  ['ledger', 'Int8'],
  ['service', 'String'],
  ['tenant', 'String'],
  ['endpoint', 'String'],
  ['weight', 'Decimal(76, 0)'],
  ['amount', 'Decimal(38, 18)'],
];

/** Numbers of the accounts as the table keeps them. `bill` is the other side of every posting. */
export const ledgerNumbers = { tenant: 1, idle: 2, unattributed: 3, out_of_scope: 4, bill: 5 } as const;
const kindNumbers = { direct: 1, indirect: 2 } as const;

/** Which posting of a slice: its version, when and under what fingerprint. */
export interface Posting {
  readonly batch: number;
  readonly postedAtMs: number;
  readonly version: number;
  readonly entry: 1 | -1;
}

/** Names a slice for ever: what bill, period and pool it is about. */
export function sliceId(slice: Slice): Buffer {
  const { source, account, currency, billingStartMs, billingEndMs, chargeStartMs, chargeEndMs, poolId } = slice;
  const key = [source, account, currency, billingStartMs, billingEndMs, chargeStartMs, chargeEndMs, poolId];
  return hash128(JSON.stringify(key));
}

/** Says what a posting of a slice says: two with the same fingerprint need not be posted twice. */
export function fingerprintOf(slice: Slice, shares: readonly Share[]): Buffer {
  const rows = new RowWriter(128 * (shares.length + 1));
  for (const share of shares) writeShare(rows, share.ledger, share, 1);
  const head = JSON.stringify([slice.amountAtto.toString(), slice.kind, slice.driver, slice.model]);
  return createHash('sha256').update(head).update(rows.bytes()).digest().subarray(0, 16);
}

function hash128(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, 16);
}

/**
 * Writes one posting of a slice: its shares, and the bill's account on the other side.
 *
 * Gives  the number of rows.
 * Holds  the amounts written add up to zero.
 */
export function writePosting(
  writer: RowWriter,
  slice: Slice,
  shares: readonly Share[],
  fingerprint: Buffer,
  posting: Posting,
): number {
  const head = headOf(slice, fingerprint, posting);
  let sum = 0n;
  for (const share of shares) {
    sum += share.amountAtto;
    writer.copy(head, 0, head.length);
    writeShare(writer, share.ledger, share, posting.entry);
  }
  assert(sum === slice.amountAtto, 'the shares of a slice add up to its amount');
  writer.copy(head, 0, head.length);
  writeShare(writer, 'bill', { service: '', tenant: '', endpoint: '', weight: 0n, amountAtto: -sum }, posting.entry);
  return shares.length + 1;
}

/** What all rows of a posting begin with. */
function headOf(slice: Slice, fingerprint: Buffer, posting: Posting): Buffer {
  const writer = new RowWriter(512);
  writer.u64(posting.batch);
  writer.i64(BigInt(posting.postedAtMs));
  writer.raw(sliceId(slice));
  writer.u32(posting.version);
  writer.raw(fingerprint);
  writer.u8(posting.entry & 0xff);
  writer.text(slice.source);
  writer.text(slice.account);
  writer.text(slice.currency);
  writer.u32(slice.billingStartMs / 1000);
  writer.u32(slice.billingEndMs / 1000);
  writer.u32(slice.chargeStartMs / 1000);
  writer.u32(slice.chargeEndMs / 1000);
  writer.text(slice.poolId);
  writer.u8(kindNumbers[slice.kind]);
  writer.text(slice.model);
  writer.text(slice.driver);
  return Buffer.from(writer.bytes());
}

function writeShare(
  writer: RowWriter,
  ledger: LedgerAccount | 'bill',
  share: Omit<Share, 'ledger'>,
  entry: 1 | -1,
): void {
  writer.u8(ledgerNumbers[ledger]);
  writer.text(share.service);
  writer.text(share.tenant);
  writer.text(share.endpoint);
  writer.i256(share.weight);
  writer.i128(entry === 1 ? share.amountAtto : -share.amountAtto);
}
