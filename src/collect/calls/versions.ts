import { type Forest, NOBODY } from './forest.ts';
import type { StoredVersion } from './stored-version.ts';
import type { Work } from './work.ts';

export type { StoredVersion };

/** Which rows a batch writes: entries that are new, and stored versions that are no longer right. */
export interface Changes {
  /** Entries of the work, to be written with sign +1. */
  readonly added: Int32Array;
  /** To be written once more with sign -1. */
  readonly outdated: readonly StoredVersion[];
}

const NONE: ReadonlySet<number> = new Set();

/**
 * Compares what is true now with what is stored.
 *
 * Takes  traces: those that were decided. stored: all versions in force of these traces. settled: rows about which nothing changes.
 * Holds  stored rows + added - outdated = the entries of the traces; what is said again is not written again.
 */
export function changesOf(
  work: Work,
  traces: readonly number[],
  stored: readonly StoredVersion[],
  settled: ReadonlySet<number> = NONE,
): Changes {
  const added = new Int32Array(work.entries);
  const bag = bagOf(work.forest, stored);
  let count = 0;
  for (const trace of traces) {
    for (let entry = work.from[trace]!; entry < work.to[trace]!; entry++) {
      const row = work.row[entry]!;
      if (settled.size > 0 && settled.has(row)) continue;
      if (bag.size === 0 || !takeEqual(work, entry, bag.get(row))) added[count++] = entry;
    }
  }
  return { added: added.subarray(0, count), outdated: [...bag.values()].flat() };
}

/** Versions by the row that counts for their span. */
function bagOf(forest: Forest, stored: readonly StoredVersion[]): Map<number, StoredVersion[]> {
  const bag = new Map<number, StoredVersion[]>();
  for (const version of stored) {
    const counted = forest.counted[version.row]!;
    const versions = bag.get(counted);
    if (versions) versions.push(version);
    else bag.set(counted, [version]);
  }
  return bag;
}

function takeEqual(work: Work, entry: number, versions: StoredVersion[] | undefined): boolean {
  if (versions === undefined) return false;
  const place = versions.findIndex((version) => isEqual(work, entry, version));
  if (place < 0) return false;
  versions.splice(place, 1);
  return true;
}

function isEqual(work: Work, entry: number, version: StoredVersion): boolean {
  const [row, root] = [work.row[entry]!, work.root[entry]!];
  const { table } = work.forest;
  const { measure, names } = work;
  if (table.segment[row] !== table.segment[version.row] || table.position[row] !== table.position[version.row])
    return false;
  if (!isSameCall(work, root, version.call) || version.share !== work.share[entry]) return false;
  if (version.isCall !== (root === row ? 1 : 0)) return false;
  if (root !== NOBODY) {
    if (version.tenant !== names.tenant[root] || version.endpoint !== names.endpoint[root]) return false;
    if (version.consumer !== table.consumer[root] || version.resolver !== names.resolver[root]) return false;
  }
  if (version.busyUs !== measure.busyUs[row] || version.isReversed !== measure.isReversed[row]) return false;
  if (version.repeatsTokens !== measure.repeatsTokens[row] || version.isRetry !== measure.isRetry[row]) return false;
  if (version.isDbCall !== measure.isDbCall[row] || version.dbUs !== measure.dbUs[row]) return false;
  return version.isExternal === measure.isExternal[row] && version.extUs === measure.extUs[row];
}

function isSameCall({ forest }: Work, root: number, call: Uint32Array): boolean {
  if (root === NOBODY) return call.every((word) => word === 0);
  const { trace, span } = forest.table;
  for (let word = 0; word < 4; word++) if (trace[root * 4 + word] !== call[word]) return false;
  return span[root * 2] === call[4] && span[root * 2 + 1] === call[5];
}
