import { assert, SpanKind, UNKNOWN_TENANT } from '../model/index.ts';
import { busyNanos, type Interval } from './busy.ts';
import type { SpanLink, SpanRecord } from './span-record.ts';
import { splitWeight } from './weight.ts';
import { Origin } from './work-row.ts';

/** Whose call some work belongs to. */
export interface Call {
  /** Its root; rows copy the ids from there. */
  readonly root: SpanRecord;
  readonly traceKey: string;
  readonly spanKey: string;
  readonly tenant: string;
  readonly endpoint: string;
  readonly consumer: string;
  readonly resolver: string;
}

/** One span's work for one taker; `call` is null when it is unattributed. */
export interface Work {
  readonly span: SpanRecord;
  readonly call: Call | null;
  readonly isCall: boolean;
  /** The part of the span's weight that this taker gets, in millionths. */
  readonly share: number;
  readonly busyUs: number;
  readonly isDbCall: boolean;
  readonly dbUs: number;
  readonly isExternal: boolean;
  readonly extUs: number;
  readonly isReversed: boolean;
}

/** Which spans start calls. */
export type IsBoundary = (service: string) => boolean;

/** Finds the span that a link leads to, in whatever trace it is. */
export type FindSpan = (link: SpanLink) => { readonly trace: Trace; readonly node: Node } | undefined;

/** How many links are followed for one consumer; what lies behind more is unattributed. */
const MOST_LINKS_FOLLOWED = 1_000;

interface Node {
  readonly span: SpanRecord;
  readonly children: Node[];
  parent: Node | null;
  /** The call root above or at this span, the linked consumer above or at it, or nothing. */
  owner: Node | null;
  isVisited: boolean;
  /** Of a linked consumer: the calls it works for, once they are known. */
  takers: readonly (Call | null)[] | null;
}

/** A trace whose calls are known, but not yet what their work is worth. */
export interface Trace {
  readonly nodes: readonly Node[];
  readonly bySpan: ReadonlyMap<string, Node>;
  readonly calls: ReadonlyMap<Node, Call>;
}

/**
 * Finds the calls of one trace.
 *
 * Takes  spans: all that was received of the trace, any order, duplicates allowed.
 * Gives  its distinct spans as a forest and its calls with tenant and endpoint.
 * Holds  the order of spans does not matter; of two spans with the same identity the first journalled counts.
 * From   docs/internals/calls-from-traces.md
 */
export function traceOf(spans: readonly SpanRecord[], isBoundary: IsBoundary): Trace {
  const nodes = distinct(spans).map(
    (span): Node => ({ span, children: [], parent: null, owner: null, isVisited: false, takers: null }),
  );
  const bySpan = connect(nodes);
  for (const node of nodes) if (node.parent === null) own(node, isBoundary);
  // What is left goes round in circles: its first journalled span is taken for its top.
  for (const node of nodes) if (!node.isVisited) own(cut(node), isBoundary);
  const calls = new Map<Node, Call>();
  for (const node of nodes) if (node.owner === node && !isLinked(node.span)) calls.set(node, callOf(node));
  return { nodes, bySpan, calls };
}

/** First journalled first, one span for each identity. */
function distinct(spans: readonly SpanRecord[]): readonly SpanRecord[] {
  if (spans.length === 1) return spans;
  const isOrdered = spans.every((span, place) => place === 0 || isJournalledBefore(spans[place - 1]!, span));
  const ordered = isOrdered ? spans : [...spans].sort((a, b) => a.segment - b.segment || a.position - b.position);
  // Kinds are 0 to 5: one bit each says which spans with an id were there before.
  const kindsOf = new Map<string, number>();
  return ordered.filter(({ spanKey, kind }) => {
    const kinds = kindsOf.get(spanKey) ?? 0;
    if ((kinds & (1 << kind)) !== 0) return false;
    kindsOf.set(spanKey, kinds | (1 << kind));
    return true;
  });
}

function isJournalledBefore(a: SpanRecord, b: SpanRecord): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.position <= b.position);
}

/** Who stands above whom where spans of several kinds share one id: a server is its client's child and the parent of the rest. */
const sharedIdOrder: readonly number[] = [
  SpanKind.CLIENT,
  SpanKind.PRODUCER,
  SpanKind.SERVER,
  SpanKind.CONSUMER,
  SpanKind.INTERNAL,
  SpanKind.UNSPECIFIED,
];

