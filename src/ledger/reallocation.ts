import { modelsInForce, type Slice } from '../cost/index.ts';
import { MILLIS_PER_HOUR, monthOf, type TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { type PostingSummary, postAllocation } from './ledger.ts';
import { openBills } from './open-bills.ts';
import { changedHours, newestMarks, type SeenMarks } from './reallocation-queries.ts';
import { type Repetition, repeatedly } from './repetition.ts';

const FACT = 'reallocated';

/** What was looked at so far; kept in the document store, so that a restart goes on from there. */
interface Seen extends SeenMarks {
  /** The hour of the clock in which slices that still run were last shared out. */
  readonly hour: number;
  /** The first and last changed hour of slices that wait for the next hour; null for none. */
  readonly waiting: TimeRange | null;
}

/**
 * Shares out again what changed since the last time: slices of open bills that got calls, samples or charges, or another model.
 *
 * A slice that still runs changes with every call. It is shared out once an hour, or the ledger, of which nothing is ever removed,
 * would grow by it every minute.
 *
 * Takes  stored: up to which batch of work and samples nothing waits to be stored any more. now: of the clock.
 * Gives  null when nothing has changed.
 * Holds  what it posts is what `allocate` over the same time would post; a run that breaks off is done again by the next one.
 */
export async function reallocateChanged(store: Store, stored: number, now: Date): Promise<PostingSummary | null> {
  const seen = await readSeen(store);
  const marks = await newestMarks(store, stored);
  const nowMs = now.getTime();
  const hour = Math.floor(nowMs / MILLIS_PER_HOUR);
  const isNew = seen === null;
  const hours = await changedHours(store.columns, seen?.batch ?? 0);
  const isDue = hour !== seen?.hour;
  const waiting = joined([...(seen?.waiting ? [seen.waiting] : []), ...hours]);
  const hasBills = isNew || marks.imports !== seen.imports;
  const hasModels = isNew || marks.documents !== seen.documents;
  const next: Seen = { ...marks, hour, waiting: isDue ? null : waiting };
  const range = joined([
    ...hours,
    ...(isDue && waiting ? [waiting] : []),
    ...(hasBills || hasModels ? await openMonths(store, now) : []),
  ]);
  if (range === null) {
    await writeSeen(store, next);
    return null;
  }
  const isChanged = (slice: Slice): boolean => {
    const touches = (at: TimeRange) =>
      at.fromMs < Math.max(slice.chargeEndMs, slice.chargeStartMs + 1) && at.toMs > slice.chargeStartMs;
    if (hasBills || hasModels) return true;
    if (slice.chargeEndMs > nowMs) return isDue && waiting !== null && touches(waiting);
    return hours.some(touches);
  };
  const summary = await postAllocation(store, await reachBack(store, range), now, isChanged);
  await writeSeen(store, next);
  return summary;
}

/** The months of open bills, and this one. */
async function openMonths(store: Store, now: Date): Promise<TimeRange[]> {
  const isOpen = await openBills(store);
  const bills = await store.documents.selectFrom('bill_import').selectAll().execute();
  const open = bills.filter(({ source, account, currency, billing_start }) =>
    isOpen({ source, account, currency, billingStartMs: Number(billing_start) } as Slice),
  );
  return [...open.map(({ billing_start }) => monthOf(Number(billing_start))), monthOf(now.getTime())];
}

/** Slices that began before and go on into a range: a calendar month's, or a year's where a model has any. */
export async function reachBack(store: Store, { fromMs, toMs }: TimeRange): Promise<TimeRange> {
  const models = await modelsInForce(store.documents);
  const hasYears = models.some(({ spec }) =>
    spec.pools.some(({ fixed, people }) => fixed?.per === 'year' || people?.per === 'year'),
  );
  const month = monthOf(fromMs).fromMs;
  return { fromMs: hasYears ? Date.UTC(new Date(fromMs).getUTCFullYear(), 0) : month, toMs };
}

function joined(ranges: readonly TimeRange[]): TimeRange | null {
  if (ranges.length === 0) return null;
  const fromMs = ranges.reduce((least, range) => Math.min(least, range.fromMs), Number.MAX_SAFE_INTEGER);
  return { fromMs, toMs: ranges.reduce((most, range) => Math.max(most, range.toMs), 0) };
}

async function readSeen({ documents }: Store): Promise<Seen | null> {
  const row = await documents.selectFrom('fact').select('value').where('name', '=', FACT).executeTakeFirst();
  return row ? (JSON.parse(row.value) as Seen) : null;
}

async function writeSeen({ documents }: Store, seen: Seen): Promise<void> {
  const value = JSON.stringify(seen);
  await documents
    .insertInto('fact')
    .values({ name: FACT, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

/**
 * Keeps open periods shared out, in the background.
 *
 * Takes  everyMs: as `repeatedly` takes it. stored: as `reallocateChanged` takes it. tell: hears of what was posted, and of failures; the next run goes on from there.
 */
export function keepAllocated(
  store: Store,
  everyMs: number,
  stored: () => number,
  now: () => Date,
  tell: { readonly posted: (summary: PostingSummary) => void; readonly failed: (cause: unknown) => void },
): Repetition {
  return repeatedly(everyMs, async () => {
    try {
      const summary = await reallocateChanged(store, stored(), now());
      if (summary && summary.posted + summary.reversed > 0) tell.posted(summary);
    } catch (cause) {
      tell.failed(cause);
    }
  });
}
