import { emptyShares, type Slice, type SliceShares, secondsOf, storedAmount } from '../cost/index.ts';
import type { Driver, TimeRange } from '../model/index.ts';
import { type ColumnStore, type DocumentStore, RowReader, type StoredPeriod, type Texts } from '../store/index.ts';

/** What stands behind the texts of a share: its account, its weight, its amount. */
const SHARE_BYTES = 1 + 16 + 16;

const sliceColumns = `hex(slice) AS slice, version, hex(fingerprint) AS fingerprint, source, account, currency,
  toUnixTimestamp(billing_start) AS billing_start, toUnixTimestamp(billing_end) AS billing_end,
  toUnixTimestamp(charge_start) AS charge_start, toUnixTimestamp(charge_end) AS charge_end, pool, kind, model, driver`;

interface SliceRow {
  slice: string;
  version: number;
  fingerprint: string;
  source: string;
  account: string;
  currency: string;
  billing_start: number;
  billing_end: number;
  charge_start: number;
  charge_end: number;
  pool: string;
  kind: 'direct' | 'indirect';
  model: string;
  driver: Driver | '';
}

/** A posting in force. */
export interface PostedSlice {
  readonly id: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly slice: Slice;
}

/** Gives the postings in force of slices that start in a range. */
export async function postedSlices(columns: ColumnStore, range: TimeRange): Promise<Map<string, PostedSlice>> {
  const rows = await columns.query<SliceRow & { amount: string }>(
    `SELECT ${sliceColumns}, -sum(amount) AS amount FROM postings
     WHERE ledger = 'bill' AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')
     GROUP BY slice, version, fingerprint, source, account, currency, billing_start, billing_end, charge_start, charge_end, pool, kind, model, driver
     HAVING sum(toInt8(entry)) > 0`,
    secondsOf(range),
  );
  return new Map(
    rows.map((row) => [
      row.slice,
      {
        id: row.slice,
        version: row.version,
        fingerprint: row.fingerprint,
        slice: {
          source: row.source,
          account: row.account,
          currency: row.currency,
          billingStartMs: Number(row.billing_start) * 1000,
          billingEndMs: Number(row.billing_end) * 1000,
          chargeStartMs: Number(row.charge_start) * 1000,
          chargeEndMs: Number(row.charge_end) * 1000,
          poolId: row.pool,
          kind: row.kind,
          driver: row.driver,
          model: row.model,
          pool: null,
          amountAtto: storedAmount(row.amount),
        },
      },
    ]),
  );
}

/** Gives the shares of one posting, to reverse them. Takes  texts: gets those that it does not have yet. */
export async function postedShares(columns: ColumnStore, posted: PostedSlice, texts: Texts): Promise<SliceShares> {
  const bytes = await columns.queryBytes(
    `SELECT service, tenant, endpoint, toInt8(ledger), toInt128(weight), amount FROM postings
     WHERE slice = unhex({id:String}) AND version = {version:UInt32} AND entry = 'posting' AND ledger != 'bill'
       AND charge_start = toDateTime({start:UInt32}, 'UTC')`,
    { id: posted.id, version: posted.version, start: posted.slice.chargeStartMs / 1000 },
  );
  const count = RowReader.countRows(bytes, 3, SHARE_BYTES);
  const shares = emptyShares(texts, count);
  const reader = new RowReader(bytes);
  for (let place = 0; place < count; place++) {
    shares.services[place] = reader.text(texts);
    shares.tenants[place] = reader.text(texts);
    shares.endpoints[place] = reader.text(texts);
    shares.accounts[place] = reader.u8();
    reader.words128(shares.weights.words, place);
    reader.words128(shares.amounts.words, place);
  }
  return shares;
}

/** Gives the largest version that each slice of a range has ever had. */
export async function lastVersions(columns: ColumnStore, range: TimeRange): Promise<Map<string, number>> {
  const rows = await columns.query<{ id: string; last: number }>(
    `SELECT hex(slice) AS id, max(version) AS last FROM postings
     WHERE ledger = 'bill' AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC') GROUP BY slice`,
    secondsOf(range),
  );
  return new Map(rows.map((row) => [row.id, row.last]));
}

/** Reads the billing periods that are closed. */
export function closedPeriods(documents: DocumentStore): Promise<StoredPeriod[]> {
  return documents.selectFrom('period').selectAll().execute();
}
