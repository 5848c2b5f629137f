import type { SpanTable } from '../table/span-table.ts';
import { NOBODY } from './forest.ts';
import type { TraceId } from './trace-index.ts';
import type { StoredVersion } from './versions.ts';
import type { Work } from './work.ts';

/** What a row takes in a table, a forest and what was decided; what an entry takes; what a batch takes however small it is. */
const BYTES_PER_ROW = 320;
const BYTES_PER_ENTRY = 16;
const BYTES_PER_BATCH = 64 << 10;
/** A look goes through all of them. */
const MOST_BATCHES = 256;
const NO_CALL = new Uint32Array(6);

/**
 * The work of the latest batches, so that late spans need no look into the store. The newest batch that has a trace has all of
 * its rows in force. Bounded by bytes; the oldest batches go first. A missing one is never wrong, only slower.
 */
export class KeptWork {
  readonly #capacityBytes: number;
  /** Newest first, with the traces that each decided. */
  readonly #batches: { readonly work: Work; readonly decided: Uint8Array }[] = [];

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** Keeps a batch that is stored. Takes  traces: those that it decided. */
  keep(work: Work, traces: readonly number[]): void {
    const decided = new Uint8Array(work.forest.index.traces);
    for (const trace of traces) decided[trace] = 1;
    this.#batches.unshift({ work, decided });
    let sizeBytes = 0;
    const kept = this.#batches.findIndex(({ work }, place) => {
      const { rows, texts } = work.forest.table;
      sizeBytes += BYTES_PER_BATCH + rows * BYTES_PER_ROW + work.entries * BYTES_PER_ENTRY + texts.sizeBytes;
      return sizeBytes > this.#capacityBytes || place >= MOST_BATCHES;
    });
    if (kept >= 0) this.#batches.length = kept;
  }

  /**
   * Copies the rows in force of a trace into a table.
   *
   * Gives  their versions; null when no kept batch has the trace.
   */
  copy(into: SpanTable, { words, namespace }: TraceId): StoredVersion[] | null {
    for (const { work, decided } of this.#batches) {
      const { index, table } = work.forest;
      const trace = index.findId(words, 0, table.texts.idFrom(into.texts, namespace));
      if (trace >= 0 && decided[trace] === 1) return copiesOf(work, trace, into);
    }
    return null;
  }

  /** Forgets the traces of a batch that is stored but not kept: older batches would tell what was true before it. */
  pass(work: Work, traces: readonly number[]): void {
    for (const { work: kept, decided } of this.#batches) {
      for (const trace of traces) {
        const id = work.forest.index.idOf(trace);
        const namespace = kept.forest.table.texts.idFrom(work.forest.table.texts, id.namespace);
        const known = kept.forest.index.findId(id.words, 0, namespace);
        if (known >= 0) decided[known] = 0;
      }
    }
  }

  /** Forgets everything: after a failed write nobody knows what the store has. */
  clear(): void {
    this.#batches.length = 0;
  }
}

function copiesOf(work: Work, trace: number, into: SpanTable): StoredVersion[] {
  const copies: StoredVersion[] = [];
  for (let entry = work.from[trace]!; entry < work.to[trace]!; entry++) {
    copies.push(copyVersion(work.forest.table, versionOf(work, entry), into));
  }
  return copies;
}

/** What an entry says, as it is stored. */
export function versionOf(work: Work, entry: number): StoredVersion {
  const { forest, names, measure } = work;
  const { table } = forest;
  const [row, root] = [work.row[entry]!, work.root[entry]!];
  const isNobodys = root === NOBODY;
  return {
    row,
    call: isNobodys ? NO_CALL : idsOf(table, root),
    isCall: root === row ? 1 : 0,
    share: work.share[entry]!,
    tenant: isNobodys ? 0 : names.tenant[root]!,
    endpoint: isNobodys ? 0 : names.endpoint[root]!,
    consumer: isNobodys ? 0 : table.consumer[root]!,
    resolver: isNobodys ? 0 : names.resolver[root]!,
    busyUs: measure.busyUs[row]!,
    isDbCall: measure.isDbCall[row]!,
    dbUs: measure.dbUs[row]!,
    isExternal: measure.isExternal[row]!,
    extUs: measure.extUs[row]!,
    isReversed: measure.isReversed[row]!,
    repeatsTokens: measure.repeatsTokens[row]!,
    isRetry: measure.isRetry[row]!,
  };
}

function idsOf({ trace, span }: SpanTable, row: number): Uint32Array {
  const ids = new Uint32Array(6);
  ids.set(trace.subarray(row * 4, row * 4 + 4));
  ids.set(span.subarray(row * 2, row * 2 + 2), 4);
  return ids;
}

/** Copies a stored row from one table to another. */
export function copyVersion(from: SpanTable, version: StoredVersion, into: SpanTable): StoredVersion {
  const text = (id: number) => into.texts.idFrom(from.texts, id);
  return {
    ...version,
    row: into.copyRow(from, version.row),
    tenant: text(version.tenant),
    endpoint: text(version.endpoint),
    consumer: text(version.consumer),
    resolver: text(version.resolver),
  };
}
