import { FIXED_SOURCE, type LedgerAccount, secondsOf } from '../cost/index.ts';
import { formatMoney, type TimeRange } from '../model/index.ts';
import type { ColumnStore, StoredPeriod } from '../store/index.ts';
import { postingsByDay } from './by-day.ts';
import { asOfParams, OF_BILL, postedUntil } from './queries.ts';

export interface LedgerSumRow {
  pool: string;
  kind: 'direct' | 'indirect';
  ledger: LedgerAccount;
  amount: string;
}

/** Sums the ledger by pool and account. */
export function sumByPool(
  columns: ColumnStore,
  range: TimeRange,
  currency: string,
  asOf?: Date,
): Promise<LedgerSumRow[]> {
  return columns.query<LedgerSumRow>(
    `SELECT pool, kind, ledger, sum(amount) AS amount FROM postings
     WHERE ledger != 'bill' AND currency = {currency:String} AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')${postedUntil(asOf)}
     GROUP BY pool, kind, ledger HAVING sum(toInt8(entry)) != 0 ORDER BY pool, kind, ledger`,
    { ...secondsOf(range), currency, ...asOfParams(asOf) },
  );
}

export type Dimension = 'tenant' | 'endpoint' | 'pool' | 'service' | 'day';

export interface CostSumRow {
  tenant: string;
  endpoint: string;
  pool: string;
  service: string;
  /** Such as 2022-08-01; empty where days were not asked for. */
  day: string;
  direct: string;
  indirect: string;
  models: string[];
  is_open: number;
}

/** Charges that cover something of the days of `touchParams`. */
export const CHARGES_TOUCH = ` AND (charge_end > toDateTime({days_from:UInt32}, 'UTC') OR charge_start >= toDateTime({days_from:UInt32}, 'UTC'))`;

export function touchParams({ fromMs, toMs }: TimeRange): { days_from: number; days_to: number } {
  return { days_from: fromMs / 1000, days_to: toMs / 1000 };
}

/**
 * Sums what tenants owe by the dimensions asked for, days in a zone; the others come back empty.
 *
 * Takes  days: the only ones that are wanted, whole ones of the zone; none: all that the charges of the range cover.
 */
export async function sumCosts(
  columns: ColumnStore,
  range: TimeRange,
  currency: string,
  by: readonly Dimension[],
  closed: readonly StoredPeriod[],
  zone: string,
  asOf?: Date,
  days?: TimeRange,
): Promise<CostSumRow[]> {
  const keys = (['tenant', 'endpoint', 'pool', 'service'] as const).map((name) =>
    by.includes(name) ? `${name} AS k_${name}` : `'' AS k_${name}`,
  );
  const closedKeys = closed.map(
    (period, place) =>
      `({s${place}:String}, {a${place}:String}, toDateTime(${Math.floor(Number(period.billing_start) / 1000)}, 'UTC'))`,
  );
  const params = Object.fromEntries(
    closed.flatMap((period, place) => [
      [`s${place}`, period.source],
      [`a${place}`, period.account],
    ]),
  );
  const isOpen =
    closedKeys.length === 0 ? '1 = 1' : `(source, account, billing_start) NOT IN (${closedKeys.join(', ')})`;
  const isByDay = by.includes('day');
  const ofTenants = `ledger = 'tenant' AND currency = {currency:String} AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')${postedUntil(asOf)}${days ? CHARGES_TOUCH : ''}`;
  const isWanted = days
    ? ` WHERE day >= toDate(toDateTime({days_from:UInt32}, 'UTC'), {zone:String}) AND day <= toDate(toDateTime({days_to:UInt32} - 1, 'UTC'), {zone:String})`
    : '';
  const sumOf = (kind: string) => `sumIf(${isByDay ? 'units' : 'amount'}, kind = '${kind}') AS ${kind}`;
  const rows = await columns.query<CostSumRow>(
    `SELECT k_tenant AS tenant, k_endpoint AS endpoint, k_pool AS pool, k_service AS service, k_day AS day, toString(direct) AS direct, toString(indirect) AS indirect, models, is_open FROM (
      SELECT ${keys.join(', ')}, ${isByDay ? 'toString(day)' : "''"} AS k_day, ${sumOf('direct')}, ${sumOf('indirect')},
        mapKeys(mapFilter((of_model, net) -> net != 0, sumMap(map(toString(model), toInt64(entry))))) AS models,
        sumIf(toInt64(entry), ${isOpen}) != 0 AS is_open
      FROM ${isByDay ? `${postingsByDay(ofTenants)}${isWanted}` : `postings WHERE ${ofTenants}`}
      GROUP BY k_tenant, k_endpoint, k_pool, k_service, k_day HAVING sum(toInt8(entry)) != 0
    ) ORDER BY tenant, endpoint, pool, service, day`,
    {
      ...secondsOf(range),
      currency,
      ...params,
      ...asOfParams(asOf),
      ...(isByDay && { zone }),
      ...(days && touchParams(days)),
    },
  );
  if (!isByDay) return rows;
  const money = (units: string) => formatMoney(BigInt(units));
  return rows.map((row) => ({ ...row, direct: money(row.direct), indirect: money(row.indirect) }));
}

