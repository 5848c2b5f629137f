import type { TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import { type Choice, type Dimension, dimensionSql } from '../sums/dimensions.ts';
import { callsWithin, checkCallsKept, sumCalls } from '../sums/sum-calls.ts';
import { readPresence, type Standing } from './freshness.ts';

export interface SequencesQuestion {
  readonly range: TimeRange;
  readonly only: Choice;
  /** How many consumers, those with the most calls. */
  readonly users: number;
  /** How many calls make a sequence. */
  readonly length: number;
}

export interface SequenceRow {
  readonly sequence: string;
  readonly times: number;
  readonly users: number;
}

export interface SequencesReport extends Standing {
  readonly users: number;
  /** Calls of these users that were looked at. */
  readonly calls: number;
  /** Whether a user has more calls than were looked at: the latest were. */
  readonly isCut: boolean;
  readonly rows: readonly SequenceRow[];
}

const MOST_CALLS_PER_USER = 10_000;
const LONGEST_PAUSE_SECONDS = 1_800;
const SHOWN = 1_000;

/**
 * Says which endpoints the consumers with the most calls use one after the other.
 *
 * Gives  sequences of neighbouring calls of one consumer without a pause of more than half an hour, the most frequent first.
 * Fails  RANGE_DROPPED where single calls of the range were let go.
 */
export async function sequencesReport(store: Store, question: SequencesQuestion, now: Date): Promise<SequencesReport> {
  const { range, only, users, length } = question;
  await checkCallsKept(store.columns, range);
  const presence = await readPresence(store.columns, range, now);
  const sums = await sumCalls(store.columns, { ranges: [range], by: ['tenant', 'consumer'], only, isByRange: false });
  const power = sums
    .filter(({ keys }) => keys.consumer !== '')
    .sort((a, b) => (a.calls < b.calls ? 1 : -1))
    .slice(0, users);
  if (power.length === 0) return { users: 0, calls: 0, isCut: false, rows: [], ...presence.standing(range, 0n, 0n) };
  const chosen = (Object.keys(only) as Dimension[]).map(
    (name) => `${dimensionSql[name]} IN ({only_${name}:Array(String)})`,
  );
  const walks = `SELECT tenant, consumer, length(walk) AS n, walk FROM (
      SELECT tenant, consumer, arraySort(groupArray(${MOST_CALLS_PER_USER})((at, endpoint))) AS walk FROM (
        SELECT tenant, consumer, endpoint, start_at AS at FROM work
        WHERE is_call = 1 AND ${callsWithin(range)} AND (tenant, consumer) IN (
          SELECT pair.1, pair.2 FROM (SELECT arrayJoin(arrayZip({tenants:Array(String)}, {consumers:Array(String)})) AS pair))
          ${chosen.map((condition) => ` AND ${condition}`).join('')}
        GROUP BY tenant, consumer, endpoint, at, trace_id, span_id HAVING sum(sign) > 0 ORDER BY at DESC
      ) GROUP BY tenant, consumer)`;
  const params = {
    ...Object.fromEntries(Object.entries(only).map(([name, values]) => [`only_${name}`, values])),
    tenants: power.map(({ keys }) => keys.tenant),
    consumers: power.map(({ keys }) => keys.consumer),
  };
  const rows = await store.columns.query<{ sequence: string; times: string; users: string }>(
    `SELECT arrayStringConcat(steps, ' > ') AS sequence, count() AS times, uniqExact(tenant, consumer) AS users FROM (${walks})
     ARRAY JOIN arrayMap(i -> arrayMap(j -> walk[i + j].2, range(${length})),
       arrayFilter(i -> arrayAll(j -> toUnixTimestamp64Milli(walk[i + j + 1].1) - toUnixTimestamp64Milli(walk[i + j].1) <= ${LONGEST_PAUSE_SECONDS * 1000}, range(${length - 1})),
         range(1, greatest(1, toInt64(n) - ${length} + 2)))) AS steps
     GROUP BY steps ORDER BY times DESC, sequence LIMIT ${SHOWN}`,
    params,
  );
  const [size] = await store.columns.query<{ looked_at: string; largest: string }>(
    `SELECT sum(n) AS looked_at, max(n) AS largest FROM (${walks})`,
    params,
  );
  return {
    ...{
      users: power.length,
      calls: Number(size?.looked_at ?? 0),
      isCut: Number(size?.largest ?? 0) >= MOST_CALLS_PER_USER,
    },
    rows: rows.map(({ sequence, times, users: many }) => ({ sequence, times: Number(times), users: Number(many) })),
    ...presence.standing(range, 0n, 0n),
  };
}
