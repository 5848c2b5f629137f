import { FIXED_SOURCE, secondsOf } from '../cost/index.ts';
import type { TimeRange } from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';
import { OF_MONTH } from './sum-queries.ts';

export interface UnitSumRow {
  pool: string;
  kind: 'direct' | 'indirect';
  driver: string;
  /** What a step-down gave it to. */
  service: string;
  amount: string;
  /** What it was shared by: quantity x weight. */
  weight: string;
}

/** Sums a billing month's shares of tenants and of unattributed work, with what they were shared by; corrections of other months left out. */
export function unitSums(columns: ColumnStore, month: TimeRange, currency: string): Promise<UnitSumRow[]> {
  return columns.query<UnitSumRow>(
    // Slices of the same time in one pool, of two accounts for example, were shared by the same work: it counts once. So does work that
    // was measured by the hour and again by the month.
    `SELECT pool, kind, driver, service, toString(sum(of_length)) AS amount, toString(max(units_of_length)) AS weight FROM (
      SELECT pool, kind, driver, service, length, sum(of_period) AS of_length, sum(units_of_period) AS units_of_length FROM (
        SELECT pool, kind, driver, service, charge_start, length, sum(of_slice) AS of_period, max(units) AS units_of_period FROM (
          SELECT pool, kind, driver, service, slice, charge_start, toUnixTimestamp(charge_end) - toUnixTimestamp(charge_start) AS length,
            sum(amount) AS of_slice, sum(toInt256(weight) * toInt8(entry)) AS units
          FROM postings WHERE ledger IN ('tenant', 'unattributed') AND currency = {currency:String} AND ${OF_MONTH}
            AND toUnixTimestamp(restates) = 0 AND charge_start >= postings.billing_start
          GROUP BY pool, kind, driver, service, slice, charge_start, charge_end
        ) GROUP BY pool, kind, driver, service, charge_start, length
      ) GROUP BY pool, kind, driver, service, length
     ) GROUP BY pool, kind, driver, service HAVING sum(of_length) != 0 ORDER BY pool, kind, driver, service`,
    { ...secondsOf(month), currency, fixed: FIXED_SOURCE },
  );
}
