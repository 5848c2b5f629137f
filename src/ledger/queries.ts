import type { LedgerAccount, Slice } from '../cost/index.ts';
import { type Driver, parseMoney, type TimeRange } from '../model/index.ts';
import type { ColumnStore, DocumentStore, StoredPeriod } from '../store/index.ts';

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
          amountAtto: parseMoney(row.amount).amountAtto,
        },
      },
    ]),
  );
}

export interface ShareRow {
  ledger: LedgerAccount;
  service: string;
  tenant: string;
  endpoint: string;
  weight: string;
  amount: string;
}

/** Gives the shares of one posting, to reverse them. */
export function postedShares(columns: ColumnStore, posted: PostedSlice): Promise<ShareRow[]> {
  return columns.query<ShareRow>(
    `SELECT ledger, service, tenant, endpoint, toString(weight) AS weight, amount FROM postings
     WHERE slice = unhex({id:String}) AND version = {version:UInt32} AND entry = 'posting' AND ledger != 'bill'
       AND charge_start = toDateTime({start:UInt32}, 'UTC')`,
    { id: posted.id, version: posted.version, start: posted.slice.chargeStartMs / 1000 },
  );
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

export interface LedgerSumRow {
  pool: string;
  kind: 'direct' | 'indirect';
  ledger: LedgerAccount;
  amount: string;
}

/** Sums the ledger by pool and account. */
export function sumByPool(columns: ColumnStore, range: TimeRange, currency: string): Promise<LedgerSumRow[]> {
  return columns.query<LedgerSumRow>(
    `SELECT pool, kind, ledger, sum(amount) AS amount FROM postings
     WHERE ledger != 'bill' AND currency = {currency:String} AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')
     GROUP BY pool, kind, ledger HAVING sum(toInt8(entry)) != 0 ORDER BY pool, kind, ledger`,
    { ...secondsOf(range), currency },
  );
}

export type Dimension = 'tenant' | 'endpoint' | 'pool' | 'service';

export interface CostSumRow {
  tenant: string;
  endpoint: string;
  pool: string;
  service: string;
  direct: string;
  indirect: string;
  models: string[];
  is_open: number;
}

/** Sums what tenants owe by the dimensions asked for; the others come back empty. */
export function sumCosts(
  columns: ColumnStore,
  range: TimeRange,
  currency: string,
  by: readonly Dimension[],
  closed: readonly StoredPeriod[],
): Promise<CostSumRow[]> {
  const keys = (['tenant', 'endpoint', 'pool', 'service'] as const).map((name) =>
    by.includes(name) ? `${name} AS k_${name}` : `'' AS k_${name}`,
  );
  const closedKeys = closed.map(
    (period, place) =>
      `({s${place}:String}, {a${place}:String}, toDateTime(${Math.floor(period.billing_start / 1000)}, 'UTC'))`,
  );
  const params = Object.fromEntries(
    closed.flatMap((period, place) => [
      [`s${place}`, period.source],
      [`a${place}`, period.account],
    ]),
  );
  const isOpen = closedKeys.length === 0 ? '1' : `(source, account, billing_start) NOT IN (${closedKeys.join(', ')})`;
  return columns.query<CostSumRow>(
    `SELECT k_tenant AS tenant, k_endpoint AS endpoint, k_pool AS pool, k_service AS service, direct, indirect, models, is_open FROM (
      SELECT ${keys.join(', ')}, sumIf(amount, kind = 'direct') AS direct, sumIf(amount, kind = 'indirect') AS indirect,
        arraySort(groupUniqArrayIf(toString(model), entry = 'posting')) AS models, max(${isOpen}) AS is_open
      FROM postings
      WHERE ledger = 'tenant' AND currency = {currency:String} AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')
      GROUP BY k_tenant, k_endpoint, k_pool, k_service HAVING sum(toInt8(entry)) != 0
    ) ORDER BY tenant, endpoint, pool, service`,
    { ...secondsOf(range), currency, ...params },
  );
}

export interface PostedBillRow {
  source: string;
  account: string;
  currency: string;
  billing_start: number;
  billing_end: number;
  posted: string;
}

/** Sums what was posted for each bill whose billing period starts in a range. */
export function sumByBill(columns: ColumnStore, range: TimeRange): Promise<PostedBillRow[]> {
  return columns.query<PostedBillRow>(
    `SELECT source, account, currency, toUnixTimestamp(billing_start) AS billing_start, toUnixTimestamp(billing_end) AS billing_end,
      -sum(amount) AS posted
     FROM postings WHERE ledger = 'bill' AND billing_start >= toDateTime({from:UInt32}, 'UTC') AND billing_start < toDateTime({to:UInt32}, 'UTC')
     GROUP BY source, account, currency, billing_start, billing_end ORDER BY source, account, currency, billing_start`,
    secondsOf(range),
  );
}

/** Reads the billing periods that are closed. */
export function closedPeriods(documents: DocumentStore): Promise<StoredPeriod[]> {
  return documents.selectFrom('period').selectAll().execute();
}

function secondsOf(range: TimeRange): { from: number; to: number } {
  const clamp = (ms: number) => Math.min(Math.max(0, Math.ceil(ms / 1000)), 4_294_967_295);
  return { from: clamp(range.fromMs), to: clamp(range.toMs) };
}
