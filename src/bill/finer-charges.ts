import { formatInstant, type TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { activeImports, inForce } from './queries.ts';

/**
 * Looks for charges in force whose periods begin or end within an hour.
 *
 * Takes  range: which they overlap.
 * Gives  words that name the first of them; null when there is none.
 */
export async function finerCharges(store: Store, { fromMs, toMs }: TimeRange): Promise<string | null> {
  const [row] = await store.columns.query<{ source: string; start: number; end: number }>(
    `SELECT source, toUnixTimestamp(charge_start) AS start, toUnixTimestamp(charge_end) AS end FROM charges
     WHERE (${inForce(await activeImports(store))}) AND (start % 3600 != 0 OR end % 3600 != 0)
       AND start < {to:Int64} AND end > {from:Int64} ORDER BY start LIMIT 1`,
    { from: Math.floor(fromMs / 1000), to: Math.ceil(toMs / 1000) },
  );
  if (row === undefined) return null;
  const period = `${formatInstant(row.start * 1000)} to ${formatInstant(row.end * 1000)}`;
  return `a charge of ${row.source} is for ${period}, and sums would be by the hour`;
}
