import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokenClaim, Failure } from '../../model/index.ts';
import type { Block, ColumnStore } from '../../store/index.ts';
import { decideBatch } from '../calls/batch.ts';
import { type CallRules, everyCall } from '../calls/call-rules.ts';
import type { IsBoundary } from '../calls/forest.ts';
import { KeptWork } from '../calls/kept-work.ts';
import { appendBody, netVersions } from '../calls/stored-rows.ts';
import type { Changes } from '../calls/versions.ts';
import type { Work } from '../calls/work.ts';
import { workBlock } from '../calls/work-block.ts';
import { EventLoader } from '../events/event-loader.ts';
import type { Journal } from '../journal/journal.ts';
import { decodeSegment, HEADER_BYTES, type SegmentContent, SegmentKind } from '../journal/segment.ts';
import type { Refusal } from '../refusal.ts';
import { readLetGo } from '../retention/let-go.ts';
import { appendFrame, FrameWriter, rowsOf } from '../table/frame.ts';
import { Origin, SpanTable } from '../table/span-table.ts';
import { BatchTable } from './batch-table.ts';
import { countStored } from './count-stored.ts';
import { LargeTraces } from './large-traces.ts';
import { linksBlock } from './links-block.ts';
import { minutesBlock } from './minutes-block.ts';
import { countWorkRows, hasBatch, hexOf, readBucketRows, readLinkTargets, readTraceIds, storeName } from './queries.ts';
import { RememberedIds } from './remembered-ids.ts';
import { samplesBlock } from './samples-block.ts';
import type { SeenIds } from './seen-ids.ts';

const ROWS_PER_BUCKET = 250_000;
const ROOM_FOR_STORED = 4_096;
const KEPT_BYTES = 256 << 20;
const MILLIS_PER_DAY = 86_400_000;
/** A repeat that comes later than this counts again. */
const DAYS_REMEMBERED = 62;

export interface LoaderDeps {
  readonly columns: ColumnStore;
  readonly scratch: string;
  /** Where it is written down which traces and events are stored; absent for nowhere. */
  readonly seenFolder?: string;
  /** From how many rows on a trace rests between its late spans. */
  readonly largeTraceRows?: number;
  readonly nextId: () => number;
  readonly nowMs: () => number;
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
  /** Counts what assembly refuses. */
  readonly refused?: (reason: Refusal, count: number) => void;
}

/**
 * Brings journal segments into the store, exactly once.
 *
 * The order in which things become durable, and what a crash between them leaves:
 *   1. links of the batch      a repeat adds them again; readers take them once
 *   2. work rows of the batch  one block: the repeat finds the batch number and goes on with 3
 *   3. minutes with a marker   one block: the repeat finds no marker and counts from 2's rows; the next batch is decided
 *                              meanwhile, but writes nothing before this is done
 *   4. the segment is removed  before that everything above is repeated without effect
 */
export class Loader {
  readonly #deps: LoaderDeps;
  readonly #events: EventLoader;
  readonly #large: LargeTraces;
  readonly #kept = new KeptWork(KEPT_BYTES);
  #traces: RememberedIds | null = null;
  /** Traces that some link leads to: only these can have dependents. */
  #targets: RememberedIds | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #counting: Promise<void> = Promise.resolve();
  #isBoundary: IsBoundary = () => true;
  /** Raw work of earlier days of receipt is no longer in force: none may be added to it. */
  #sinceDay = 0;
  /** Nothing is received before this day any more: what was is being added up. */
  #floorDay = 0;
  #rules: CallRules = everyCall();
  #reassembling: number | null = null;
  /** Calls that were put under `other` because their tenant has too many endpoints. */
  overflowedCalls = 0;

  constructor(deps: LoaderDeps) {
    this.#deps = deps;
    this.#large = new LargeTraces(deps.largeTraceRows);
    this.#events = new EventLoader(deps.columns, deps.nowMs, deps.seenFolder);
  }

