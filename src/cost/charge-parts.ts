import { inForce as conditionOf } from '../bill/index.ts';
import type { TimeRange } from '../model/index.ts';
import type { ColumnStore, StoredImport } from '../store/index.ts';
import type { CostModelSpec } from './cost-model.ts';
import { poolOfCharge } from './match-sql.ts';
import { secondsOf } from './queries.ts';
import { OUT_OF_SCOPE } from './slice.ts';

/** What charges can be looked at by. */
export const partDimensions = ['invoice', 'account', 'service', 'day'] as const;
export type PartDimension = (typeof partDimensions)[number];

const expressions = {
  invoice: "columns['InvoiceId']",
  account: 'account',
  service: "columns['ServiceName']",
  day: 'toString(toDate(charge_start))',
  category: "columns['ServiceCategory']",
} as const;

export interface ChargePartRow {
  readonly invoice: string;
  readonly of_account: string;
  readonly service: string;
  readonly day: string;
  readonly category: string;
  readonly source: string;
  readonly account: string;
  readonly currency: string;
  readonly billing_start: number;
  readonly charge_start: number;
  readonly charge_end: number;
  readonly pool: string;
  readonly n: string;
  readonly billed: string;
  readonly charges: string;
}

/**
 * Sums charges in force by what they are looked at by, and by what they are shared out with.
 *
 * Takes  spec: of the model whose pools and basis count; none: everything is out of scope, effective cost. onlyUnscoped: only what no pool
 *        takes, and not by what it is shared out with.
 */
export async function chargeParts(
  columns: ColumnStore,
  imports: readonly StoredImport[],
  spec: CostModelSpec | undefined,
  range: TimeRange,
  by: readonly (PartDimension | 'category')[],
  onlyUnscoped = false,
): Promise<ChargePartRow[]> {
  const pool = poolOfCharge(spec ?? { currency: '', basis: 'effective', pools: [] });
  const names = Object.keys(expressions) as (keyof typeof expressions)[];
  const parts = names.map((name) => `${by.includes(name) ? expressions[name] : "''"} AS k_${name}`);
  const heads = ['source', 'account', 'billing_start', 'charge_start', 'charge_end'];
  const own = heads.map((name) => (onlyUnscoped ? `any(${name})` : name));
  const keys = [...names.map((name) => `k_${name}`), 'currency', 'of_pool', ...(onlyUnscoped ? [] : heads)];
  const rows = await columns.query<Omit<ChargePartRow, 'pool'> & { of_pool: number }>(
    `SELECT k_invoice AS invoice, k_account AS of_account, k_service AS service, k_day AS day, k_category AS category, currency, of_pool,
      h_source AS source, h_account AS account, toUnixTimestamp(h_billing) AS billing_start, toUnixTimestamp(h_start) AS charge_start,
      toUnixTimestamp(h_end) AS charge_end, n, of_billed AS billed, charges
     FROM (
      SELECT ${parts.join(', ')}, currency, ${pool.sql} AS of_pool, ${own[0]} AS h_source, ${own[1]} AS h_account, ${own[2]} AS h_billing,
        ${own[3]} AS h_start, ${own[4]} AS h_end, count() AS n, sum(billed) AS of_billed, sum(${spec?.basis ?? 'effective'}) AS charges
      FROM charges
      WHERE (${conditionOf(imports)}) AND charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')
        ${onlyUnscoped ? `AND ${pool.sql} = -1` : ''}
      GROUP BY ${keys.join(', ')}
     ) ORDER BY invoice, of_account, service, day, category, currency, charge_start`,
    { ...pool.params, ...secondsOf(range) },
  );
  return rows.map((row) => ({ ...row, pool: spec?.pools[row.of_pool]?.id ?? OUT_OF_SCOPE }));
}
