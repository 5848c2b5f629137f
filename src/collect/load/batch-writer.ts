import type { Block, ColumnStore } from '../../store/index.ts';
import { decideBatch } from '../calls/batch.ts';
import { type CallRules, everyCall } from '../calls/call-rules.ts';
import type { IsBoundary } from '../calls/forest.ts';
import { KeptWork } from '../calls/kept-work.ts';
import type { Changes } from '../calls/versions.ts';
import type { Work } from '../calls/work.ts';
import { workBlock } from '../calls/work-block.ts';
import type { Refusal } from '../refusal.ts';
import type { BatchTable } from './batch-table.ts';
import type { LargeTraces } from './large-traces.ts';
import { linksBlock } from './links-block.ts';
import { minutesBlock } from './minutes-block.ts';
import { hexOf } from './queries.ts';
import type { StoredTraces } from './stored-traces.ts';

const KEPT_BYTES = 256 << 20;

export interface BatchWriterDeps {
  readonly columns: ColumnStore;
  readonly nowMs: () => number;
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
  /** Counts what assembly refuses. */
  readonly refused?: (reason: Refusal, count: number) => void;
}

/** Writes batches, one after the other; while the engine takes one, the next is decided. */
export class BatchWriter {
  /** Work of traces that changed lately, at hand. */
  readonly kept = new KeptWork(KEPT_BYTES);
  isBoundary: IsBoundary = () => true;
  /** What is asked about calls that are decided from now on. */
  rules: CallRules = everyCall();
  /** Nothing is received before this day any more: what was is being added up. */
  floorDay = 0;
  /** Calls that were put under `other` because their tenant has too many endpoints. */
  overflowedCalls = 0;
  readonly #deps: BatchWriterDeps;
  readonly #stored: StoredTraces;
  readonly #large: LargeTraces;
  #writing: Promise<void> = Promise.resolve();

  constructor(deps: BatchWriterDeps, stored: StoredTraces, large: LargeTraces) {
    this.#deps = deps;
    this.#stored = stored;
    this.#large = large;
  }

  /**
   * Decides the traces of a batch and begins to write what is new.
   *
   * Takes  receivedDay: of its spans, in days since 1970.
   * Holds  its links, its work and its minutes become durable in this order, each whole or not at all; nothing of it before all
   *        of the batch before it.
   */
  async write(batch: number, receivedDay: number, input: BatchTable): Promise<void> {
    const { columns } = this.#deps;
    const { seen } = this.#stored;
    const { table, index } = input;
    const arrived = index.traces;
    const links = linksBlock(table, batch);
    const fresh = new Set(links.targets.filter((words) => !this.#stored.linkTargets?.has(words, 0)).map(hexOf));
    for (const words of links.targets) this.#stored.addTarget(words, 0);
    if (links.block.rows > 0) {
      await this.written();
      await columns.insertBlock('links', links.block, `links-${batch}`);
    }
    await input.gather(batch, this.#stored.linkTargets, fresh);
    const { work, changes } = decideBatch({
      ...input.facts(),
      isBoundary: this.isBoundary,
      rules: this.rules,
    });
    for (let trace = 0; trace < arrived; trace++) seen.add(table.trace, index.first[trace]! * 4, receivedDay);
    if (work.cutSplits > 0)
      this.#deps.warn('some work over links is unattributed: it would be split over too many calls', {
        spans: work.cutSplits,
      });
    const block = workBlock(work, changes, { batch, receivedDay: Math.max(receivedDay, this.floorDay) });
    const minutes = minutesBlock(work, changes, batch);
    await this.written();
    if (block.rows > 0) this.#begin(batch, block, minutes, () => this.#tell(work, changes));
    this.#large.note(work, input.changed, this.#deps.nowMs());
    const settled = input.settledTraces();
    this.kept.keep(
      work,
      input.changed.filter((trace) => !settled.has(trace)),
    );
    if (settled.size > 0) this.kept.pass(work, [...settled]);
  }

  /** Counts, when it is stored, what was refused or put under `other` for the first time. */
  #tell(work: Work, { added }: Changes): void {
    this.overflowedCalls += work.names.overflowed;
    if (work.names.refusedCalls === 0) return;
    const { isCall } = work.forest;
    const isRefused = (entry: number) => {
      const row = work.row[entry]!;
      return isCall[row] === 1 && work.names.isRefused[row] === 1;
    };
    const refused = added.reduce((count, entry) => (isRefused(entry) ? count + 1 : count), 0);
    if (refused > 0) this.#deps.refused?.('tenant_unknown', refused);
  }

  /** Begins to write the work of a batch and to count its calls; nothing else is written before that is done. */
  #begin(batch: number, work: Block, minutes: Block, stored: () => void): void {
    const { columns } = this.#deps;
    const inserted = columns.insertBlock('work', work, `work-${batch}`).then(() => {
      stored();
      return columns.insertBlock('usage_minute', minutes, `usage_minute-${batch}`);
    });
    this.#goOn(inserted);
  }

  /** Does something once what is being written is there; and not at all when that fails. */
  whenWritten(then: () => Promise<void>): void {
    this.#goOn(this.#writing.then(then));
  }

  #goOn(writing: Promise<void>): void {
    this.#writing = writing;
    // Whoever waits for it hears of it; until then it is nobody's unhandled failure.
    writing.catch(() => undefined);
  }

  /** Waits for what is being written: until then the store does not know of it. */
  async written(): Promise<void> {
    const writing = this.#writing;
    try {
      await writing;
    } catch (cause) {
      // It is open now what is stored: the next batch must ask the store, not what was kept at hand.
      this.kept.clear();
      throw cause;
    } finally {
      if (this.#writing === writing) this.#writing = Promise.resolve();
    }
  }

  /** Waits until nothing is being written any more, whatever became of it. */
  async settled(): Promise<void> {
    await this.written().catch(() => undefined);
  }
}
