import type { SpanTable } from '../table/span-table.ts';
import { type CallRules, everyCall } from './call-rules.ts';
import { Forest, type IsBoundary } from './forest.ts';
import type { TraceIndex } from './trace-index.ts';
import { type Changes, changesOf, type StoredVersion } from './versions.ts';
import { Work } from './work.ts';

export interface BatchInput {
  /** What is known of all traces that matter: spans that arrived, and rows in force. */
  readonly table: SpanTable;
  readonly index: TraceIndex;
  /** Traces to decide anew. */
  readonly traces: readonly number[];
  /** The rows in force of these traces. */
  readonly stored: readonly StoredVersion[];
  /** Rows of these traces that stay as they are, because others that they depended on were let go. */
  readonly settled?: ReadonlySet<number>;
  /** The rows in force of these and of all other traces in the table; nothing else where it is left out. */
  readonly known?: readonly StoredVersion[];
  readonly isBoundary: IsBoundary;
  /** Request ids that too many stored traces name. */
  readonly crowded?: ReadonlySet<string>;
  readonly rules?: CallRules;
}

/**
 * Decides what a batch of spans changes.
 *
 * Holds  applied to the stored rows, the result is what assembling all spans at once would give;
 *        a batch of repeats changes nothing.
 */
export function decideBatch({
  table,
  index,
  traces,
  stored,
  known = stored,
  settled,
  isBoundary,
  crowded,
  rules = everyCall(),
}: BatchInput): {
  readonly work: Work;
  readonly changes: Changes;
} {
  const work = new Work(new Forest(table, index, isBoundary, crowded), rules, known);
  for (const trace of traces) work.decide(trace);
  return { work, changes: changesOf(work, traces, stored, settled) };
}
