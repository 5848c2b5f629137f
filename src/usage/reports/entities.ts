import { fail, type TimeRange } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import { cutFor } from '../rollups/cuts.ts';
import { refreshRollups } from '../rollups/refresh.ts';
import type { Choice, Dimension } from '../sums/dimensions.ts';
import { type CallsSource, callsSource } from '../sums/sum-calls.ts';
import { type CalendarUnit, MOST_WINDOWS, windowsOf } from '../time/calendar.ts';

/** Whose adoption is asked about. A consumer is one of a tenant: the same name of two tenants is two. */
export const entityKinds = ['tenant', 'consumer'] as const;
export type EntityKind = (typeof entityKinds)[number];

export const entityKeys: Record<EntityKind, readonly Dimension[]> = {
  tenant: ['tenant'],
  consumer: ['tenant', 'consumer'],
};

/** Calls without a tenant, or without a consumer, are nobody's adoption. */
export const isSomebody: Record<EntityKind, string> = {
  tenant: "k_tenant != '(unknown)'",
  consumer: "k_consumer != ''",
};

export interface EntityQuestion {
  readonly range: TimeRange;
  readonly of: EntityKind;
  readonly window: CalendarUnit;
  readonly timeZone: string;
  readonly only: Choice;
}

/** When the first call of anybody was, to the quarter of an hour; null without calls. */
export async function firstSlotMs(columns: ColumnStore): Promise<number | null> {
  const rows = await columns.query<{ at: string }>(
    `SELECT toUnixTimestamp(slot) AS at FROM usage_rollup WHERE marker = 0 AND cut = 1
     GROUP BY at HAVING sum(calls) > 0 ORDER BY at LIMIT 1`,
  );
  return rows[0] === undefined ? null : Number(rows[0].at) * 1000;
}

/** Gives every tenant that has or had calls, in their order; calls without a tenant are one of them. */
export async function tenantsWithCalls(columns: ColumnStore): Promise<string[]> {
  await refreshRollups(columns);
  const rows = await columns.query<{ tenant: string }>(
    `SELECT tenant FROM usage_rollup WHERE marker = 0 AND cut = ${cutFor('day', new Set(['tenant']))!.id}
     GROUP BY tenant HAVING sum(calls) > 0 ORDER BY tenant`,
  );
  return rows.map(({ tenant }) => tenant);
}

/** Windows from the first call of anybody to the end of a range, and SQL for who was active in which of them. */
export interface ActiveWindows {
  readonly windows: readonly TimeRange[];
  /** Place of the first window that the range touches. */
  readonly first: number;
  /** Gives a row for each entity: `seen`, the places of the windows in which it was active, ascending. */
  readonly source: CallsSource;
}

/**
 * Finds who was active when, with everything before the range: who is new is known by the past.
 *
 * Gives  null where there are no calls up to the end of the range.
 */
export async function activeWindows(columns: ColumnStore, question: EntityQuestion): Promise<ActiveWindows | null> {
  const { range, of, window, timeZone, only } = question;
  const firstMs = await firstSlotMs(columns);
  if (firstMs === null || firstMs >= range.toMs) return null;
  const fromMs = Math.min(firstMs, range.fromMs);
  const windows = windowsOf({ fromMs, toMs: range.toMs }, window, timeZone);
  if (windows.length > MOST_WINDOWS) throw fail('RANGE_TOO_LONG', { windows: MOST_WINDOWS });
  const ranges = windows.map((each) => ({ fromMs: each.fromMs, toMs: Math.min(each.toMs, range.toMs) }));
  const keys = entityKeys[of].map((name) => `k_${name}`).join(', ');
  const source = await callsSource(columns, { ranges, by: entityKeys[of], only, isByRange: true });
  if (source === null) return null;
  const starts = `[${windows.map((each) => each.fromMs)}]`;
  const places = `[${windows.map((_, place) => place)}]`;
  return {
    windows,
    first: windows.findIndex(({ toMs }) => toMs > range.fromMs),
    source: {
      sql: `SELECT ${keys}, arraySort(groupArray(place)) AS seen FROM (
          SELECT ${keys}, toInt32(transform(at, ${starts}, ${places}, -1)) AS place FROM (${source.sql})
          WHERE ${isSomebody[of]} GROUP BY ${keys}, at HAVING sum(calls) > 0
        ) GROUP BY ${keys}`,
      params: source.params,
    },
  };
}
