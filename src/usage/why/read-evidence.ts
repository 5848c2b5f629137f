import { type TimeRange, UNKNOWN_TENANT } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import { isSomebody } from '../reports/entities.ts';
import type { Presence } from '../reports/freshness.ts';
import { type Choice, choiceSql, type Dimension } from '../sums/dimensions.ts';
import { type CallSums, callsSource, callsWithin, checkCallsKept, sumCalls } from '../sums/sum-calls.ts';
import { shiftInstant } from '../time/calendar.ts';
import type { Evidence, Riser } from './diagnose.ts';

export interface TwoRanges {
  readonly range: TimeRange;
  readonly base: TimeRange;
  readonly only: Choice;
  readonly timeZone: string;
}

const MOST_RISERS = 5;
/** The latest of a riser: enough to see a rhythm. */
const MOST_CALLS_PER_RISER = 20_000;
const RETRY_WITHIN_MS = 30_000;
/** Beyond this many calls, calls one by one are looked at in the last part of each range only. */
const MOST_CALLS_LOOKED_AT = 5_000_000;

/**
 * Reads what `diagnose` decides by.
 *
 * Takes  base: the range before; it must not overlap. presence: of both.
 * Fails  RANGE_DROPPED where single calls of one of the ranges were let go: nobody knows what they looked like.
 */
export async function readEvidence(columns: ColumnStore, asked: TwoRanges, presence: Presence): Promise<Evidence> {
  const { range, base } = asked;
  await checkCallsKept(columns, base);
  await checkCallsKept(columns, range);
  const tenants = await twoSums(columns, asked, ['tenant']);
  const total = (at: 'before' | 'after') => tenants.reduce((sum, each) => sum + each[at].calls, 0);
  const newcomers = tenants.filter(({ before }) => before.calls === 0).map(({ keys }) => keys.tenant!);
  const [repeats, risers, known, week, newVersions] = await Promise.all([
    readRepeats(columns, asked, total('before') + total('after')),
    readRisers(columns, asked),
    knownTenants(columns, newcomers, range),
    weekEarlier(columns, asked, presence.nowMs),
    readNewVersions(columns, asked),
  ]);
  return {
    ...{ isBeforeKnown: presence.stateOf(base, base) !== 'gap', before: total('before'), after: total('after') },
    errorsBefore: tenants.reduce((sum, { before }) => sum + before.errors, 0),
    errorsAfter: tenants.reduce((sum, { after }) => sum + after.errors, 0),
    ...{ silenceBeforeMs: presence.longestSilenceMs(base), silenceAfterMs: presence.longestSilenceMs(range) },
    lengthMs: range.toMs - range.fromMs,
    ...{ weekBefore: week?.before ?? null, weekAfter: week?.after ?? null },
    tenants: tenants.map(({ keys, before, after }) => ({
      ...{ name: keys.tenant!, before: before.calls, after: after.calls },
      isNew: before.calls === 0 && !known.has(keys.tenant!) && keys.tenant !== UNKNOWN_TENANT,
    })),
    ...{ risers, newVersions },
    ...repeats,
  };
}

interface Two {
  readonly keys: CallSums['keys'];
  readonly before: { readonly calls: number; readonly errors: number };
  readonly after: { readonly calls: number; readonly errors: number };
}

/** Groups of both ranges, those of the first one before those that are only in the second. */
async function twoSums(
  columns: ColumnStore,
  { range, base, only }: TwoRanges,
  by: readonly Dimension[],
): Promise<Two[]> {
  const groups = new Map<string, Two>();
  const nothing = { calls: 0, errors: 0 };
  for (const { range: place, keys, calls, errors } of await sumCalls(columns, {
    ...{ ranges: [base, range], by, only, isByRange: true },
  })) {
    const key = JSON.stringify(by.map((name) => keys[name]));
    const group = groups.get(key) ?? { keys, before: nothing, after: nothing };
    const sums = { calls: Number(calls) / 1e6, errors: Number(errors) / 1e6 };
    groups.set(key, { ...group, [place === 0 ? 'before' : 'after']: sums });
  }
  return [...groups.values()];
}

