import { type PoolDriver, secondsOf, storedAmount } from '../cost/index.ts';
import type { TimeRange } from '../model/index.ts';
import type { ColumnStore, DocumentStore, QueryParams, StoredPeriod } from '../store/index.ts';
import type { LedgerSlice } from './ledger-slice.ts';

const sliceColumns = `hex(slice) AS slice, version, hex(fingerprint) AS fingerprint, source, account, currency,
  toUnixTimestamp(billing_start) AS billing_start, toUnixTimestamp(billing_end) AS billing_end,
  toUnixTimestamp(charge_start) AS charge_start, toUnixTimestamp(charge_end) AS charge_end, toUnixTimestamp(restates) AS restates, pool, kind, model, driver`;

/** What every posting says of its slice. */
export interface SliceRow {
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
  restates: number;
  pool: string;
  kind: 'direct' | 'indirect';
  model: string;
  driver: PoolDriver | '';
}

/** A posting in force. */
export interface PostedSlice {
  readonly id: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly slice: LedgerSlice;
}

/** The bill's side of postings; its texts are empty, by which the table's order finds it. */
export const OF_BILL = "ledger = 'bill' AND tenant = '' AND endpoint = ''";
const IN_RANGE = "charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')";

/** Restricts postings to those made until a moment; to all without one. Its value is the parameter `asOf`. */
export function postedUntil(asOf: Date | undefined): string {
  return asOf ? " AND posted_at <= fromUnixTimestamp64Milli({asOf:Int64}, 'UTC')" : '';
}

export function asOfParams(asOf: Date | undefined): { asOf?: number } {
  return asOf ? { asOf: asOf.getTime() } : {};
}

/** Gives the postings in force of slices that start in a range, by slice. Takes  asOf: those in force then; none: now. */
export async function postedSlices(
  columns: ColumnStore,
  range: TimeRange,
  asOf?: Date,
): Promise<Map<string, PostedSlice>> {
  const condition = `${IN_RANGE}${postedUntil(asOf)}`;
  const posted = await standing(columns, condition, { ...secondsOf(range), ...asOfParams(asOf) });
  return new Map(posted.map((each) => [each.id, each]));
}

/** Gives the slices in force of these bills and of what restates them, in bills of any period. */
export async function postedOfBills(
  columns: ColumnStore,
  range: TimeRange,
  bills: readonly Pick<StoredPeriod, 'billing_start'>[],
): Promise<LedgerSlice[]> {
  const starts = [...new Set(bills.map((bill) => `toDateTime(${Number(bill.billing_start) / 1000}, 'UTC')`))].join(
    ', ',
  );
  const condition = `${IN_RANGE} AND (billing_start IN (${starts}) OR restates IN (${starts}))`;
  return (await standing(columns, condition, secondsOf(range))).map(({ slice }) => slice);
}

/** Gives the postings in force of the bills and fixed amounts of a month. */
export function postedOfMonth(
  columns: ColumnStore,
  month: TimeRange,
  fixed: string,
  asOf?: Date,
): Promise<PostedSlice[]> {
  const start = 'if(source = {fixed:String}, postings.billing_end - 1, postings.billing_start)';
  const condition = `${start} >= toDateTime({from:UInt32}, 'UTC') AND ${start} < toDateTime({to:UInt32}, 'UTC')${postedUntil(asOf)}`;
  return standing(columns, condition, { ...secondsOf(month), fixed, ...asOfParams(asOf) });
}

async function standing(columns: ColumnStore, condition: string, params: QueryParams): Promise<PostedSlice[]> {
  const rows = await columns.query<SliceRow & { amount: string }>(
    `SELECT ${sliceColumns}, -sum(amount) AS amount FROM postings
     WHERE ${OF_BILL} AND ${condition}
     GROUP BY slice, version, fingerprint, source, account, currency, billing_start, billing_end, charge_start, charge_end, restates, pool, kind, model, driver
     HAVING sum(toInt8(entry)) > 0`,
    params,
  );
  return rows.map((row) => ({
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
      restatesMs: Number(row.restates) === 0 ? undefined : Number(row.restates) * 1000,
      poolId: row.pool,
      kind: row.kind,
      driver: row.driver,
      model: row.model,
      pool: null,
      amountAtto: storedAmount(row.amount),
    },
  }));
}

/** Gives the largest version that each slice of a range has ever had. */
export async function lastVersions(columns: ColumnStore, range: TimeRange): Promise<Map<string, number>> {
  const rows = await columns.query<{ id: string; last: number }>(
    `SELECT hex(slice) AS id, max(version) AS last FROM postings
     WHERE ${OF_BILL} AND ${IN_RANGE} GROUP BY slice`,
    secondsOf(range),
  );
  return new Map(rows.map((row) => [row.id, row.last]));
}

/** Reads the billing periods that are closed. Takes  asOf: those that were closed then; none: now. */
export function closedPeriods(documents: DocumentStore, asOf?: Date): Promise<StoredPeriod[]> {
  const periods = documents.selectFrom('period').selectAll().orderBy('id');
  return (asOf ? periods.where('closed_at', '<=', asOf.toISOString()) : periods).execute();
}
