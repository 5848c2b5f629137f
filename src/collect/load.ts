import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokenClaim } from '../model/index.ts';
import type { ColumnStore, RowShape } from '../store/index.ts';
import { RowWriter } from '../store/index.ts';
import { ArrivedSpans } from './arrived.ts';
import type { IsBoundary } from './assemble.ts';
import { batchRows, bodiesOf, netVersions } from './batch.ts';
import type { Journal } from './journal.ts';
import {
  countBatch,
  countWorkRows,
  hasBatch,
  readBucketRows,
  readDependents,
  readLinkTargets,
  readTraceIds,
  readTraceRows,
  uncountedBatches,
} from './queries.ts';
import { RecentTraces, type RowsInBatch } from './recent-traces.ts';
import { SeenTraces } from './seen.ts';
import { decodeSegment, HEADER_BYTES, type SegmentContent, SegmentKind } from './segment.ts';
import { RecordReader, type SpanRecord } from './span-record.ts';
import { Origin, VERSION_BYTES, workShape } from './work-row.ts';

const ROWS_PER_BUCKET = 250_000;
const RECENT_BYTES = 256 << 20;

const linkShape: RowShape = [
  ['batch', 'UInt64'],
  ['namespace', 'String'],
  ['target', 'FixedString(16)'],
  ['source', 'FixedString(16)'],
];

const sampleShape: RowShape = [
  ['batch', 'UInt64'],
  ['age', 'UInt64'],
  ['metric', 'String'],
  ['series', 'FixedString(16)'],
  ['service', 'String'],
  ['pod', 'String'],
  ['kind', 'UInt8'],
  ['at', "DateTime64(9, 'UTC')"],
  ['value', 'Int128'],
];

export interface LoaderDeps {
  readonly columns: ColumnStore;
  readonly scratch: string;
  readonly nextId: () => number;
  readonly nowMs: () => number;
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
}

/**
 * Brings journal segments into the store, exactly once.
 *
 * The order in which things become durable, and what a crash between them leaves:
 *   1. links of the batch      a repeat adds them again; readers take them once
 *   2. work rows of the batch  one block: the repeat finds the batch number and goes on with 3
 *   3. minutes with a marker   one block: the repeat finds no marker and counts again from 2's rows
 *   4. the segment is removed  before that everything above is repeated without effect
 */
export class Loader {
  readonly #deps: LoaderDeps;
  readonly #recent = new RecentTraces(RECENT_BYTES);
  #seen: SeenTraces | null = null;
  /** Traces that some link leads to: only these can have dependents. */
  #targets: SeenTraces = new SeenTraces(1_000);
  #anyLinks = false;
  #turn: Promise<unknown> = Promise.resolve();
  #isBoundary: IsBoundary = () => true;

  constructor(deps: LoaderDeps) {
    this.#deps = deps;
  }