  /** Finishes what a crash interrupted and learns which traces and events are stored. */
  async start(isBoundary: IsBoundary): Promise<void> {
    this.#isBoundary = isBoundary;
    const { columns, scratch, nowMs } = this.#deps;
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true });
    await this.#noticeLetGo();
    await countStored(columns);
    await this.#remember(columns, nowMs());
    await this.#events.start();
  }

  /** Learns which traces are stored, and which ones links lead to. */
  async #remember(columns: ColumnStore, nowMs: number): Promise<void> {
    const { seenFolder } = this.#deps;
    const today = Math.floor(nowMs / MILLIS_PER_DAY);
    const sinceDay = Math.max(0, today - DAYS_REMEMBERED);
    const path = (name: string) => (seenFolder === undefined ? null : join(seenFolder, name));
    const shared = { store: await storeName(columns), today };
    this.#traces = await RememberedIds.open({
      ...{ ...shared, path: path('traces'), sinceDay },
      expected: async () => Math.floor((await countWorkRows(columns)) / 4),
      async *readAfter(batch, expected) {
        const buckets = Math.max(1, Math.ceil(expected / 5_000_000));
        for (let bucket = 0; bucket < buckets; bucket++)
          yield wordsOf(await readTraceIds(columns, { batch, sinceDay }, bucket, buckets));
      },
    });
    this.#targets = await RememberedIds.open({
      ...{ ...shared, path: path('targets'), sinceDay: 0 },
      expected: async () => 10_000,
      async *readAfter(batch) {
        yield wordsOf(await readLinkTargets(columns, batch));
      },
    });
  }

  /** Writes down which traces are stored. Takes  batch: up to which nothing waits any more. isLast: the process ends. */
  saveSeen(batch: number, isLast = false): Promise<void> {
    return this.#alone(async () => {
      await this.#counted();
      await this.#traces?.save(batch, isLast);
      await this.#targets?.save(batch, isLast);
      await this.#events.saveSeen(batch, isLast);
    });
  }

  /** Counts what is loaded from now on as received on this day or later. */
  acceptSince(day: number): void {
    this.#floorDay = Math.max(this.#floorDay, day);
  }

  /** Learns which raw work is no longer in force. Whoever reads it asks first: it is deleted an hour later at the earliest. */
  async #noticeLetGo(): Promise<void> {
    const { sinceDay } = await readLetGo(this.#deps.columns);
    if (sinceDay === this.#sinceDay) return;
    this.#sinceDay = sinceDay;
    this.acceptSince(sinceDay);
    this.#kept.clear();
  }

  /** Sets what is asked about calls that are decided from now on; what is stored stays as it was decided. */
  useRules(rules: CallRules): void {
    this.#rules = rules;
  }

  /** Whether spans that wait in the journal of late ones should be loaded now. */
  isLateDue(): boolean {
    return this.#large.isDue(this.#deps.nowMs());
  }

  /**
   * Loads every sealed segment of a journal, oldest first. One caller at a time; the others wait.
   *
   * Takes  late: where spans go that had better wait, as their trace is large; without it everything is loaded.
   */
  loadSealed(journal: Journal, late?: Journal): Promise<number> {
    return this.#alone(async () => {
      await this.#noticeLetGo();
      let rows = 0;
      let previous: number | undefined;
      const next = () => journal.sealed.find(({ id }) => previous === undefined || id > previous);
      for (let segment = next(); segment !== undefined; segment = next()) {
        previous = segment.id;
        const bytes = await readFile(segment.path);
        const content = decodeSegment(bytes);
        if (content !== null && !(await this.#isLoaded(content, segment.id, journal, late))) continue;
        rows += content?.rows ?? 0;
        // While the engine counts the calls of this segment the next one is read and decided.
        this.#whenCounted(() => this.#finish(journal, segment, bytes, content));
      }
      await this.#counted();
      return rows;
    });
  }

  /** Lets go of a segment whose rows and calls are durable. */
  async #finish(
    journal: Journal,
    { id }: { readonly id: number },
    bytes: Buffer,
    content: SegmentContent | null,
  ): Promise<void> {
    // A file that ends with its header, or within it, was begun by a process that got no further.
    const isWhole = content === null ? bytes.length <= HEADER_BYTES : content.damagedFrames === 0;
    if (isWhole) await journal.remove(id);
    else this.#warnOfDamage(await journal.setAside(id), content);
  }

  /** Begins to count the calls of a batch; nothing else is written before that is done. */
  #beginToCount(batch: number, minutes: Block): void {
    this.#counting = this.#deps.columns.insertBlock('usage_minute', minutes, `usage_minute-${batch}`);
    // Whoever waits for it hears of it; until then it is nobody's unhandled failure.
    this.#counting.catch(() => undefined);
  }

  /** Does something once what is being counted is counted; and not at all when that fails. */
  #whenCounted(then: () => Promise<void>): void {
    this.#counting = this.#counting.then(then);
    this.#counting.catch(() => undefined);
  }

  /** Waits for what is being counted. */
  async #counted(): Promise<void> {
    const counting = this.#counting;
    try {
      await counting;
    } catch (cause) {
      // It is open now what is stored: the next batch must ask the store, not what was kept at hand.
      this.#kept.clear();
      throw cause;
    } finally {
      if (this.#counting === counting) this.#counting = Promise.resolve();
    }
  }

  /**
   * Loads a segment. What the store refuses for now is tried again later, by throwing; what breaks our own code, alone
   * and not only together with others, would break it again at every try and keep all others waiting: once everything else
   * of its segment is loaded, the segment is set aside and reported.
   */
  async #isLoaded(content: SegmentContent, id: number, journal: Journal, late?: Journal): Promise<boolean> {
    try {
      await this.#loadSegment(content, late);
      return true;
    } catch (cause) {
      if (!isOurFault(cause)) throw cause;
      const path = await journal.setAside(id);
      this.#deps.warn('a journal segment could not be loaded and was set aside; please report this fault', {
        code: 'INTERNAL',
        path,
        cause: cause instanceof Error ? cause.stack : String(cause),
      });
      return false;
    }
  }

  /** Decides all stored traces anew, after the boundary has changed. */
  reassemble(isBoundary: IsBoundary): Promise<void> {
    return this.#alone(async () => {
      await this.#noticeLetGo();
      this.#isBoundary = isBoundary;
      this.#kept.clear();
      try {
        await this.#reassembleBuckets();
      } finally {
        this.#reassembling = null;
      }
    });
  }

  async #reassembleBuckets(): Promise<void> {
    const { columns, nowMs, nextId } = this.#deps;
    const buckets = Math.max(1, Math.ceil((await countWorkRows(columns)) / ROWS_PER_BUCKET));
    for (let bucket = 0; bucket < buckets; bucket++) {
      const table = new SpanTable();
      const { inForce, unmatched } = netVersions([await readBucketRows(columns, bucket, buckets, this.#sinceDay)]);
      const stored = inForce.map((body) => appendBody(table, body));
      const batch = this.#batchTable(table);
      batch.setStored(stored, unmatched);
      const id = nextId();
      this.#reassembling ??= id;
      await this.#write(id, Math.floor(nowMs() / MILLIS_PER_DAY), batch);
    }
    await this.#counted();
  }

  /** The first batch of those that are being decided anew and of which no journal tells; null for none. */
  get reassembling(): number | null {
    return this.#reassembling;
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #warnOfDamage(path: string, content: SegmentContent | null): void {
    const loaded = content === null ? 'its header is not whole' : 'its whole frames were loaded';
    this.#deps.warn(`a journal segment is damaged and was set aside: ${loaded}`, {
      code: 'JOURNAL_DAMAGED',
      path,
      frames: content?.damagedFrames ?? 0,
    });
  }

  async #loadSegment(content: SegmentContent, late?: Journal): Promise<void> {
    const { columns } = this.#deps;
    if (content.kind === SegmentKind.events) return this.#events.load(content);
    if (content.kind === SegmentKind.samples)
      return columns.insertBlock('samples', samplesBlock(content), `samples-${content.id}`);
    if (await hasBatch(columns, content.id)) {
      await this.#counted();
      await countStored(columns);
      return;
    }
    await this.#loadFrames(content, framesOf(content), content.id, late);
  }

  /**
   * Loads frames as one batch. Where that breaks, as it does when memory has no place for so much at once, their halves are
   * loaded one after the other, as batches of their own: what of the first try was written is a repeat then. So everything
   * is loaded but what breaks alone.
   */
  async #loadFrames(
    content: SegmentContent,
    frames: readonly PlacedFrame[],
    batch: number,
    late?: Journal,
  ): Promise<void> {
    try {
      // Where a trace goes on from an earlier segment its rows in force join those that arrived.
      const table = new SpanTable(frames.reduce((sum, { rows }) => sum + rows, ROOM_FOR_STORED));
      for (const { payload, position } of frames) appendFrame(table, payload, content.id, position);
      const now = late === undefined ? table : await this.#holdBack(table, late);
      if (now.rows > 0) await this.#write(batch, content.receivedDay, this.#batchTable(now));
    } catch (cause) {
      if (!isOurFault(cause) || frames.length <= 1) throw cause;
      this.#kept.clear();
      await this.#counted();
      await this.#loadHalves(content, frames);
    }
  }

  /** Journals spans of traces that rest once more, to be loaded later; gives the others. */
  async #holdBack(table: SpanTable, late: Journal): Promise<SpanTable> {
    const parts = this.#large.split(table, this.#deps.nowMs());
    if (parts === null) return table;
    try {
      await late.append(new FrameWriter(parts.later).payload(), parts.later.rows);
      return parts.now;
    } catch (cause) {
      // Where there is no room to wait, nobody waits.
      if (cause instanceof Failure && cause.code === 'JOURNAL_FULL') return table;
      throw cause;
    }
  }

  /** Loads both halves, also where the first one breaks. */
  async #loadHalves(content: SegmentContent, frames: readonly PlacedFrame[]): Promise<void> {
    const middle = Math.ceil(frames.length / 2);
    const broken: unknown[] = [];
    for (const half of [frames.slice(0, middle), frames.slice(middle)]) {
      try {
        await this.#loadFrames(content, half, this.#deps.nextId());
      } catch (cause) {
        if (!isOurFault(cause)) throw cause;
        broken.push(cause);
      }
    }
    if (broken.length > 0) throw broken[0];
  }

  #batchTable(table: SpanTable): BatchTable {
    return new BatchTable(table, {
      columns: this.#deps.columns,
      kept: this.#kept,
      seen: this.#seenTraces,
      sinceDay: this.#sinceDay,
    });
  }

  async #write(batch: number, receivedDay: number, input: BatchTable): Promise<void> {
    const { columns } = this.#deps;
    const { table, index } = input;
    const arrived = index.traces;
    const links = linksBlock(table, batch);
    const fresh = new Set(links.targets.filter((words) => !this.#linkTargets?.has(words, 0)).map(hexOf));
    for (const words of links.targets) this.#addTarget(words, 0);
    if (links.block.rows > 0) {
      await this.#counted();
      await columns.insertBlock('links', links.block, `links-${batch}`);
    }
    await input.gather(batch, this.#linkTargets, fresh);
    const { work, changes } = decideBatch({
      ...input.facts(),
      isBoundary: this.#isBoundary,
      rules: this.#rules,
    });
    for (let trace = 0; trace < arrived; trace++)
      this.#seenTraces.add(table.trace, index.first[trace]! * 4, receivedDay);
    if (work.cutSplits > 0)
      this.#deps.warn('some work over links is unattributed: it would be split over too many calls', {
        spans: work.cutSplits,
      });
    const block = workBlock(work, changes, { batch, receivedDay: Math.max(receivedDay, this.#floorDay) });
    const minutes = minutesBlock(work, changes, batch);
    await this.#counted();
    if (block.rows > 0) {
      try {
        await columns.insertBlock('work', block, `work-${batch}`);
      } catch (cause) {
        this.#kept.clear();
        throw cause;
      }
      this.#beginToCount(batch, minutes);
      this.#tell(work, changes);
    }
    this.#large.note(work, input.changed, this.#deps.nowMs());
    // A log's lines are calls to which nothing can be added: keeping them at hand would only cost memory.
    const settled = input.settledTraces();
    const kept = input.changed.filter((trace) => !settled.has(trace));
    if (table.origin.subarray(0, table.rows).includes(Origin.span)) this.#kept.keep(work, kept);
    else this.#kept.pass(work, kept);
    if (settled.size > 0) this.#kept.pass(work, [...settled]);
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

  #addTarget(words: Uint32Array, at: number): void {
    this.#targets!.seen.add(words, at);
  }

  get #seenTraces(): SeenIds {
    return this.#traces!.seen;
  }

  /** Null where no link was ever stored: then there is nothing to ask the store for. */
  get #linkTargets(): SeenIds | null {
    const { seen } = this.#targets!;
    return seen.count === 0 ? null : seen;
  }
}

/** A request as it was journalled, and where its first row stands in its segment. */
interface PlacedFrame {
  readonly payload: Buffer;
  readonly rows: number;
  readonly position: number;
}

function framesOf({ payloads }: SegmentContent): PlacedFrame[] {
  let position = 0;
  return payloads.map((payload) => {
    const rows = rowsOf(payload);
    position += rows;
    return { payload, rows, position: position - rows };
  });
}

/** What another try cannot mend: a claim that is false, or an engine of JavaScript that has no room for an array. */
function isOurFault(cause: unknown): boolean {
  return cause instanceof BrokenClaim || cause instanceof RangeError || cause instanceof TypeError;
}

/** Ids as the engine gives them, one behind the other. */
function wordsOf(bytes: Buffer): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
