import { formatInstant, MILLIS_PER_HOUR, type TimeRange } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import { largestBatch } from '../load/queries.ts';
import { type KeptKind, keptKinds, type LetGo, readLetGo } from './let-go.ts';
import { LEAST_DAYS } from './period.ts';
import {
  countOlder,
  countReceived,
  type Days,
  deleteOlder,
  deleteSums,
  deleteWork,
  type HourOfWork,
  largestRun,
  lastBatch,
  noteLetGo,
  oldestDays,
  readHours,
  readNotes,
  sumCallMeasures,
  sumHours,
  sumPods,
  tableSizes,
} from './queries.ts';

const MILLIS_PER_DAY = 86_400_000;
const ROWS_PER_SUM = 4_000_000;
const ROWS_PER_BUCKET = 10_000_000;

/** How many days each kind is kept; null for ever. */
export type KeptDays = Readonly<Record<KeptKind, number | null>>;

export interface RetentionDeps {
  readonly columns: ColumnStore;
  readonly keptDays: KeptDays;
  readonly nowMs: () => number;
  /** Brings everything acknowledged into the store, and from then on nothing with an earlier day of receipt. */
  readonly settleSince: (day: number) => Promise<void>;
  /** Says why the work of a range must stay as it was received, where sums by the hour would not do for its costs; else null. */
  readonly needsRawWork: (range: TimeRange) => Promise<string | null>;
}

/** What is kept of a kind, and what would go. */
export interface KeptState {
  readonly kind: KeptKind;
  /** Days; null for ever. */
  readonly days: number | null;
  /** The first day of what is there, and the first that would be left; null where there is nothing, or nothing would go. */
  readonly oldest: string | null;
  readonly rows: number;
  readonly bytes: number;
  readonly wouldGoUntil: string | null;
  readonly wouldGoRows: number;
}

/** What a run did with a kind. */
export interface LetGoResult {
  readonly kind: KeptKind;
  /** The first day that is kept. */
  readonly keptSince: string;
  readonly rows: number;
  /** Why nothing was let go although it is time; empty where that is not so. */
  readonly keptBecause: string;
}

const tablesOf: Record<KeptKind, readonly string[]> = {
  spans: ['work', 'links'],
  rollups: ['usage_minute', 'usage_rollup', 'work_hour', 'call_measures', 'pod_service'],
  samples: ['samples'],
  events: ['events'],
};

/**
 * Lets go of what is older than its period, by whole months.
 *
 * Raw work goes by the day on which it was received, and no figure changes. The order, and what a crash leaves:
 *   1. sums of the run     not in force: the next run makes its own, and deletes these
 *   2. the note of the run one row: sums in force and raw rows out of force at the same instant
 *   3. raw rows deleted    at least an hour later, so that what began to read before 2 can end; again at the next run if need be
 * Everything else goes by its own time: first the note, which has questions about that time refused, then the rows.
 */
