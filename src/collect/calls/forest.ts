import { assert, SpanKind } from '../../model/index.ts';
import { Origin, type SpanTable } from '../table/span-table.ts';
import { compareWords } from './compare-words.ts';
import { joinRequests, spanLinkWords } from './request-ids.ts';
import { SpanLookup } from './span-lookup.ts';
import { grown, type TraceIndex } from './trace-index.ts';

/** Which spans start calls. */
export type IsBoundary = (service: string) => boolean;

export const NOBODY = -1;

/**
 * The spans of traces as trees, and which of them are calls.
 *
 * Takes  table, index: all that was received of the traces, any order, repeats allowed.
 * Gives  for each row its parent, its children, and its owner: the call root at or above it, or the linked consumer; -1 is none.
 * Holds  the order of rows does not matter; of two spans with the same identity the first journalled counts.
 * From   docs/internals/calls-from-traces.md
 */
export class Forest {
  readonly table: SpanTable;
  readonly index: TraceIndex;
  readonly parent: Int32Array;
  readonly firstChild: Int32Array;
  readonly nextSibling: Int32Array;
  readonly owner: Int32Array;
  /** Of a span that was sent again: the row that counts. Of every other its own number. */
  readonly counted: Int32Array;
  readonly isCall: Uint8Array;
  /** Distinct spans, trace by trace, in the order of the journal. */
  readonly ordered: Int32Array;
  readonly orderedFrom: Int32Array;
  readonly orderedTo: Int32Array;
  /** Of each trace the call that gets what stands under none: its only one; without any, that of its request; else -1. */
  readonly onlyCall: Int32Array;
  /** Of each trace whether it has a call. */
  readonly hasCall: Uint8Array;
  readonly #isVisited: Uint8Array;
  readonly #isBoundary: IsBoundary;
  /** By number of the service's text: 0 not asked yet, 1 no, 2 yes. */
  readonly #boundaries: Uint8Array;
  readonly #lookup: SpanLookup;
  #stack = new Int32Array(256);
  #filled = 0;

  /** Takes  crowded: request ids that too many stored traces name. */
  constructor(table: SpanTable, index: TraceIndex, isBoundary: IsBoundary, crowded: ReadonlySet<string> = new Set()) {
    const { rows } = table;
    this.table = table;
    this.index = index;
    this.parent = new Int32Array(rows).fill(NOBODY);
    this.firstChild = new Int32Array(rows).fill(NOBODY);
    this.nextSibling = new Int32Array(rows).fill(NOBODY);
    this.owner = new Int32Array(rows).fill(NOBODY);
    this.counted = new Int32Array(rows);
    this.isCall = new Uint8Array(rows);
    this.ordered = new Int32Array(rows);
    this.orderedFrom = new Int32Array(index.traces);
    this.orderedTo = new Int32Array(index.traces);
    this.onlyCall = new Int32Array(index.traces).fill(NOBODY);
    this.hasCall = new Uint8Array(index.traces);
    this.#isVisited = new Uint8Array(rows);
    this.#isBoundary = isBoundary;
    this.#boundaries = new Uint8Array(table.texts.count);
    this.#lookup = new SpanLookup(table);
    for (let trace = 0; trace < index.traces; trace++) this.#grow(trace);
    if (table.links.size > 0) joinRequests(this, crowded);
  }

  /** A consumer that was given links instead of a parent works for the calls that the links lead to. */
  isLinked(row: number): boolean {
    const { kind, links, parent } = this.table;
    if (kind[row] !== SpanKind.CONSUMER || !links.has(row) || spanLinkWords(links.get(row)!) === 0) return false;
    return (parent[row * 2]! | parent[row * 2 + 1]!) === 0;
  }

  #grow(trace: number): void {
    const from = this.#filled;
    const end = this.#order(trace);
    const areApart = this.#areApart(from, end);
    const to = areApart ? end : this.#distinct(from, end);
    this.orderedFrom[trace] = from;
    this.orderedTo[trace] = this.#filled = to;
    if (!areApart) this.#connect(from, to);
    for (let place = from; place < to; place++) {
      const row = this.ordered[place]!;
      if (this.parent[row] === NOBODY) this.#own(row);
    }
    // What is left goes round in circles, or hangs on one: the smallest span of the circle is taken for its top.
    for (let place = from; place < to; place++) {
      const row = this.ordered[place]!;
      if (this.#isVisited[row] === 0) this.#own(this.#cut(this.#topOfCircle(row)));
    }
    this.#findCalls(trace, from, to);
  }