/** The same two ranges a week earlier, unless one of these is the other; null where one has no calls. */
async function weekEarlier(columns: ColumnStore, { range, base, only, timeZone }: TwoRanges, nowMs: number) {
  const earlier = ({ fromMs, toMs }: TimeRange) => ({
    fromMs: shiftInstant(fromMs, { weeks: -1 }, timeZone),
    toMs: shiftInstant(toMs, { weeks: -1 }, timeZone),
  });
  const [first, second] = [earlier(base), earlier(range)];
  if (second.toMs > base.fromMs || range.toMs > nowMs) return null;
  const sums = await sumCalls(columns, { ranges: [first, second], by: [], only, isByRange: true });
  const [before, after] = [sums.find(({ range: place }) => place === 0), sums.find(({ range: place }) => place === 1)];
  if (before === undefined || after === undefined) return null;
  return { before: Number(before.calls) / 1e6, after: Number(after.calls) / 1e6 };
}

/** Of these tenants those that had calls at any time before. */
async function knownTenants(columns: ColumnStore, tenants: readonly string[], range: TimeRange): Promise<Set<string>> {
  if (tenants.length === 0) return new Set();
  const rows = await columns.query<{ tenant: string }>(
    `SELECT tenant FROM usage_rollup WHERE marker = 0 AND cut = 4 AND day < toDate(fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC'))
       AND tenant IN ({tenants:Array(String)}) GROUP BY tenant HAVING sum(calls) > 0`,
    { fromMs: range.fromMs, tenants },
  );
  return new Set(rows.map(({ tenant }) => tenant));
}

/** The consumers whose calls grew most; of those that grew by as much the ones that were there before, then in their order. */
async function topConsumers(columns: ColumnStore, { range, base, only }: TwoRanges): Promise<Two[]> {
  const by = ['tenant', 'consumer'] as const;
  const source = await callsSource(columns, { ranges: [base, range], by, only, isByRange: true });
  if (source === null) return [];
  const sums = (name: string, at: TimeRange) =>
    `sumIf(calls, at = ${at.fromMs}) AS ${name}, sumIf(errors, at = ${at.fromMs}) AS ${name}_errors`;
  const rows = await columns.query<Record<string, string>>(
    `SELECT k_tenant, k_consumer, ${sums('n_before', base)}, ${sums('n_after', range)} FROM (${source.sql}) WHERE ${isSomebody.consumer}
     GROUP BY k_tenant, k_consumer HAVING n_after > n_before
     ORDER BY n_after - n_before DESC, n_before = 0 AND n_before_errors = 0, k_tenant, k_consumer LIMIT ${MOST_RISERS}`,
    source.params,
  );
  const shown = (calls: string, errors: string) => ({ calls: Number(calls) / 1e6, errors: Number(errors) / 1e6 });
  return rows.map((row) => ({
    keys: { tenant: row.k_tenant!, consumer: row.k_consumer! },
    before: shown(row.n_before!, row.n_before_errors!),
    after: shown(row.n_after!, row.n_after_errors!),
  }));
}

