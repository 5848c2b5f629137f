import type { TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import type { Choice } from '../sums/dimensions.ts';
import { sumCalls } from '../sums/sum-calls.ts';
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
  const ask = (by: 'endpoint' | 'consumer') =>
    sumCalls(store.columns, { ranges: [range], by: ['tenant', by], only, isByRange: false });
  const endpoints = await ask('endpoint');
  const values = valueEvent === '' ? null : await countEvents(store, range, valueEvent);
  const consumers = new Map<string, number>();
  for (const { keys } of await ask('consumer')) {
    if (keys.consumer !== '') consumers.set(keys.tenant!, (consumers.get(keys.tenant!) ?? 0) + 1);
  }
  const known = new Set([...question.known, ...endpoints.map(({ keys }) => keys.endpoint!)]);
  const tenants = new Map<string, { calls: bigint; good: bigint; endpoints: number }>();
  let [whole, weighed] = [0n, 0n];
  for (const row of endpoints) {
    const so = tenants.get(row.keys.tenant!) ?? { calls: 0n, good: 0n, endpoints: 0 };
    const sums = { calls: so.calls + row.calls, good: so.good + row.calls - row.errors, endpoints: so.endpoints + 1 };
    tenants.set(row.keys.tenant!, sums);
    [whole, weighed] = [whole + row.calls, weighed + row.known];
  }
  const rows = [...tenants].map(([tenant, sums]): DepthRow => {
    const valued = values === null ? null : (values.get(tenant) ?? 0);
    return {
      ...{ tenant, calls: shownCalls(sums.calls), successes: shownCalls(sums.good), endpoints: sums.endpoints },
      ...{ breadth: sums.endpoints / known.size, consumers: consumers.get(tenant) ?? 0, valueEvents: valued },
      successRatio: shareOf(sums.good, sums.calls),
      valueRatio: valued === null || sums.calls === 0n ? null : valued / shownCalls(sums.calls),
    };
  });
  return { endpoints: known.size, rows, ...presence.standing(range, whole, weighed) };
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
