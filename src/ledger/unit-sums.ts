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
    `SELECT pool, kind, driver, service, toString(total) AS amount, toString(units) AS weight FROM (
      SELECT pool, kind, driver, service, sum(amount) AS total, sum(toInt256(weight) * toInt8(entry)) AS units
      FROM postings WHERE ledger IN ('tenant', 'unattributed') AND currency = {currency:String} AND ${OF_MONTH}
        AND toUnixTimestamp(restates) = 0 AND charge_start >= postings.billing_start
      GROUP BY pool, kind, driver, service
     ) WHERE total != 0 ORDER BY pool, kind, driver, service`,
    { ...secondsOf(month), currency, fixed: FIXED_SOURCE },
  );
}