/** Joins children to parents. Of spans that share an id each is the next one's parent, and the lowest is what their children find. */
function connect(nodes: readonly Node[]): Map<string, Node> {
  const bySpan = new Map<string, Node>();
  const sharing = new Map<string, Node[]>();
  for (const node of nodes) {
    const { spanKey } = node.span;
    const first = bySpan.get(spanKey);
    if (first === undefined) bySpan.set(spanKey, node);
    else sharing.set(spanKey, [...(sharing.get(spanKey) ?? [first]), node]);
  }
  const above = new Map<Node, Node>();
  for (const [spanKey, column] of sharing) {
    column.sort((a, b) => sharedIdOrder.indexOf(a.span.kind) - sharedIdOrder.indexOf(b.span.kind));
    for (let place = 1; place < column.length; place++) above.set(column[place]!, column[place - 1]!);
    bySpan.set(spanKey, column.at(-1)!);
  }
  for (const node of nodes) {
    const { spanKey, parentKey } = node.span;
    const parent = above.get(node) ?? (parentKey === '' || parentKey === spanKey ? undefined : bySpan.get(parentKey));
    if (parent === undefined) continue;
    node.parent = parent;
    parent.children.push(node);
  }
  return bySpan;
}

/** Walks down from a top and tells every span which call root or linked consumer it stands under. */
function own(top: Node, isBoundary: IsBoundary): void {
  const stack = [top];
  top.isVisited = true;
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    node.owner = node.parent?.owner ?? (startsCall(node.span, isBoundary) || isLinked(node.span) ? node : null);
    for (const child of node.children) {
      if (child.isVisited) continue;
      child.isVisited = true;
      stack.push(child);
    }
  }
}

function cut(node: Node): Node {
  const parent = node.parent;
  assert(parent !== null, 'a span that was not reached has a parent');
  parent.children.splice(parent.children.indexOf(node), 1);
  node.parent = null;
  return node;
}

function startsCall(span: SpanRecord, isBoundary: IsBoundary): boolean {
  if (span.origin !== Origin.span) return true;
  return (
    (span.kind === SpanKind.SERVER || span.kind === SpanKind.CONSUMER) && !isLinked(span) && isBoundary(span.service)
  );
}

/** A consumer that was given links instead of a parent works for the calls that the links lead to. */
function isLinked(span: SpanRecord): boolean {
  return span.kind === SpanKind.CONSUMER && span.links.length > 0 && span.parentKey === '';
}

/** The root's own attributes say who calls, then its resource, then its descendants from the earliest on. */
function callOf(root: Node): Call {
  const { span } = root;
  const call = {
    root: span,
    traceKey: span.traceKey,
    spanKey: span.spanKey,
    endpoint: span.endpoint || '(unknown)',
    consumer: span.consumer,
  };
  if (span.tenant !== '') return { ...call, tenant: span.tenant, resolver: `span:${span.resolver}` };
  if (span.resourceTenant !== '') {
    return { ...call, tenant: span.resourceTenant, resolver: `resource:${span.resourceResolver}` };
  }
  const said = earliestWithTenant(root);
  if (said === null) return { ...call, tenant: UNKNOWN_TENANT, resolver: '' };
  return { ...call, tenant: said.tenant, resolver: `descendant:${said.resolver}` };
}

function earliestWithTenant(root: Node): SpanRecord | null {
  let earliest: SpanRecord | null = null;
  const stack = [...root.children];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.span.tenant !== '' && (earliest === null || isBefore(node.span, earliest))) earliest = node.span;
    for (const child of node.children) stack.push(child);
  }
  return earliest;
}

function isBefore(a: SpanRecord, b: SpanRecord): boolean {
  if (a.startHigh !== b.startHigh) return a.startHigh < b.startHigh;
  if (a.startLow !== b.startLow) return a.startLow < b.startLow;
  return a.spanKey === b.spanKey ? a.kind < b.kind : a.spanKey < b.spanKey;
}

/**
 * Gives the calls that one span of a trace belongs to.
 *
 * Takes  find: asked for links when the span stands under a linked consumer.
 * Gives  one or more takers, each once; null is unattributed.
 */
