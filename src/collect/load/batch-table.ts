import type { ColumnStore } from '../../store/index.ts';
import type { KeptWork } from '../calls/kept-work.ts';
import { isTop, MOST_NAMING, requestAt, requestKey, spanLinkWords } from '../calls/request-ids.ts';
import { appendBody, netVersions } from '../calls/stored-rows.ts';
import { type TraceId, TraceIndex, traceKey } from '../calls/trace-index.ts';
import type { StoredVersion } from '../calls/versions.ts';
import { LINK_WORDS, type SpanTable } from '../table/span-table.ts';
import { hexOf, readDependents, readNaming, readTraceRows } from './queries.ts';
import type { SeenIds } from './seen-ids.ts';

/** How far links are followed from trace to trace; each hop is a question to the store. */
const MOST_HOPS = 64;

/** Where rows in force are found. */
export interface Sources {
  readonly columns: ColumnStore;
  /** Waits until the store has what was decided before. */
  readonly written: () => Promise<void>;
  readonly kept: KeptWork;
  readonly seen: SeenIds;
  /** Raw work that was received before this day was let go; where there is one, a trace may be there in part. */
  readonly sinceDay: number;
}

/** What arrived in a batch, joined by everything stored that matters for deciding about it. */
export class BatchTable {
  readonly table: SpanTable;
  readonly index: TraceIndex;
  /** Traces to decide anew: those that arrived, and those whose work hangs on one of them. */
  readonly changed: number[] = [];
  readonly #sources: Sources;
  /** Traces whose rows in force are in the table, or of which there are none. */
  readonly #fetched = new Set<string>();
  /** Request ids whose traces are in the table, or which no other trace named before. */
  readonly #requests = new Set<string>();
  /** Request ids that too many traces named before this batch: nothing changes for them. */
  readonly #crowded = new Set<string>();
  #batch = 0;
  #stored: StoredVersion[] = [];
  /** Numbers of traces of which rows were let go. */
  readonly #torn = new Set<number>();

  constructor(table: SpanTable, sources: Sources) {
    this.table = table;
    this.index = new TraceIndex(table);
    this.#sources = sources;
    for (let trace = 0; trace < this.index.traces; trace++) this.changed.push(trace);
  }

  /** Says that all rows of the table are stored ones. Takes  unmatched: bodies that were taken back although they were let go. */
  setStored(stored: readonly StoredVersion[], unmatched: readonly Buffer[] = []): void {
    this.#stored = [...stored];
    this.#markTorn(unmatched.map((body) => this.#idOf(body)));
    for (const trace of this.changed) this.#fetched.add(traceKey(this.index.idOf(trace)));
  }

