import type { ColumnStore } from '../../store/index.ts';
import { type Cut, cuts, longerCuts, SLOT_MS } from './cuts.ts';

export async function readLargestRolled(columns: ColumnStore): Promise<number> {
  const [row] = await columns.query<{ largest: string }>('SELECT max(marker) AS largest FROM usage_rollup');
  return Number(row!.largest);
}

/** Batches that are counted by minute and not in the rollups, with the rows of calls that they have. */
export async function readCounted(columns: ColumnStore, since: number): Promise<{ batch: number; rows: number }[]> {
  const markers = await columns.query<{ marker: string }>(
    `SELECT DISTINCT marker FROM usage_minute WHERE marker > {since:UInt64}
      AND marker NOT IN (SELECT marker FROM usage_rollup WHERE marker > {since:UInt64}) ORDER BY marker`,
    { since },
  );
  if (markers.length === 0) return [];
  const sizes = await columns.query<{ batch: string; n: string }>(
    `SELECT batch, count() AS n FROM work WHERE is_call = 1 AND batch >= {first:UInt64} AND batch <= {last:UInt64} GROUP BY batch`,
    { first: markers[0]!.marker, last: markers.at(-1)!.marker },
  );
  const rows = new Map(sizes.map(({ batch, n }) => [batch, Number(n)]));
  return markers.map(({ marker }) => ({ batch: Number(marker), rows: rows.get(marker) ?? 0 }));
}

const SLOT_SECONDS = SLOT_MS / 1000;
const slotOf = `toDateTime(intDiv(toUnixTimestamp(toDateTime(start_at, 'UTC')), ${SLOT_SECONDS}) * ${SLOT_SECONDS}, 'UTC')`;
const dayOf = "toStartOfDay(toDateTime(start_at, 'UTC'), 'UTC')";
const startOf = { week: 'toMonday(own_slot)', month: 'toStartOfMonth(own_slot)' } as const;

/**
 * A cut of the calls of batches, and the longer ones that it adds up to. Each is grouped by itself: by few columns in their own types,
 * which is much the cheapest. Rows of weeks and months are those of days under another name: the table adds them up, of a block
 * before it is written.
 */
function cutSql(cut: Cut, batches: string): string {
  const { id, grain, by } = cut;
  const keys = (['tenant', 'endpoint', 'consumer'] as const).map((name) =>
    by.includes(name) ? name : `'' AS ${name}`,
  );
  const longer = grain === 'day' ? longerCuts(cut) : [];
  const named = longer.map((each) => `(${each.id}, toDateTime(${startOf[each.grain as 'week' | 'month']}, 'UTC'))`);
  return `SELECT 0 AS marker, toUInt8(named.1) AS cut, toDate(named.2, 'UTC') AS day, ${keys.join(', ')}, named.2 AS slot, n, n_known, n_errors FROM (
      SELECT ${[...by, `${grain === 'day' ? dayOf : slotOf} AS own_slot`].join(', ')},
        sum(sign * toInt128(share)) AS n, sum(sign * toInt128(share) * is_weight_known) AS n_known,
        sum(sign * toInt128(share) * is_error) AS n_errors
      FROM work WHERE ${batches} AND is_call = 1 GROUP BY ${['own_slot', ...by].join(', ')} HAVING n != 0 OR n_known != 0 OR n_errors != 0
    ) ARRAY JOIN [${[`(${id}, own_slot)`, ...named].join(', ')}] AS named`;
}

/**
 * Adds batches to the rollups, with the markers that say so: one block, all or nothing.
 *
 * Takes  batches: ascending, none of them in the rollups. A correction is a batch like any other: what is no longer right counts as minus.
 */
export function insertBatches(columns: ColumnStore, batches: readonly number[]): Promise<void> {
  const list = `[${batches.join(',')}]`;
  const within = `batch >= {first:UInt64} AND batch <= {last:UInt64} AND has(${list}, batch)`;
  return columns.command(
    `INSERT INTO usage_rollup (marker, cut, day, tenant, endpoint, consumer, slot, calls, known, errors)
      ${cuts
        .filter(({ grain }) => grain === 'slot' || grain === 'day')
        .map((cut) => cutSql(cut, within))
        .join(' UNION ALL ')}
      UNION ALL
      SELECT arrayJoin(${list}), 0, toDate(0), '', '', '', toDateTime(0, 'UTC'), 1, 0, 0
      SETTINGS max_insert_threads = 1, min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0`,
    { first: batches[0], last: batches.at(-1) },
    `usage_rollup-${batches.join('-').slice(0, 100)}-${batches.length}-${batches.at(-1)}`,
  );
}
