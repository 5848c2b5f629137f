import { inForce as conditionOf } from '../bill/index.ts';
import type { TimeRange } from '../model/index.ts';
import type { ColumnStore, StoredImport } from '../store/index.ts';
import type { CostModelSpec } from './cost-model.ts';
import { poolOfCharge } from './match-sql.ts';
import { secondsOf } from './queries.ts';
import { OUT_OF_SCOPE } from './slice.ts';

/** A charge with the pool that takes it. */
export interface ChargeRow {
  readonly import_id: string;
  readonly line: number;
  readonly source: string;
  readonly account: string;
  readonly currency: string;
  readonly billing_start: number;
  readonly billing_end: number;
  readonly charge_start: number;
  readonly charge_end: number;
  readonly billed: string;
  readonly effective: string;
  readonly list: string;
  readonly contracted: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly pool: string;
}

/**
 * Reads the charges in force that start in a range, each with its pool.
 *
 * Takes  spec: of the model that says which pool; one without pools puts everything out of scope.
 * Gives  rows by charge period, then as they stand in the export.
 */
export async function chargeRows(
  columns: ColumnStore,
  imports: readonly StoredImport[],
  spec: CostModelSpec,
  range: TimeRange,
): Promise<ChargeRow[]> {
  const pool = poolOfCharge(spec);
  const rows = await columns.query<Omit<ChargeRow, 'pool'> & { pool: number }>(
    `SELECT import_id, line, source, account, currency, toUnixTimestamp(billing_start) AS billing_start, toUnixTimestamp(billing_end) AS billing_end,
      toUnixTimestamp(charge_start) AS charge_start, toUnixTimestamp(charge_end) AS charge_end, billed, effective, list, contracted, columns, tags,
      ${pool.sql} AS pool
     FROM (
      SELECT * FROM charges
      WHERE (${conditionOf(imports)}) AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')
     ) ORDER BY charge_start, charge_end, import_id, line`,
    { ...pool.params, ...secondsOf(range) },
  );
  return rows.map((row) => ({ ...row, pool: spec.pools[row.pool]?.id ?? OUT_OF_SCOPE }));
}