export function callsOf(trace: Trace, node: Node, find: FindSpan): readonly (Call | null)[] {
  const { owner } = node;
  if (owner !== null) {
    const call = trace.calls.get(owner);
    if (call) return [call];
    owner.takers ??= linkedCalls(owner, find);
    return owner.takers;
  }
  return [onlyCall(trace)];
}

function onlyCall(trace: Trace): Call | null {
  const [only] = trace.calls.values();
  return trace.calls.size === 1 ? only! : null;
}

/**
 * Distinct calls in the order of the smallest link that leads to each; what leads nowhere is one unattributed taker.
 * Links may lead to other linked consumers, and round in a circle: each consumer is followed once, and adds what it has there.
 */
function linkedCalls(consumer: Node, find: FindSpan): readonly (Call | null)[] {
  const takers = new Map<string, Call | null>();
  const followed = new Set<Node>([consumer]);
  const waiting = inOrder(consumer.span.links).reverse();
  for (let left = MOST_LINKS_FOLLOWED; waiting.length > 0; left--) {
    const found = left > 0 ? find(waiting.pop()!) : undefined;
    if (left <= 0) waiting.length = 0;
    const owner = found?.node.owner ?? null;
    const call = found === undefined ? null : owner === null ? onlyCall(found.trace) : found.trace.calls.get(owner);
    if (call !== undefined) addTaker(takers, call);
    else if (!followed.has(owner!)) {
      followed.add(owner!);
      // Depth first, so that what this link leads to stands before what the next one leads to.
      for (const link of inOrder(owner!.span.links).reverse()) waiting.push(link);
    }
  }
  return takers.size === 0 ? [null] : [...takers.values()];
}

function addTaker(takers: Map<string, Call | null>, call: Call | null): void {
  const key = call === null ? '' : call.traceKey + call.spanKey;
  if (!takers.has(key)) takers.set(key, call);
}

function inOrder(links: readonly SpanLink[]): SpanLink[] {
  return [...links].sort((a, b) => compare(a.traceKey, b.traceKey) || compare(a.spanKey, b.spanKey));
}

/** Keys are latin1 texts of bytes, so this is the order of their bytes. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Measures every span of a trace and gives its work to its takers.
 *
 * Gives  one entry per span and taker.
 * Holds  the shares of a span's takers add up to the span's weight.
 */
export function workOf(trace: Trace, find: FindSpan): Work[] {
  const work: Work[] = [];
  for (const node of trace.nodes) {
    const takers = callsOf(trace, node, find);
    const isCall = trace.calls.has(node);
    if (takers.length === 1) {
      work.push(measure(node, takers[0]!, isCall, node.span.weight));
      continue;
    }
    const shares = splitWeight(node.span.weight, takers.length);
    takers.forEach((call, place) => {
      work.push(measure(node, call, isCall, shares[place]!));
    });
  }
  return work;
}

function measure(node: Node, call: Call | null, isCall: boolean, share: number): Work {
  const { span } = node;
  const durationNs = nanosBetween(span.startLow, span.startHigh, span.endLow, span.endHigh);
  const durationUs = durationNs > 0 ? Math.floor(durationNs / 1000) : 0;
  const isClient = span.kind === SpanKind.CLIENT;
  const isDbCall = isClient && span.isDb;
  const isExternal = isClient && !span.isDb && !node.children.some((child) => child.span.service !== span.service);
  return {
    span,
    call,
    isCall,
    share,
    busyUs: isClient || !span.isTimed ? 0 : Math.floor(busyNanos(durationNs, intervals(node)) / 1000),
    isDbCall,
    dbUs: isDbCall ? durationUs : 0,
    isExternal,
    extUs: isExternal ? durationUs : 0,
    isReversed: durationNs < 0,
  };
}

function intervals(node: Node): Interval[] {
  if (node.children.length === 0) return [];
  const { startLow, startHigh } = node.span;
  return node.children.map(({ span }) => ({
    start: nanosBetween(startLow, startHigh, span.startLow, span.startHigh),
    end: nanosBetween(startLow, startHigh, span.endLow, span.endHigh),
  }));
}

/** Exact while the two lie within 104 days; further apart only the order matters, and that stays right. */
function nanosBetween(fromLow: number, fromHigh: number, toLow: number, toHigh: number): number {
  return (toHigh - fromHigh) * 2 ** 32 + (toLow - fromLow);
}
