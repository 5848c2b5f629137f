import type { SpanTable } from '../table/span-table.ts';
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
  readonly isBoundary: IsBoundary;
}

/**
 * Decides what a batch of spans changes.
 *
 * Holds  applied to the stored rows, the result is what assembling all spans at once would give;
 *        a batch of repeats changes nothing.
 */
export function decideBatch({ table, index, traces, stored, settled, isBoundary }: BatchInput): {
  readonly work: Work;
  readonly changes: Changes;
} {
  const work = new Work(new Forest(table, index, isBoundary));
  for (const trace of traces) work.decide(trace);
  return { work, changes: changesOf(work, traces, stored, settled) };
}
