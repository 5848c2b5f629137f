import { fail, type TimeRange } from '../../model/index.ts';
import type { ColumnStore, Store } from '../../store/index.ts';
import type { Choice } from '../sums/dimensions.ts';
import { callsSource, sumCalls } from '../sums/sum-calls.ts';
import { isSomebody } from './entities.ts';
import { readPresence, type Standing, shareOf, shownCalls } from './freshness.ts';

export interface DepthQuestion {
  readonly range: TimeRange;
  readonly only: Choice;
  /** The type of the event by which a customer got something; empty for none. Its subject is a tenant. */
  readonly valueEvent: string;
  /** Endpoints that documents name. */
  readonly known: readonly string[];
}

export interface DepthRow {
  readonly tenant: string;
  readonly calls: number;
  readonly successes: number;
  /** How many endpoints it calls. */
  readonly endpoints: number;
  /** Of all endpoints that are known. */
  readonly breadth: number | null;
  readonly consumers: number;
  /** Null where no value event was named. */
  readonly valueEvents: number | null;
  /** Successful calls by calls. */
  readonly successRatio: number | null;
  /** Value events by calls; null where no value event was named. */
  readonly valueRatio: number | null;
}

export interface DepthReport extends Standing {
  readonly endpoints: number;
  readonly rows: readonly DepthRow[];
}

/** Says how much of the API each tenant uses, and what comes out of it. */
export async function depthReport(store: Store, question: DepthQuestion, now: Date): Promise<DepthReport> {
  const { range, only, valueEvent } = question;
  const presence = await readPresence(store.columns, range, now);
  const [{ tenants, endpoints }, consumers, values] = await Promise.all([
    readTenants(store.columns, range, only),
    countConsumers(store.columns, range, only),
    valueEvent === '' ? null : countEvents(store, range, valueEvent),
  ]);
  const known = new Set([...question.known, ...endpoints]);
  let [whole, weighed] = [0n, 0n];
  const rows = tenants.map((each): DepthRow => {
    const { tenant, calls, good } = each;
    const valued = values === null ? null : (values.get(tenant) ?? 0);
    [whole, weighed] = [whole + calls, weighed + each.known];
    return {
      ...{ tenant, calls: shownCalls(calls), successes: shownCalls(good), endpoints: each.endpoints },
      ...{ breadth: each.endpoints / known.size, consumers: consumers.get(tenant) ?? 0, valueEvents: valued },
      successRatio: shareOf(good, calls),
      valueRatio: valued === null || calls === 0n ? null : valued / shownCalls(calls),
    };
  });
  return { endpoints: known.size, rows, ...presence.standing(range, whole, weighed) };
}

const MOST_ROWS = 200_000;

interface TenantSums {
  readonly tenant: string;
  readonly calls: bigint;
  readonly good: bigint;
  readonly known: bigint;
  readonly endpoints: number;
}

/** Sums of each tenant, and all endpoints that are called: pairs of both are counted in the engine, as there are many more of them. */
async function readTenants(
  columns: ColumnStore,
  range: TimeRange,
  only: Choice,
): Promise<{ tenants: TenantSums[]; endpoints: string[] }> {
  const source = await callsSource(columns, {
    ranges: [range],
    by: ['tenant', 'endpoint'],
    only,
    isByRange: false,
  });
  if (source === null) return { tenants: [], endpoints: [] };
  const rows = await columns.query<
    Record<'k_tenant' | 'k_endpoint' | 'n' | 'n_errors' | 'n_known' | 'pairs', string> & { is_endpoint: number }
  >(
    `SELECT toUInt8(grouping(k_tenant)) AS is_endpoint, k_tenant, k_endpoint, sum(n) AS n, sum(n_errors) AS n_errors, sum(n_known) AS n_known, count() AS pairs FROM (
       SELECT k_tenant, k_endpoint, sum(calls) AS n, sum(errors) AS n_errors, sum(known) AS n_known FROM (${source.sql})
       GROUP BY k_tenant, k_endpoint HAVING n != 0 OR n_errors != 0)
     GROUP BY GROUPING SETS ((k_tenant), (k_endpoint)) ORDER BY is_endpoint, k_tenant, k_endpoint LIMIT ${MOST_ROWS + 1}`,
    source.params,
  );
  if (rows.length > MOST_ROWS) throw fail('RANGE_TOO_LONG', { rows: MOST_ROWS });
  const tenants = rows.filter((row) => row.is_endpoint === 0);
  return {
    tenants: tenants.map((row) => ({
      ...{ tenant: row.k_tenant, calls: BigInt(row.n), good: BigInt(row.n) - BigInt(row.n_errors) },
      ...{ known: BigInt(row.n_known), endpoints: Number(row.pairs) },
    })),
    endpoints: rows.slice(tenants.length).map((row) => row.k_endpoint),
  };
}