export class Retention {
  readonly #deps: RetentionDeps;
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /**
   * Runs every hour from now on: most runs find nothing to do.
   *
   * Takes  told: gets what a run let go; failed: gets why one could not.
   */
  schedule(told: (results: readonly LetGoResult[]) => void, failed: (cause: unknown) => void): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.run()
        .then(told, failed)
        .finally(() => this.schedule(told, failed));
    }, MILLIS_PER_HOUR);
    this.#timer.unref();
  }

  /** Ends after the step that is under way: the next run begins that run again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#turn;
  }

  /** Says what is kept, since when, how large it is, and what would go now. */
  async state(): Promise<KeptState[]> {
    const { columns, keptDays } = this.#deps;
    const letGo = await readLetGo(columns);
    const sizes = new Map((await tableSizes(columns)).map((size) => [size.table, size]));
    const oldest = await oldestDays(columns, letGo);
    const sum = (kind: KeptKind, of: 'rows' | 'bytes') =>
      tablesOf[kind].reduce((total, table) => total + (sizes.get(table)?.[of] ?? 0), 0);
    const states: KeptState[] = [];
    for (const kind of keptKinds) {
      const until = this.#untilDay(kind);
      const wouldGoRows = until === null ? 0 : await this.#countGoing(kind, letGo, until);
      states.push({
        kind,
        days: keptDays[kind],
        oldest: oldest[kind] === null ? null : dayText(oldest[kind]),
        rows: sum(kind, 'rows'),
        bytes: sum(kind, 'bytes'),
        wouldGoUntil: until === null || wouldGoRows === 0 ? null : dayText(until),
        wouldGoRows,
      });
    }
    return states;
  }

  /** Lets go of what is due, and deletes what was let go before. Gives what was done, a row for each kind that was due. */
  run(): Promise<LetGoResult[]> {
    const turn = this.#turn.then(() => this.#run());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #run(): Promise<LetGoResult[]> {
    const results: LetGoResult[] = [];
    for (const kind of keptKinds) {
      const until = this.#untilDay(kind);
      if (until === null || this.#isClosed) continue;
      const result = kind === 'spans' ? await this.#letGoSpans(until) : await this.#letGoOlder(kind, until);
      if (result !== null) results.push(result);
    }
    await this.#deleteLetGo();
    return results;
  }

  /** Deletes raw rows whose sums are in force for an hour, and what an interrupted run has left. */
  async #deleteLetGo(): Promise<void> {
    const { columns, nowMs } = this.#deps;
    const notes = await readNotes(columns);
    if (notes.length === 0) return;
    const letGo = await readLetGo(columns);
    const settled = notes.filter(
      ({ kind, run, doneMs }) => kind === 'spans' && letGo.runs.includes(run) && doneMs + MILLIS_PER_HOUR <= nowMs(),
    );
    const latest = settled.at(-1);
    if (latest === undefined) return;
    await deleteWork(columns, latest.until, latest.batch);
    // A run whose note may still come must find its sums: only those below one that is surely in force go.
    if (latest.run === letGo.runs[0]) await deleteSums(columns, letGo);
  }

  /** The first day to keep: the first of a month. */
  #untilDay(kind: KeptKind): number | null {
    const days = this.#deps.keptDays[kind];
    if (days === null) return null;
    const limit = new Date(this.#deps.nowMs() - Math.max(days, LEAST_DAYS) * MILLIS_PER_DAY);
    return Math.floor(Date.UTC(limit.getUTCFullYear(), limit.getUTCMonth(), 1) / MILLIS_PER_DAY);
  }

  #countGoing(kind: KeptKind, { sinceDay }: LetGo, until: number): Promise<number> {
    const { columns } = this.#deps;
    if (kind !== 'spans') return countOlder(columns, kind, until);
    return until <= sinceDay ? Promise.resolve(0) : countReceived(columns, { since: sinceDay, until });
  }

  async #letGoSpans(until: number): Promise<LetGoResult | null> {
    const { columns, nowMs, settleSince, needsRawWork } = this.#deps;
    const before = await readLetGo(columns);
    const days = { since: before.sinceDay, until };
    if (until <= days.since || (await countReceived(columns, days)) === 0) return null;
    await settleSince(until);
    const hours = await readHours(columns, days);
    const rows = hours.reduce((sum, hour) => sum + hour.rows, 0);
    const reason = await needsRawWork({
      fromMs: hours[0]!.hour * MILLIS_PER_HOUR,
      toMs: (hours.at(-1)!.hour + 1) * MILLIS_PER_HOUR,
    });
    if (reason !== null) return { kind: 'spans', keptSince: dayText(days.since), rows: 0, keptBecause: reason };
    const run = (await largestRun(columns)) + 1;
    await this.#sum(run, days, hours, before);
    if (this.#isClosed) return null;
    const batch = await lastBatch(columns, until);
    await noteLetGo(columns, { run, kind: 'spans', days, nowMs: nowMs(), rows, batch });
    return { kind: 'spans', keptSince: dayText(until), rows, keptBecause: '' };
  }

  async #sum(run: number, days: Days, hours: readonly HourOfWork[], before: LetGo): Promise<void> {
    const { columns } = this.#deps;
    for (const part of inParts(hours)) if (!this.#isClosed) await sumHours(columns, run, days, part);
    const all = await countReceived(columns, { since: days.since, until: 65_535 });
    const buckets = Math.max(1, Math.ceil(all / ROWS_PER_BUCKET));
    for (let bucket = 0; bucket < buckets && !this.#isClosed; bucket++)
      await sumCallMeasures(columns, run, days, { bucket, buckets, before });
    if (!this.#isClosed) await sumPods(columns, run, days);
  }

  async #letGoOlder(kind: Exclude<KeptKind, 'spans'>, until: number): Promise<LetGoResult | null> {
    const { columns, nowMs } = this.#deps;
    const rows = await countOlder(columns, kind, until);
    if (rows === 0) return null;
    const [run, batch] = [(await largestRun(columns)) + 1, await largestBatch(columns)];
    await noteLetGo(columns, { run, kind, days: { since: 0, until }, nowMs: nowMs(), rows, batch });
    await deleteOlder(columns, kind, until);
    return { kind, keptSince: dayText(until), rows, keptBecause: '' };
  }
}

/** Puts hours that follow each other together, as many as may be added up at once. */
function* inParts(hours: readonly HourOfWork[]): Generator<{ first: number; last: number }> {
  let [first, rows] = [0, 0];
  for (const [place, hour] of hours.entries()) {
    rows += hour.rows;
    if (rows < ROWS_PER_SUM && place < hours.length - 1) continue;
    yield { first: hours[first]!.hour, last: hour.hour };
    [first, rows] = [place + 1, 0];
  }
}

/** Days are shown as 2026-08-01. */
function dayText(day: number): string {
  return formatInstant(day * MILLIS_PER_DAY).slice(0, 10);
}
