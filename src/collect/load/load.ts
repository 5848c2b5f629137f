import { mkdir, readFile, rm } from 'node:fs/promises';
import { BrokenClaim, Failure } from '../../model/index.ts';
import type { CallRules } from '../calls/call-rules.ts';
import type { IsBoundary } from '../calls/forest.ts';
import { appendBody, netVersions } from '../calls/stored-rows.ts';
import { EventLoader } from '../events/event-loader.ts';
import type { Journal } from '../journal/journal.ts';
import { decodeSegment, HEADER_BYTES, type SegmentContent, SegmentKind } from '../journal/segment.ts';
import { readLetGo } from '../retention/let-go.ts';
import { appendFrame, FrameWriter, rowsOf } from '../table/frame.ts';
import { SpanTable } from '../table/span-table.ts';
import { BatchTable } from './batch-table.ts';
import { BatchWriter, type BatchWriterDeps } from './batch-writer.ts';
import { countStored } from './count-stored.ts';
import { LargeTraces } from './large-traces.ts';
import { countWorkRows, hasBatch, readBucketRows } from './queries.ts';
import { samplesBlock } from './samples-block.ts';
import { StoredTraces } from './stored-traces.ts';

const ROWS_PER_BUCKET = 250_000;
const ROOM_FOR_STORED = 4_096;
const MILLIS_PER_DAY = 86_400_000;

export interface LoaderDeps extends BatchWriterDeps {
  readonly scratch: string;
  /** Where it is written down which traces and events are stored; absent for nowhere. */
  readonly seenFolder?: string;
  /** From how many rows on a trace rests between its late spans. */
  readonly largeTraceRows?: number;
  readonly nextId: () => number;
}

/**
 * Brings journal segments into the store, exactly once.
 *
 * The order in which things become durable, and what a crash between them leaves:
 *   1. links of the batch      a repeat adds them again; readers take them once
 *   2. work rows of the batch  one block: the repeat finds the batch number and goes on with 3
 *   3. minutes with a marker   one block: the repeat finds no marker and counts from 2's rows
 *   4. the segment is removed  before that everything above is repeated without effect
 * While 2 and 3 are under way the next batch is decided. It asks the store for nothing and writes nothing before they are done.
 */
export class Loader {
  readonly #deps: LoaderDeps;
  readonly #events: EventLoader;
  readonly #large: LargeTraces;
  #stored: StoredTraces | null = null;
  #writer: BatchWriter | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  /** Raw work of earlier days of receipt is no longer in force: none may be added to it. */
  #sinceDay = 0;
  #reassembling: number | null = null;
  #isOneByOne = false;

  constructor(deps: LoaderDeps) {
    this.#deps = deps;
    this.#large = new LargeTraces(deps.largeTraceRows);
    this.#events = new EventLoader(deps.columns, deps.nowMs, deps.seenFolder);
  }