  /** Finishes what a crash interrupted and learns which traces are stored. */
  async start(isBoundary: IsBoundary): Promise<void> {
    this.#isBoundary = isBoundary;
    const { columns, scratch } = this.#deps;
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true });
    for (const batch of await uncountedBatches(columns)) await countBatch(columns, batch);
    this.#rememberTargets(await readLinkTargets(columns));
    const rows = await countWorkRows(columns);
    this.#seen = new SeenTraces(Math.max(1_000_000, Math.floor(rows / 4)));
    const buckets = Math.max(1, Math.ceil(rows / 20_000_000));
    for (let bucket = 0; bucket < buckets; bucket++) {
      const ids = await readTraceIds(columns, bucket, buckets);
      for (let at = 0; at < ids.length; at += 16) this.#seen.add(ids.toString('latin1', at, at + 16));
    }
  }

  /** Loads every sealed segment of a journal, oldest first. One caller at a time; the others wait. */
  loadSealed(journal: Journal): Promise<number> {
    return this.#alone(async () => {
      let rows = 0;
      for (let segment = journal.sealed[0]; segment !== undefined; segment = journal.sealed[0]) {
        const bytes = await readFile(segment.path);
        const content = decodeSegment(bytes);
        if (content !== null && !(await this.#isLoaded(content, segment.id, journal))) continue;
        rows += content?.rows ?? 0;
        // A file that ends with its header, or within it, was begun by a process that got no further.
        const isWhole = content === null ? bytes.length <= HEADER_BYTES : content.damagedFrames === 0;
        if (isWhole) await journal.remove(segment.id);
        else this.#warnOfDamage(await journal.setAside(segment.id), content);
      }
      return rows;
    });
  }

  /**
   * Loads a segment. What the store refuses for now is tried again later, by throwing; a segment that breaks our own
   * code would break it again at every try and keep all others waiting, so it is set aside and reported.
   */
  async #isLoaded(content: SegmentContent, id: number, journal: Journal): Promise<boolean> {
    try {
      await this.#loadSegment(content);
      return true;
    } catch (cause) {
      if (!(cause instanceof BrokenClaim || cause instanceof RangeError || cause instanceof TypeError)) throw cause;
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
      this.#isBoundary = isBoundary;
      this.#recent.clear();
      const buckets = Math.max(1, Math.ceil((await countWorkRows(this.#deps.columns)) / ROWS_PER_BUCKET));
      for (let bucket = 0; bucket < buckets; bucket++) {
        const stored = netVersions([await readBucketRows(this.#deps.columns, bucket, buckets)]);
        const receivedDay = Math.floor(this.#deps.nowMs() / 86_400_000);
        await this.#writeBatch(this.#deps.nextId(), receivedDay, new Set(stored.keys()), new ArrivedSpans(), stored);
      }
    });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #loadSegment(content: SegmentContent): Promise<void> {
    return content.kind === SegmentKind.samples ? this.#loadSamples(content) : this.#loadWork(content);
  }

  #warnOfDamage(path: string, content: SegmentContent | null): void {
    const loaded = content === null ? 'its header is not whole' : 'its whole frames were loaded';
    this.#deps.warn(`a journal segment is damaged and was set aside: ${loaded}`, {
      code: 'JOURNAL_DAMAGED',
      path,
      frames: content?.damagedFrames ?? 0,
    });
  }

  async #loadWork(content: SegmentContent): Promise<void> {
    if (await hasBatch(this.#deps.columns, content.id)) {
      for (const batch of await uncountedBatches(this.#deps.columns)) await countBatch(this.#deps.columns, batch);
      return;
    }
    const arrived = new ArrivedSpans(content);
    await this.#writeBatch(content.id, content.receivedDay, new Set(arrived.keys()), arrived, new Map());
  }

  async #writeBatch(
    batch: number,
    receivedDay: number,
    changed: Set<string>,
    arrived: ArrivedSpans,
    stored: Map<string, readonly Buffer[]>,
  ): Promise<void> {
    const { columns } = this.#deps;
    await this.#insertLinks(batch, arrived);
    if (this.#anyLinks) await this.#addDependents(changed);
    await this.#fetch(changed, stored);
    const linked = this.#anyLinks ? await this.#fetchLinked(arrived, stored) : new Set<string>();
    const result = batchRows({ batch, receivedDay, changed, arrived, stored, linked, isBoundary: this.#isBoundary });
    // From here on a failure leaves open what is stored: the next batch must ask the store, not what was kept at hand.
    for (const traceKey of changed) {
      this.#seen!.add(traceKey);
      this.#recent.delete(traceKey);
    }
    if (result.rows > 0) {
      await this.#insert('work', workShape, result.bytes, batch);
      await countBatch(columns, batch);
    }
    for (const [traceKey, rows] of result.traces) if (!isLogLine(rows)) this.#recent.set(traceKey, rows);
  }

  /** Adds the traces whose work hangs on a changed one, and those that hang on these. */
  async #addDependents(changed: Set<string>): Promise<void> {
    let fresh = [...changed].filter((key) => this.#targets.has(key));
    while (fresh.length > 0) {
      const pairs = await readDependents(
        this.#deps.columns,
        fresh.map((key) => key.slice(0, 16)),
      );
      const namespaces = new Map(fresh.map((key) => [key.slice(0, 16), key.slice(16)]));
      const found = pairs.map(([target, source]) => source + (namespaces.get(target) ?? ''));
      const added = found.filter((key) => !changed.has(key));
      for (const key of added) changed.add(key);
      fresh = added.filter((key) => this.#targets.has(key));
    }
  }

  /** Gets the rows in force of traces that may have been here before. */
  async #fetch(keys: Iterable<string>, stored: Map<string, readonly Buffer[]>): Promise<void> {
    const missing: string[] = [];
    for (const key of keys) {
      if (stored.has(key)) continue;
      const recent = this.#recent.get(key);
      if (recent !== undefined) stored.set(key, bodiesOf(recent));
      else if (this.#seen!.has(key)) missing.push(key);
    }
    if (missing.length === 0) return;
    const ids = [...new Set(missing.map((key) => key.slice(0, 16)))];
    for (const [key, bodies] of netVersions(await readTraceRows(this.#deps.columns, ids))) stored.set(key, bodies);
    for (const key of missing) if (!stored.has(key)) stored.set(key, []);
  }

  /** Gets the traces that links lead to, and those that their links lead to; gives which these are. */
  async #fetchLinked(arrived: ArrivedSpans, stored: Map<string, readonly Buffer[]>): Promise<Set<string>> {
    const followed = new Set<string>();
    const read = new Set<string>();
    let fresh = targetsOf(arrived.linked);
    for (;;) {
      for (const [key, bodies] of stored) {
        if (read.has(key)) continue;
        read.add(key);
        for (const target of targetsOf(bodies.map((bytes) => new RecordReader(bytes).body()))) fresh.add(target);
      }
      fresh = new Set([...fresh].filter((key) => !followed.has(key)));
      if (fresh.size === 0) return followed;
      for (const key of fresh) followed.add(key);
      await this.#fetch(fresh, stored);
    }
  }

  #rememberTargets(ids: Buffer): void {
    for (let at = 0; at < ids.length; at += 16) this.#targets.add(ids.toString('latin1', at, at + 16));
    if (ids.length > 0) this.#anyLinks = true;
  }

  async #insertLinks(batch: number, arrived: ArrivedSpans): Promise<void> {
    const writer = new RowWriter(1024);
    const written = new Set<string>();
    for (const { traceKey: source, links } of arrived.linked) {
      for (const { traceKey: target } of links) {
        if (target === source || written.has(target + source)) continue;
        written.add(target + source);
        writer.u64(batch);
        writer.text(source.slice(16));
        writer.latin1(target.slice(0, 16));
        writer.latin1(source.slice(0, 16));
        this.#targets.add(target);
      }
    }
    this.#anyLinks ||= arrived.linked.length > 0;
    if (written.size > 0) await this.#insert('links', linkShape, writer.bytes(), batch);
  }

  /** The same points twice are the same key and age, so a repeat after a crash changes nothing. */
  async #loadSamples(content: SegmentContent): Promise<void> {
    const writer = new RowWriter(1 << 20);
    let position = 0;
    for (const payload of content.payloads) {
      const reader = new RecordReader(payload);
      while (!reader.isDone) {
        const end = reader.u32() + reader.at;
        writer.u64(content.id);
        writer.u64(2 ** 52 - (content.id * 2 ** 22 + position));
        writer.copy(payload, reader.at, end);
        reader.at = end;
        position += 1;
      }
    }
    await this.#insert('samples', sampleShape, writer.bytes(), content.id);
  }

  async #insert(table: string, shape: RowShape, bytes: Buffer, batch: number): Promise<void> {
    const path = join(this.#deps.scratch, `${table}-${batch}.rowbinary`);
    await writeFile(path, bytes);
    try {
      await this.#deps.columns.insertFile(table, shape, path);
    } finally {
      await rm(path, { force: true });
    }
  }
}

function targetsOf(spans: readonly SpanRecord[]): Set<string> {
  return new Set(spans.flatMap(({ links }) => links.map(({ traceKey }) => traceKey)));
}

/** A log line is a trace of its own to which nothing can be added: keeping it at hand would only cost memory. */
function isLogLine(rows: RowsInBatch): boolean {
  const reader = new RecordReader(rows.buffer, rows.start + VERSION_BYTES);
  return rows.end > rows.start && reader.body().origin === Origin.log;
}