  /** Puts a trace's rows behind what is there, first journalled first; gives where they end. */
  #order(trace: number): number {
    const { ordered, index, table } = this;
    const from = this.#filled;
    let to = from;
    let isOrdered = true;
    for (let row = index.first[trace]!; row !== NOBODY; row = index.next[row]!) {
      if (to > from && isJournalledBefore(table, row, ordered[to - 1]!)) isOrdered = false;
      ordered[to++] = row;
    }
    if (!isOrdered) ordered.subarray(from, to).sort((a, b) => (isJournalledBefore(table, a, b) ? -1 : 1));
    return to;
  }

  /**
   * Whether it shows without a look at all of them that rows are distinct and none stands under another: so do the lines of a
   * log, whose ids end with their place. Each counts for itself then.
   */
  #areApart(from: number, end: number): boolean {
    const { ordered, counted } = this;
    const { span, parent } = this.table;
    for (let place = from, before = -1; place < end; place++) {
      const at = ordered[place]! * 2;
      const ending = span[at + 1]! & 0xffff;
      if (end - from > 1 && (ending <= before || (parent[at]! | parent[at + 1]!) !== 0)) return false;
      before = ending;
      counted[ordered[place]!] = ordered[place]!;
    }
    return true;
  }

  /** Leaves one row for each identity; gives where they end. */
  #distinct(from: number, end: number): number {
    const { ordered, counted } = this;
    const lookup = this.#lookup.of(end - from);
    let to = from;
    for (let place = from; place < end; place++) {
      const row = ordered[place]!;
      const first = lookup.addOrFind(row);
      counted[row] = first;
      if (first === row) ordered[to++] = row;
    }
    return to;
  }

  #connect(from: number, to: number): void {
    const { ordered, parent, firstChild, nextSibling } = this;
    for (let place = from; place < to; place++) {
      const row = ordered[place]!;
      const above = this.#lookup.parentOf(row);
      if (above === NOBODY) continue;
      parent[row] = above;
      nextSibling[row] = firstChild[above]!;
      firstChild[above] = row;
    }
  }

  /** Walks down from a top and tells every span which call root or linked consumer it stands under. */
  #own(top: number): void {
    const { owner, parent, firstChild, nextSibling } = this;
    this.#isVisited[top] = 1;
    this.#stack[0] = top;
    for (let waiting = 1; waiting > 0; ) {
      const row = this.#stack[--waiting]!;
      const above = parent[row]!;
      const inherited = above === NOBODY ? NOBODY : owner[above]!;
      owner[row] = inherited !== NOBODY ? inherited : this.#startsCall(row) || this.isLinked(row) ? row : NOBODY;
      for (let child = firstChild[row]!; child !== NOBODY; child = nextSibling[child]!) {
        if (this.#isVisited[child] === 1) continue;
        this.#isVisited[child] = 1;
        if (waiting === this.#stack.length) this.#stack = grown(this.#stack, waiting * 2);
        this.#stack[waiting++] = child;
      }
    }
  }

  /** The smallest span, by id and kind, of the circle that a row's parents lead to. */
  #topOfCircle(row: number): number {
    const passed = new Set<number>();
    let on = row;
    for (; !passed.has(on); on = this.parent[on]!) passed.add(on);
    let smallest = on;
    for (let next = this.parent[on]!; next !== on; next = this.parent[next]!) {
      if (isSmaller(this.table, next, smallest)) smallest = next;
    }
    return smallest;
  }

  #cut(row: number): number {
    const { parent, firstChild, nextSibling } = this;
    const above = parent[row]!;
    assert(above !== NOBODY, 'a span that was not reached has a parent');
    if (firstChild[above] === row) firstChild[above] = nextSibling[row]!;
    else {
      let before = firstChild[above]!;
      while (nextSibling[before] !== row) before = nextSibling[before]!;
      nextSibling[before] = nextSibling[row]!;
    }
    nextSibling[row] = NOBODY;
    parent[row] = NOBODY;
    return row;
  }

  #startsCall(row: number): boolean {
    const { origin, kind } = this.table;
    if (origin[row] !== Origin.span) return true;
    if (kind[row] !== SpanKind.SERVER && kind[row] !== SpanKind.CONSUMER) return false;
    return !this.isLinked(row) && this.#isAtBoundary(row);
  }

  #isAtBoundary(row: number): boolean {
    const service = this.table.service[row]!;
    const known = this.#boundaries[service]!;
    if (known !== 0) return known === 2;
    const isAt = this.#isBoundary(this.table.texts.string(service));
    this.#boundaries[service] = isAt ? 2 : 1;
    return isAt;
  }

  #findCalls(trace: number, from: number, to: number): void {
    let calls = 0;
    for (let place = from; place < to; place++) {
      const row = this.ordered[place]!;
      if (this.owner[row] !== row || this.isLinked(row)) continue;
      this.isCall[row] = 1;
      this.onlyCall[trace] = row;
      calls += 1;
    }
    if (calls > 0) this.hasCall[trace] = 1;
    if (calls !== 1) this.onlyCall[trace] = NOBODY;
  }
}

function isSmaller({ span, kind }: SpanTable, row: number, other: number): boolean {
  const order = compareWords(span, row * 2, span, other * 2, 2);
  return order === 0 ? kind[row]! < kind[other]! : order < 0;
}

function isJournalledBefore({ segment, position }: SpanTable, a: number, b: number): boolean {
  return segment[a]! < segment[b]! || (segment[a] === segment[b] && position[a]! < position[b]!);
}
