import { createHash } from 'node:crypto';
import { Int128Column, type SliceShares } from '../cost/index.ts';
import { assert } from '../model/index.ts';
import { Block } from '../store/index.ts';
import type { ChainLink } from './chain.ts';
import { sliceId } from './fingerprint.ts';
import type { LedgerSlice as Slice } from './ledger-slice.ts';

/** The other side of every posting, beside the accounts of shares. */
const BILL_NUMBER = 5;
/** The table keeps weights as numbers of 256 bits. */
const WEIGHT_WORDS = 8;
const kindNumbers = { direct: 1, indirect: 2 } as const;

/** A posting of a slice, or what takes one back. */
export interface Posting {
  readonly slice: Slice;
  readonly shares: SliceShares;
  /** Of 32 bytes. */
  readonly fingerprint: Buffer;
  readonly version: number;
  readonly entry: 1 | -1;
}

/** How many rows a posting is: its shares, and the bill's account on the other side. */
export function rowsOf({ shares }: Posting): number {
  return shares.accounts.length + 1;
}

/**
 * Names what is to be inserted: a posting of a version is made once, so two different blocks never have the same name.
 * The same postings sent once more do, and an engine that remembers names takes them once.
 */
export function blockToken(postings: readonly Posting[]): string {
  const hash = createHash('sha256');
  for (const { slice, version, entry } of postings) hash.update(sliceId(slice)).update(Int32Array.of(version, entry));
  return `postings-${hash.digest('hex').slice(0, 32)}`;
}

/**
 * Writes postings as one block, each with its bill's line before its shares.
 *
 * Takes  postings: their shares all with the same texts. nowMs: when they are posted. link: the block's place in the chain of its month.
 * Holds  the amounts of every posting add up to zero.
 */
export function postingBlock(postings: readonly Posting[], nowMs: number, link: ChainLink): Block {
  const block = new Block(postings.reduce((rows, posting) => rows + rowsOf(posting), 0));
  const now = int64(nowMs);
  block.constant('batch', 'UInt64', now);
  block.constant('posted_at', "DateTime64(3, 'UTC')", now);
  block.constant('chain_period', 'UInt32', uint32(link.period));
  block.constant('chain_place', 'UInt32', uint32(link.place));
  block.text('chain_before', link.before);
  block.text('chain', link.hash);
  addHeads(block, postings);
  addShares(block, postings);
  return block;
}

/** Adds what is the same in all rows of a posting. */
function addHeads(block: Block, postings: readonly Posting[]): void {
  const fixed = (name: string, type: string, of: (posting: Posting) => Uint8Array) => {
    const runs = postings.map((posting) => ({ value: of(posting), rows: rowsOf(posting) }));
    block.runs(name, type, runs);
  };
  const second = (name: string, msOf: (slice: Slice) => number) =>
    fixed(name, "DateTime('UTC')", ({ slice }) => uint32(msOf(slice) / 1000));
  const text = (name: string, of: (slice: Slice) => string) => {
    const runs = postings.map((posting) => ({ value: of(posting.slice), rows: rowsOf(posting) }));
    block.textRuns(name, runs);
  };
  fixed('slice', 'FixedString(16)', ({ slice }) => sliceId(slice));
  fixed('version', 'UInt32', ({ version }) => uint32(version));
  fixed('fingerprint', 'FixedString(16)', ({ fingerprint }) => fingerprint.subarray(0, 16));
  fixed('entry', 'Int8', ({ entry }) => Uint8Array.of(entry & 0xff));
  text('source', ({ source }) => source);
  text('account', ({ account }) => account);
  text('currency', ({ currency }) => currency);
  second('billing_start', ({ billingStartMs }) => billingStartMs);
  second('billing_end', ({ billingEndMs }) => billingEndMs);
  second('charge_start', ({ chargeStartMs }) => chargeStartMs);
  second('charge_end', ({ chargeEndMs }) => chargeEndMs);
  second('restates', ({ restatesMs = 0 }) => restatesMs);
  text('pool', ({ poolId }) => poolId);
  fixed('kind', 'Int8', ({ slice }) => Uint8Array.of(kindNumbers[slice.kind]));
  text('model', ({ model }) => model);
  text('driver', ({ driver }) => driver);
}

function addShares(block: Block, postings: readonly Posting[]): void {
  const ledgers = new Uint8Array(block.rows).fill(BILL_NUMBER);
  const [services, tenants, endpoints] = [column(block.rows), column(block.rows), column(block.rows)];
  const weights = new Uint32Array(WEIGHT_WORDS * block.rows);
  const amounts = Int128Column.zeros(block.rows);
  let row = 0;
  for (const { slice, shares, entry } of postings) {
    const sum = shares.amounts.sum();
    assert(sum === slice.amountAtto, 'the shares of a slice add up to its amount');
    amounts.set(row, -sum * BigInt(entry));
    row += 1;
    ledgers.set(shares.accounts, row);
    services.set(shares.services, row);
    tenants.set(shares.tenants, row);
    endpoints.set(shares.endpoints, row);
    widen(shares.weights, weights, row);
    amounts.words.set((entry === 1 ? shares.amounts : shares.amounts.negated()).words, 4 * row);
    row += shares.accounts.length;
  }
  const texts = postings[0]!.shares.texts;
  block.fixed('ledger', 'Int8', ledgers);
  block.texts('service', texts, services);
  block.texts('tenant', texts, tenants);
  block.texts('endpoint', texts, endpoints);
  block.fixed('weight', 'Decimal(76, 0)', weights);
  block.fixed('amount', 'Decimal(38, 18)', amounts.words);
}

/** Weights are not negative: the words above theirs are zero. */
function widen({ words }: Int128Column, target: Uint32Array, row: number): void {
  for (let from = 0, to = WEIGHT_WORDS * row; from < words.length; from += 4, to += WEIGHT_WORDS) {
    for (let word = 0; word < 4; word++) target[to + word] = words[from + word]!;
  }
}

function column(rows: number): Uint32Array {
  return new Uint32Array(rows);
}

function uint32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function int64(value: number): Uint8Array {
  return new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
}
