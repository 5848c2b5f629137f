import { LINK_WORDS, type SpanTable } from '../table/span-table.ts';
import type { TraceIndex } from './trace-index.ts';

/** An id that more traces name than this is no request's: it joins nothing. */
export const MOST_NAMING = 256;

/** No row, and several calls with one id. */
const [NOBODY, SEVERAL] = [-1, -2];

/** What is known of trees of spans when all of them are grown: as a Forest has it. */
interface Grown {
  readonly table: SpanTable;
  readonly index: TraceIndex;
  readonly isCall: Uint8Array;
  readonly counted: Int32Array;
  readonly parent: Int32Array;
  readonly hasCall: Uint8Array;
  readonly onlyCall: Int32Array;
}

/**
 * A request id is kept as a link to a trace that nobody sends: its trace id is the id's hash, its span id zero. It stands behind a
 * row's other links.
 *
 * Gives  where it stands among the words of a row's links; -1 when there is none.
 */
export function requestAt(links: Uint32Array): number {
  const at = links.length - LINK_WORDS;
  if (at < 0 || (links[at + 4]! | links[at + 5]!) !== 0) return -1;
  return (links[at]! | links[at + 1]! | links[at + 2]! | links[at + 3]!) === 0 ? -1 : at;
}

/** How many words of a row's links are links to spans. */
export function spanLinkWords(links: Uint32Array): number {
  const at = requestAt(links);
  return at < 0 ? links.length : at;
}

/** Tells request ids apart. */
export function requestKey({ namespace }: SpanTable, row: number, links: Uint32Array, at: number): string {
  return `${links[at]}.${links[at + 1]}.${links[at + 2]}.${links[at + 3]}.${namespace[row]}`;
}

/** Whether a row is the root of its trace, as its sender says. */
export function isTop({ parent }: SpanTable, row: number): boolean {
  return (parent[row * 2]! | parent[row * 2 + 1]!) === 0;
}

/**
 * Gives the work of traces without a call to the call whose root names the same request.
 *
 * Takes  forest: grown; its `onlyCall` gets a call of another trace. crowded: ids that too many stored traces name.
 * Holds  an id counts when exactly one call names it, and all roots of the trace that name an id name this one.
 * From   docs/decisions/0015-work-by-request-id.md
 */
export function joinRequests(forest: Grown, crowded: ReadonlySet<string>): void {
  const { table, index, isCall, counted, parent, hasCall, onlyCall } = forest;
  const callOf = new Map<string, number>();
  const naming = new Map<string, Set<number>>();
  const wanted = new Map<number, string | null>();
  for (const [row, links] of table.links) {
    const at = requestAt(links);
    if (at < 0) continue;
    const key = requestKey(table, row, links, at);
    const trace = index.traceOf[row]!;
    naming.set(key, (naming.get(key) ?? new Set()).add(trace));
    if (counted[row] !== row) continue;
    if (isCall[row] === 1) callOf.set(key, callOf.has(key) ? SEVERAL : row);
    else if (hasCall[trace] === 0 && parent[row] === NOBODY && isTop(table, row))
      wanted.set(trace, wanted.has(trace) && wanted.get(trace) !== key ? null : key);
  }
  for (const [trace, key] of wanted) {
    if (key === null || crowded.has(key) || naming.get(key)!.size > MOST_NAMING) continue;
    const call = callOf.get(key) ?? NOBODY;
    if (call !== SEVERAL) onlyCall[trace] = call;
  }
}