/** A bill is of the month in which its billing period starts, a fixed amount of that in which it ends. */
export const OF_MONTH = `if(source = {fixed:String}, postings.billing_end - 1, postings.billing_start) >= toDateTime({from:UInt32}, 'UTC')
       AND if(source = {fixed:String}, postings.billing_end - 1, postings.billing_start) < toDateTime({to:UInt32}, 'UTC')`;

export function ofMonthParams(month: TimeRange): { from: number; to: number; fixed: string } {
  return { ...secondsOf(month), fixed: FIXED_SOURCE };
}

export interface PostedBillRow {
  source: string;
  account: string;
  currency: string;
  billing_start: number;
  billing_end: number;
  charge_from: number;
  charge_to: number;
  posted: string;
  /** Of it: what restates closed bills, and what other charges there are about a time before the bill's own. */
  restated: string;
  corrected: string;
}

/** Sums what was posted for the bills and fixed amounts of a month. */
export function sumByBill(columns: ColumnStore, range: TimeRange, asOf?: Date): Promise<PostedBillRow[]> {
  return columns.query<PostedBillRow>(
    `SELECT source, account, currency, toUnixTimestamp(billing_start) AS billing_start, toUnixTimestamp(billing_end) AS billing_end,
      toUnixTimestamp(min(charge_start)) AS charge_from, toUnixTimestamp(max(greatest(charge_end, charge_start + 1))) AS charge_to,
      -sum(amount) AS posted, -sumIf(amount, toUnixTimestamp(restates) != 0) AS restated,
      -sumIf(amount, toUnixTimestamp(restates) = 0 AND charge_start < postings.billing_start) AS corrected
     FROM postings WHERE ${OF_BILL} AND ${OF_MONTH}${postedUntil(asOf)}
     GROUP BY source, account, currency, billing_start, billing_end ORDER BY source, account, currency, billing_start`,
    { ...secondsOf(range), fixed: FIXED_SOURCE, ...asOfParams(asOf) },
  );
}

export interface UnattributedRow {
  source: string;
  account: string;
  currency: string;
  billing_start: number;
  charge_from: number;
  charge_to: number;
  drivers: string[];
  unattributed: string;
  amount: string;
}

/** Sums what was posted for each bill of a month and what of it is unattributed; credits count as amounts, slice by slice. */
export function unattributedByBill(columns: ColumnStore, range: TimeRange): Promise<UnattributedRow[]> {
  return columns.query<UnattributedRow>(
    `SELECT source, account, currency, billing_start, toUnixTimestamp(min(charge_start)) AS charge_from,
      toUnixTimestamp(max(greatest(charge_end, charge_start + 1))) AS charge_to, groupUniqArray(slice_driver) AS drivers,
      sum(abs(of_nobody)) AS unattributed, sum(abs(of_bill)) AS amount
     FROM (
      SELECT source, account, currency, toUnixTimestamp(postings.billing_start) AS billing_start, charge_start, charge_end, slice, version,
        toString(any(driver)) AS slice_driver, sumIf(postings.amount, ledger = 'unattributed') AS of_nobody, sumIf(postings.amount, ledger = 'bill') AS of_bill
      FROM postings
      WHERE ${OF_MONTH}
      GROUP BY source, account, currency, billing_start, charge_start, charge_end, slice, version
     )
     WHERE of_bill != 0 GROUP BY source, account, currency, billing_start`,
    { ...secondsOf(range), fixed: FIXED_SOURCE },
  );
}