/** How many consumers of each tenant have calls. */
async function countConsumers(columns: ColumnStore, range: TimeRange, only: Choice): Promise<Map<string, number>> {
  const by = ['tenant', 'consumer'] as const;
  const source = await callsSource(columns, { ranges: [range], by, only, isByRange: false });
  if (source === null) return new Map();
  const rows = await columns.query<{ k_tenant: string; consumers: string }>(
    `SELECT k_tenant, count() AS consumers FROM (
       SELECT k_tenant, k_consumer FROM (${source.sql}) WHERE ${isSomebody.consumer}
       GROUP BY k_tenant, k_consumer HAVING sum(calls) != 0 OR sum(errors) != 0)
     GROUP BY k_tenant`,
    source.params,
  );
  return new Map(rows.map(({ k_tenant, consumers }) => [k_tenant, Number(consumers)]));
}

async function countEvents(
  { columns }: Store,
  { fromMs, toMs }: TimeRange,
  type: string,
): Promise<Map<string, number>> {
  const rows = await columns.query<{ subject: string; n: string }>(
    `SELECT subject, count() AS n FROM events WHERE type = {type:String}
       AND time >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({toMs:Int64}, 'UTC') GROUP BY subject`,
    { type, fromMs, toMs },
  );
  return new Map(rows.map(({ subject, n }) => [subject, Number(n)]));
}

export interface UnusedRow {
  readonly endpoint: string;
  /** Whether a document names it, or only former calls. */
  readonly known: 'document' | 'calls';
  /** The last day before the range on which it was called; null where it never was. */
  readonly lastCalled: string | null;
}

export interface UnusedReport extends Standing {
  readonly used: number;
  readonly rows: readonly UnusedRow[];
}

/** Names the endpoints that nobody called in a range. Takes  known: those that documents name. */
export async function unusedReport(
  store: Store,
  { range, known, only }: Omit<DepthQuestion, 'valueEvent'>,
  now: Date,
): Promise<UnusedReport> {
  const presence = await readPresence(store.columns, range, now);
  const sums = await sumCalls(store.columns, { ranges: [range], by: ['endpoint'], only, isByRange: false });
  const used = new Set(sums.filter(({ calls }) => calls > 0n).map(({ keys }) => keys.endpoint!));
  const former = await store.columns.query<{ endpoint: string; last: string }>(
    `SELECT endpoint, toString(max(day)) AS last FROM (SELECT endpoint, day FROM usage_rollup
      WHERE marker = 0 AND cut = 2 AND day < toDate(fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC'))
      GROUP BY endpoint, day HAVING sum(calls) > 0) GROUP BY endpoint`,
    { fromMs: range.fromMs },
  );
  const last = new Map(former.map((row) => [row.endpoint, row.last]));
  const documented = new Set(known);
  const names = [...new Set([...known, ...last.keys()])].filter((name) => !used.has(name)).sort();
  const rows = names.map((endpoint): UnusedRow => {
    return { endpoint, known: documented.has(endpoint) ? 'document' : 'calls', lastCalled: last.get(endpoint) ?? null };
  });
  return { used: used.size, rows, ...presence.standing(range, 0n, 0n) };
}
