import { createHash } from 'node:crypto';
import { storedAmount } from '../cost/index.ts';
import { type BillingMonth, formatInstant, formatMoney } from '../model/index.ts';
import type { ColumnStore, Store } from '../store/index.ts';
import { CHAIN_START, chainTip, periodNumber } from './chain.ts';
import { bookMonth } from './ledger-slice.ts';
import { closedPeriods, OF_BILL, type SliceRow } from './queries.ts';

/** Shares that one query brings. */
const SHARES_AT_ONCE = 50_000;
const OF_BLOCK = 'chain_period = {period:UInt32} AND chain_place = {place:UInt32}';

interface BlockRow {
  place: number;
  before: string;
  hash: string;
  posted_at_ms: string;
  postings: string;
  shares: string;
}

interface PostingRow extends SliceRow {
  entry: 'posting' | 'reversal';
  amount: string;
  shares: string;
}

interface ShareRow {
  slice: string;
  version: number;
  entry: string;
  account: string;
  service: string;
  tenant: string;
  endpoint: string;
  weight: string;
  amount: string;
}

/**
 * Writes the books of a month as lines of JSON that can be checked without Taximeter.
 *
 * Takes  month: whose books. now: what the export says when it was made.
 * Gives  text in pieces: a head, every block of the chain with its postings and their shares, an end with the hash of all before it.
 * Holds  what bin/taximeter-verify.js checks; a changed digit, a missing, moved or cut line shows.
 * From   docs/reference/ledger-export.md
 */
export async function* exportLedger(store: Store, month: BillingMonth, now: Date): AsyncGenerator<string> {
  const { columns } = store;
  const hash = createHash('sha256');
  let lines = 0;
  const line = (value: object) => {
    const text = `${JSON.stringify(value)}\n`;
    hash.update(text);
    lines += 1;
    return text;
  };
  // Blocks that are added meanwhile come after the tip.
  const tip = await chainTip(columns, month);
  const blocks = await blocksOf(columns, month, tip.place);
  yield line({ ...(await headOf(store, month, blocks, now)), hash: blocks.at(-1)?.hash ?? CHAIN_START.hash });
  for (const block of blocks) {
    const { place, before, hash: own, postings } = block;
    const postedAtMs = Number(block.posted_at_ms);
    yield line({ type: 'block', place, before, postedAtMs, postings: Number(postings), hash: own });
    yield* blockLines(columns, { period: periodNumber(month), place }, line);
  }
  yield `${JSON.stringify({ type: 'end', lines, sha256: hash.digest('hex') })}\n`;
}

function blocksOf(columns: ColumnStore, month: BillingMonth, last: number): Promise<BlockRow[]> {
  return columns.query<BlockRow>(
    `SELECT chain_place AS place, chain_before AS before, chain AS hash, toUnixTimestamp64Milli(any(posted_at)) AS posted_at_ms,
      countIf(ledger = 'bill') AS postings, countIf(ledger != 'bill') AS shares
     FROM postings WHERE chain_period = {period:UInt32} AND chain_place <= {last:UInt32} GROUP BY place, before, hash ORDER BY place, hash`,
    { period: periodNumber(month), last },
  );
}

async function headOf(store: Store, month: BillingMonth, blocks: readonly BlockRow[], now: Date) {
  const sum = (of: (block: BlockRow) => string) => blocks.reduce((total, block) => total + Number(of(block)), 0);
  const closed = (await closedPeriods(store.documents)).filter(
    ({ source, billing_start, billing_end }) =>
      bookMonth({ source, billingStartMs: Number(billing_start), billingEndMs: Number(billing_end) }).month ===
      month.month,
  );
  return {
    type: 'ledger',
    version: 1,
    period: month.month,
    exportedAt: now.toISOString(),
    blocks: blocks.length,
    postings: sum(({ postings }) => postings),
    shares: sum(({ shares }) => shares),
    seals: closed.map((period) => ({
      source: period.source,
      account: period.account,
      currency: period.currency,
      billingStart: formatInstant(Number(period.billing_start)),
      closedAt: period.closed_at,
      charges: period.charges,
      place: period.seal_place,
      hash: period.seal,
    })),
  };
}

async function* blockLines(
  columns: ColumnStore,
  block: { period: number; place: number },
  line: (value: object) => string,
): AsyncGenerator<string> {
  const postings = await columns.query<PostingRow>(
    `SELECT lower(hex(slice)) AS slice, version, toString(entry) AS entry, lower(hex(fingerprint)) AS fingerprint, source, account, currency,
      toUnixTimestamp(billing_start) AS billing_start, toUnixTimestamp(billing_end) AS billing_end, toUnixTimestamp(charge_start) AS charge_start,
      toUnixTimestamp(charge_end) AS charge_end, toUnixTimestamp(restates) AS restates, pool, toString(kind) AS kind, model, driver, -amount AS amount,
      n - 1 AS shares
     FROM (SELECT * FROM postings WHERE ${OF_BLOCK} AND ${OF_BILL}) AS heads
     JOIN (SELECT slice, version, entry, count() AS n FROM postings WHERE ${OF_BLOCK} GROUP BY slice, version, entry) AS counts USING (slice, version, entry)
     ORDER BY slice, version, entry`,
    block,
  );
  const shares = sharesOf(columns, block);
  for (const posting of postings) {
    yield line(postingOf(posting));
    for (let n = Number(posting.shares); n > 0; n--) {
      const { value } = await shares.next();
      if (value) yield line(value);
    }
  }
}

function postingOf(row: PostingRow) {
  const { slice, version, entry, source, account, currency, pool, kind, model, driver, fingerprint } = row;
  const at = (seconds: number) => formatInstant(seconds * 1000);
  return {
    type: 'posting',
    ...{ slice, version, entry, source, account, currency },
    billingStart: at(row.billing_start),
    billingEnd: at(row.billing_end),
    chargeStart: at(row.charge_start),
    chargeEnd: at(row.charge_end),
    restates: row.restates === 0 ? null : at(row.restates),
    ...{ pool, kind, model, driver },
    amount: formatMoney(storedAmount(row.amount)),
    shares: Number(row.shares),
    fingerprint,
  };
}

/** All shares of a block in the order of its postings, some at a time: a block may have a million. */
async function* sharesOf(columns: ColumnStore, block: { period: number; place: number }) {
  for (let from = 0; ; from += SHARES_AT_ONCE) {
    const rows = await columns.query<ShareRow>(
      `SELECT hex(slice) AS slice, version, entry, toString(ledger) AS account, service, tenant, endpoint, toString(weight) AS weight, amount
       FROM postings WHERE ${OF_BLOCK} AND ledger != 'bill'
       ORDER BY postings.slice, version, toString(postings.entry), service, ledger = 'unattributed', tenant, endpoint, weight, amount LIMIT {from:UInt64}, {some:UInt64}`,
      { ...block, from, some: SHARES_AT_ONCE },
    );
    for (const { account, service, tenant, endpoint, weight, amount } of rows)
      yield { type: 'share', account, service, tenant, endpoint, weight, amount: formatMoney(storedAmount(amount)) };
    if (rows.length < SHARES_AT_ONCE) return;
  }
}