  /**
   * Adds the rows in force of the traces, of those that depend on them, and of those that links lead to.
   *
   * Takes  batch: its number. targets: traces that some link leads to; null when there are no links at all. fresh: request ids that this batch
   *        is the first to name, as hexadecimal text.
   */
  async gather(batch: number, targets: SeenIds | null, fresh: ReadonlySet<string>): Promise<void> {
    this.#batch = batch;
    const { table, index } = this;
    const known = new Set<number>();
    const arrived = this.changed.filter((trace) => this.#sources.seen.has(table.trace, index.first[trace]! * 4));
    await this.#fetch(arrived.map((trace) => this.#heldId(trace)));
    if (targets === null) return;
    for (const trace of this.changed) known.add(trace);
    for (const trace of await this.#addNaming(fresh, () => true)) {
      if (known.has(trace)) continue;
      known.add(trace);
      this.changed.push(trace);
    }
    await this.#addDependents(targets, known);
    await this.#addLinked(fresh);
  }

  /** Traces that are there in part: their stored rows stay as they are, and late spans are added beside them. */
  settledTraces(): ReadonlySet<number> {
    if (this.#sources.sinceDay === 0) return this.#torn;
    const calls = new Set<string>();
    for (const { isCall, call } of this.#stored) if (isCall === 1) calls.add(call.join('.'));
    for (const { row, call } of this.#stored) {
      const isSomebodys = call.some((word) => word !== 0);
      if (isSomebodys && !calls.has(call.join('.'))) this.#torn.add(this.index.traceOf[row]!);
    }
    return this.#torn;
  }

  facts() {
    const { table, index, changed } = this;
    const isChanged = new Uint8Array(index.traces);
    for (const trace of changed) isChanged[trace] = 1;
    const torn = this.settledTraces();
    // Of traces that links lead to the rows are known, but nothing about them changes.
    const ofChanged = this.#stored.filter(({ row }) => isChanged[index.traceOf[row]!] === 1);
    const stored = ofChanged.filter(({ row }) => !torn.has(index.traceOf[row]!));
    const settled = new Set<number>();
    if (torn.size > 0) for (const { row } of ofChanged) if (torn.has(index.traceOf[row]!)) settled.add(row);
    return { table, index, traces: changed, stored, known: this.#stored, settled, crowded: this.#crowded };
  }

  /** Adds the traces whose work hangs on a changed one, and those that hang on these. */
  async #addDependents(targets: SeenIds, known: Set<number>): Promise<void> {
    let fresh = this.changed.map((trace) => this.#heldId(trace)).filter(({ words }) => targets.has(words, 0));
    for (let hops = 0; fresh.length > 0 && hops < MOST_HOPS; hops++) {
      const sources = await readDependents(this.#sources.columns, fresh);
      await this.#fetch(sources);
      fresh = [];
      for (const source of sources) {
        const trace = this.index.findId(source.words, 0, source.namespace);
        if (trace < 0 || known.has(trace)) continue;
        known.add(trace);
        this.changed.push(trace);
        if (targets.has(source.words, 0)) fresh.push(source);
      }
    }
  }

  /** Adds the traces that links lead to, those that name the same request, and those that their links lead to. */
  async #addLinked(fresh: ReadonlySet<string>): Promise<void> {
    for (let hops = 0; hops < MOST_HOPS; hops++) {
      const targets = this.#linkTargets();
      if (targets.length > 0) await this.#fetch(targets);
      // Of traces that did not change, a request matters where it may say whose all of their work is.
      const naming = await this.#addNaming(fresh, (row) => isTop(this.table, row));
      if (targets.length === 0 && naming.length === 0) return;
    }
  }

  /** Adds the traces that name the same requests as rows of the table; gives them. */
  async #addNaming(fresh: ReadonlySet<string>, asks: (row: number) => boolean): Promise<number[]> {
    const asked = new Map<string, { readonly id: TraceId; readonly key: string }>();
    for (const [row, links] of this.table.links) {
      const at = requestAt(links);
      if (at < 0 || !asks(row)) continue;
      const key = requestKey(this.table, row, links, at);
      if (this.#requests.has(key)) continue;
      this.#requests.add(key);
      const words = links.subarray(at, at + 4);
      if (!fresh.has(hexOf(words)))
        asked.set(hexOf(words), { id: { words, namespace: this.table.namespace[row]! }, key });
    }
    if (asked.size === 0) return [];
    const ids = [...asked.values()].map(({ id }) => id);
    const naming = await readNaming(this.#sources.columns, ids, this.#batch, MOST_NAMING + 1);
    const counts = new Map<string, number>();
    for (const { target } of naming) counts.set(target, (counts.get(target) ?? 0) + 1);
    for (const [target, count] of counts) if (count > MOST_NAMING) this.#crowded.add(asked.get(target)!.key);
    const near = naming.filter(({ target }) => counts.get(target)! <= MOST_NAMING);
    await this.#fetch(near);
    return near.map(({ words, namespace }) => this.index.findId(words, 0, namespace)).filter((trace) => trace >= 0);
  }

  #linkTargets(): TraceId[] {
    const targets = new Map<string, TraceId>();
    for (const [row, links] of this.table.links) {
      for (let at = 0; at < spanLinkWords(links); at += LINK_WORDS) {
        const id = { words: links.subarray(at, at + 4), namespace: this.table.namespace[row]! };
        const key = traceKey(id);
        if (!this.#fetched.has(key)) targets.set(key, id);
      }
    }
    return [...targets.values()];
  }

  /** An id that stays right when the table grows. */
  #heldId(trace: number): TraceId {
    return this.#heldIdOf(this.index.first[trace]!);
  }

  #heldIdOf(row: number): TraceId {
    const { trace, namespace } = this.table;
    return { words: trace.slice(row * 4, row * 4 + 4), namespace: namespace[row]! };
  }

  /** Adds the rows in force of traces, from what was kept at hand or from the store. */
  async #fetch(ids: readonly TraceId[]): Promise<void> {
    const { kept, seen, columns, sinceDay, written } = this.#sources;
    const missing = new Map<string, TraceId>();
    for (const id of ids) {
      const key = traceKey(id);
      if (this.#fetched.has(key)) continue;
      this.#fetched.add(key);
      const copies = kept.copy(this.table, id);
      if (copies !== null) for (const copy of copies) this.#stored.push(copy);
      else if (seen.has(id.words, 0)) missing.set(key, id);
    }
    if (missing.size > 0) {
      await written();
      this.#append(await readTraceRows(columns, [...missing.values()], sinceDay), missing);
    }
    this.index.addNew();
  }

  #append(answers: readonly Buffer[], asked: ReadonlyMap<string, TraceId>): void {
    const { table } = this;
    const { inForce, unmatched } = netVersions(answers);
    const torn = unmatched.map((body) => this.#idOf(body));
    for (const body of inForce) {
      const version = appendBody(table, body);
      const at = version.row * 4;
      const id = { words: table.trace.subarray(at, at + 4), namespace: table.namespace[version.row]! };
      // The same id may exist under another sender: that is another trace.
      if (asked.has(traceKey(id))) this.#stored.push(version);
      else table.truncate(version.row);
    }
    this.#markTorn(torn);
  }

  #markTorn(torn: readonly TraceId[]): void {
    if (torn.length === 0) return;
    this.index.addNew();
    for (const { words, namespace } of torn) {
      const trace = this.index.findId(words, 0, namespace);
      if (trace >= 0) this.#torn.add(trace);
    }
  }

  /** Whose trace a body is of, without keeping it. */
  #idOf(body: Buffer): TraceId {
    const { row } = appendBody(this.table, body);
    const id = this.#heldIdOf(row);
    this.table.truncate(row);
    return id;
  }
}