  /** Finishes what a crash interrupted and learns which traces and events are stored. */
  async start(isBoundary: IsBoundary): Promise<void> {
    const { columns, scratch, nowMs, seenFolder } = this.#deps;
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true });
    await countStored(columns);
    this.#stored = await StoredTraces.open(columns, nowMs(), seenFolder);
    this.#writer = new BatchWriter(this.#deps, this.#stored, this.#large);
    this.#writer.isBoundary = isBoundary;
    await this.#noticeLetGo();
    await this.#events.start();
  }

  /** Writes down which traces are stored. Takes  batch: up to which nothing waits any more. isLast: the process ends. */
  saveSeen(batch: number, isLast = false): Promise<void> {
    return this.#alone(async () => {
      await this.#batches.written();
      await this.#stored?.save(batch, isLast);
      await this.#events.saveSeen(batch, isLast);
    });
  }

  /** Counts what is loaded from now on as received on this day or later. */
  acceptSince(day: number): void {
    this.#batches.floorDay = Math.max(this.#batches.floorDay, day);
  }

  /** Learns which raw work is no longer in force. Whoever reads it asks first: it is deleted an hour later at the earliest. */
  async #noticeLetGo(): Promise<void> {
    const { sinceDay } = await readLetGo(this.#deps.columns);
    if (sinceDay === this.#sinceDay) return;
    this.#sinceDay = sinceDay;
    this.acceptSince(sinceDay);
    this.#batches.kept.clear();
  }

  /** Sets what is asked about calls that are decided from now on; what is stored stays as it was decided. */
  useRules(rules: CallRules): void {
    this.#batches.rules = rules;
  }

  /** Calls that were put under `other` because their tenant has too many endpoints. */
  get overflowedCalls(): number {
    return this.#batches.overflowedCalls;
  }

  get #batches(): BatchWriter {
    return this.#writer!;
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
      const loaded = { rows: 0 };
      try {
        await this.#loadEach(journal, loaded, late);
      } catch (cause) {
        await this.#batches.settled();
        if (!isOurFault(cause)) throw cause;
        await this.#loadOneByOne(journal, loaded, late);
      }
      return loaded.rows;
    });
  }

  async #loadEach(journal: Journal, loaded: { rows: number }, late?: Journal): Promise<void> {
    let previous: number | undefined;
    const next = () => journal.sealed.find(({ id }) => previous === undefined || id > previous);
    for (let segment = next(); segment !== undefined; segment = next()) {
      const { id, path } = segment;
      previous = id;
      const bytes = await readFile(path);
      const content = decodeSegment(bytes);
      if (content !== null && !(await this.#isLoaded(content, id, journal, late))) continue;
      // While the engine takes this segment the next one is read and decided.
      this.#batches.whenWritten(async () => {
        await this.#finish(journal, id, bytes, content);
        loaded.rows += content?.rows ?? 0;
      });
    }
    await this.#batches.written();
  }

  /** Loads without overlap, so that what breaks is what is being loaded. */
  async #loadOneByOne(journal: Journal, loaded: { rows: number }, late?: Journal): Promise<void> {
    this.#batches.kept.clear();
    this.#isOneByOne = true;
    try {
      await this.#loadEach(journal, loaded, late);
    } finally {
      this.#isOneByOne = false;
    }
  }

  /** Lets go of a segment whose rows and calls are durable. */
  async #finish(journal: Journal, id: number, bytes: Buffer, content: SegmentContent | null): Promise<void> {
    // A file that ends with its header, or within it, was begun by a process that got no further.
    const isWhole = content === null ? bytes.length <= HEADER_BYTES : content.damagedFrames === 0;
    if (isWhole) await journal.remove(id);
    else this.#warnOfDamage(await journal.setAside(id), content);
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
      if (!this.#isOneByOne || !isOurFault(cause)) throw cause;
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
      this.#batches.isBoundary = isBoundary;
      this.#batches.kept.clear();
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
      // What the bucket before corrected of this one's traces is to be seen.
      await this.#batches.written();
      const table = new SpanTable();
      const { inForce, unmatched } = netVersions([await readBucketRows(columns, bucket, buckets, this.#sinceDay)]);
      const stored = inForce.map((body) => appendBody(table, body));
      const batch = this.#batchTable(table);
      batch.setStored(stored, unmatched);
      const id = nextId();
      this.#reassembling ??= id;
      await this.#batches.write(id, Math.floor(nowMs() / MILLIS_PER_DAY), batch);
    }
    await this.#batches.written();
  }

  /** The first batch of those that are being decided anew and of which no journal tells; null for none. */
  get reassembling(): number | null {
    return this.#reassembling;
  }

  /** What one began to write is there, or has failed, before the next begins. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work).finally(() => this.#batches.settled());
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
      await this.#batches.written();
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
      if (now.rows > 0) await this.#batches.write(batch, content.receivedDay, this.#batchTable(now));
      if (this.#isOneByOne) await this.#batches.written();
    } catch (cause) {
      if (!this.#isOneByOne || !isOurFault(cause) || frames.length <= 1) throw cause;
      this.#batches.kept.clear();
      await this.#batches.written();
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
      written: () => this.#batches.written(),
      kept: this.#batches.kept,
      seen: this.#stored!.seen,
      sinceDay: this.#sinceDay,
    });
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
