import { createHash } from 'node:crypto';
import type { BillingMonth } from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';
import { sliceId } from './fingerprint.ts';
import type { LedgerSlice } from './ledger-slice.ts';

/** What a link says of a posting. */
interface Linked {
  readonly slice: LedgerSlice;
  readonly version: number;
  readonly entry: 1 | -1;
  readonly fingerprint: Buffer;
}

/** Where a month's chain of blocks has come to. */
export interface ChainTip {
  readonly place: number;
  readonly hash: string;
}

/** A block's link: its month, its place, the hash before it and its own. */
export interface ChainLink extends ChainTip {
  readonly period: number;
  readonly before: string;
}

/** Before the first block of a month. */
export const CHAIN_START: ChainTip = { place: 0, hash: '0'.repeat(64) };

/** A month as the table has it: 202208. */
export function periodNumber({ month }: BillingMonth): number {
  return Number(month.replace('-', ''));
}

/** Gives the last block of a month's chain. */
export async function chainTip(columns: ColumnStore, month: BillingMonth): Promise<ChainTip> {
  const rows = await columns.query<ChainTip>(
    'SELECT chain_place AS place, chain AS hash FROM postings WHERE chain_period = {period:UInt32} ORDER BY chain_place DESC LIMIT 1',
    { period: periodNumber(month) },
  );
  return rows[0] ?? CHAIN_START;
}

/**
 * Makes the next link of a month's chain.
 *
 * Takes  tip: the link before. postings: of the block. nowMs: when they are posted.
 * Holds  whoever changes a digit, a line, their order or the end of what was posted has another hash.
 * From   docs/reference/ledger-export.md
 */
export function nextLink(tip: ChainTip, month: BillingMonth, postings: readonly Linked[], nowMs: number): ChainLink {
  const place = tip.place + 1;
  const lines = postings.map(postingLine).sort();
  const text = [tip.hash, `${month.month} ${place} ${nowMs}`, ...lines, ''].join('\n');
  return {
    period: periodNumber(month),
    place,
    before: tip.hash,
    hash: createHash('sha256').update(text).digest('hex'),
  };
}

/** Versions with leading zeros, so that the order of lines is that of their characters. */
function postingLine({ slice, version, entry, fingerprint }: Linked): string {
  const id = sliceId(slice).toString('hex');
  const name = entry === 1 ? 'posting' : 'reversal';
  return `${id} ${String(version).padStart(10, '0')} ${name} ${fingerprint.toString('hex')}`;
}