async function readRisers(columns: ColumnStore, asked: TwoRanges): Promise<Riser[]> {
  const risers = await topConsumers(columns, asked);
  if (risers.length === 0) return [];
  const { range, only } = asked;
  const { sql, params } = choiceSql(only);
  const rows = await columns.query<Record<string, string>>(
    `SELECT tenant, consumer, uniqExact(endpoint) AS endpoints, countIf(status IN (401, 403, 404, 405)) AS refused, count() AS n,
       topK(1)(endpoint)[1] AS top_endpoint, arrayFilter((d, i) -> i > 1, arrayDifference(arraySort(groupArray(ms)) AS times) AS steps, arrayEnumerate(steps)) AS intervals,
       if(n < 2, 0, arrayReduce('quantileExact', intervals)) AS median, countEqual(groupArray(toString(endpoint)), toString(top_endpoint)) AS of_top,
       if(n < 2, 0, arrayCount(d -> abs(d - median) <= 0.2 * median, intervals) / (n - 1)) AS steady
     FROM (
       SELECT tenant, consumer, endpoint, status, toUnixTimestamp64Milli(start_at) AS ms FROM work
       WHERE is_call = 1 AND ${callsWithin(range)} AND tenant IN ({tenants:Array(String)}) AND consumer IN ({consumers:Array(String)})
         AND has(arrayZip({tenants:Array(String)}, {consumers:Array(String)}), (toString(tenant), consumer))${sql}
       GROUP BY tenant, consumer, endpoint, status, start_at, trace_id, span_id HAVING sum(sign) > 0
       ORDER BY ms DESC LIMIT ${MOST_CALLS_PER_RISER} BY tenant, consumer
     ) GROUP BY tenant, consumer`,
    { ...params, tenants: risers.map(({ keys }) => keys.tenant), consumers: risers.map(({ keys }) => keys.consumer) },
  );
  const seen = new Map(rows.map((row) => [JSON.stringify([row.tenant, row.consumer]), row]));
  return risers.flatMap(({ keys, before, after }): Riser[] => {
    const row = seen.get(JSON.stringify([keys.tenant, keys.consumer]));
    if (row === undefined) return [];
    const n = Number(row.n);
    return [
      {
        ...{
          tenant: keys.tenant!,
          consumer: keys.consumer!,
          before: before.calls,
          after: after.calls,
          errors: after.errors,
        },
        ...{
          refused: (Number(row.refused) * after.calls) / n,
          endpoints: Number(row.endpoints),
          topEndpoint: row.top_endpoint!,
        },
        ...{
          topEndpointShare: Number(row.of_top) / n,
          medianIntervalMs: Number(row.median),
          steadyShare: Number(row.steady),
        },
      },
    ];
  });
}

/** Calls soon after a failed one of the same consumer and endpoint: where none failed, none follows one, and nobody has to look. */
async function readRepeats(columns: ColumnStore, { range, base, only }: TwoRanges, count: number) {
  const part = Math.min(1, MOST_CALLS_LOOKED_AT / Math.max(count, 1));
  const last = ({ fromMs, toMs }: TimeRange) => ({ fromMs: Math.floor(toMs - (toMs - fromMs) * part), toMs });
  const { sql, params } = choiceSql(only);
  const calls = (asked: TimeRange) => `is_call = 1 AND ${callsWithin(asked)}${sql}`;
  const ask = async (asked: TimeRange) => {
    const [row] = await columns.query<{ repeats: string; repeaters: string }>(
      `SELECT countIf(is_repeat) AS repeats, uniqExactIf((tenant, consumer), is_repeat) AS repeaters FROM (
         SELECT tenant, consumer, ms - lagInFrame(ms, 1, 0) OVER w <= ${RETRY_WITHIN_MS} AND lagInFrame(is_error, 1, 0) OVER w = 1 AS is_repeat
         FROM (SELECT tenant, consumer, endpoint, is_error, toUnixTimestamp64Milli(start_at) AS ms FROM work
           WHERE ${calls(asked)} AND (tenant, consumer, endpoint) IN (SELECT tenant, consumer, endpoint FROM work WHERE ${calls(asked)} AND is_error = 1)
           GROUP BY tenant, consumer, endpoint, is_error, start_at, trace_id, span_id HAVING sum(sign) > 0)
         WINDOW w AS (PARTITION BY tenant, consumer, endpoint ORDER BY ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
       )`,
      params,
    );
    return { repeats: Number(row!.repeats) / part, repeaters: Number(row!.repeaters) };
  };
  const [before, after] = await Promise.all([ask(last(base)), ask(last(range))]);
  return { repeatsBefore: before.repeats, repeatsAfter: after.repeats, repeaters: after.repeaters };
}

/** Versions in the second range that the first one, and what is kept of the week before it, do not have. */
async function readNewVersions(columns: ColumnStore, { range, base, only }: TwoRanges) {
  const { sql, params } = choiceSql(only);
  const past = { fromMs: Math.max(0, base.fromMs - 7 * 86_400_000), toMs: range.fromMs };
  const rows = await columns.query<{ version: string; n: string }>(
    `SELECT version, sum(sign * toInt128(share)) AS n FROM work
     WHERE is_call = 1 AND version != '' AND ${callsWithin(range)}${sql}
       AND version NOT IN (SELECT DISTINCT version FROM work WHERE is_call = 1 AND ${callsWithin(past)})
     GROUP BY version HAVING n > 0 ORDER BY n DESC LIMIT 100`,
    params,
  );
  return rows.map(({ version, n }) => ({ version, calls: Number(n) / 1e6 }));
}
