import { type Driver, fail, MILLIS_PER_MINUTE, measuredDrivers, type TimeRange } from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';
import type { Dimension } from './sum-queries.ts';

/** Calls of one group, in millionths. */
export interface CallTotal {
  readonly tenant: string;
  readonly endpoint: string;
  readonly calls: bigint;
  readonly known: bigint;
}

/** Gives calls by tenant and endpoint, as far as these are asked for; keyed by both. */
export async function callTotals(
  columns: ColumnStore,
  range: TimeRange,
  by: readonly Dimension[],
): Promise<Map<string, CallTotal>> {
  if (range.fromMs % MILLIS_PER_MINUTE !== 0 || range.toMs % MILLIS_PER_MINUTE !== 0) {
    throw fail('PARAMETER_INVALID', { reason: 'from and to must be whole minutes' });
  }
  const rows = await columns.query<{ k_tenant: string; k_endpoint: string; n: string; n_known: string }>(
    `SELECT ${key('tenant', by)}, ${key('endpoint', by)}, sum(calls) AS n, sum(known) AS n_known FROM usage_minute
     WHERE marker = 0 AND minute >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND minute < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
     GROUP BY k_tenant, k_endpoint HAVING n != 0`,
    { from: range.fromMs, to: range.toMs },
  );
  return new Map(
    rows.map(({ k_tenant: tenant, k_endpoint: endpoint, n, n_known }) => [
      JSON.stringify([tenant, endpoint]),
      { tenant, endpoint, calls: BigInt(n), known: BigInt(n_known) },
    ]),
  );
}

/**
 * Gives the share of calls for which every one of these drivers was measured somewhere in their work.
 * Null when none of the drivers depends on a measurement: then all calls are covered.
 */
export async function measuredShares(
  columns: ColumnStore,
  range: TimeRange,
  by: readonly Dimension[],
  drivers: readonly Driver[],
): Promise<Map<string, number> | null> {
  if (drivers.length === 0) return null;
  const has = drivers.map((driver) => (driver === 'busy_us' ? 'max(is_timed) = 1' : `max(${driver} IS NOT NULL) = 1`));
  const rows = await columns.query<{ k_tenant: string; k_endpoint: string; covered: number | null }>(
    `SELECT ${key('tenant', by)}, ${key('endpoint', by)}, sumIf(root_share, is_covered) / sum(root_share) AS covered FROM (
      SELECT tenant, endpoint, sumIf(toFloat64(share) * sign, is_call = 1) AS root_share, ${has.join(' AND ')} AS is_covered FROM work
      WHERE tenant != '' AND start_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND start_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
      GROUP BY call_trace, call_span, tenant, endpoint HAVING root_share > 0
    ) GROUP BY k_tenant, k_endpoint`,
    { from: range.fromMs, to: range.toMs },
  );
  return new Map(
    rows.flatMap(({ k_tenant, k_endpoint, covered }) =>
      covered === null ? [] : [[JSON.stringify([k_tenant, k_endpoint]), covered]],
    ),
  );
}

/** Drivers whose absence shows in coverage, each once. */
export function depends(drivers: readonly (Driver | '')[]): Driver[] {
  const used = new Set(drivers.flatMap((driver) => (driver === '' ? [] : [driver])));
  return [...used].filter((driver) => measuredDrivers.includes(driver) || driver === 'busy_us');
}

function key(name: 'tenant' | 'endpoint', by: readonly Dimension[]): string {
  return by.includes(name) ? `${name} AS k_${name}` : `'' AS k_${name}`;
}
