import { SpanKind } from '../../model/index.ts';
import type { SpanTable } from '../table/span-table.ts';
import { compareWords } from './compare-words.ts';
import { type Forest, NOBODY } from './forest.ts';

/**
 * Finds outbound calls that repeat one that failed: of the same parent, to the same peer, of the same name, begun after it ended.
 *
 * Takes  parent: a row with children. isRetry: by row, gets 1.
 */
export function markRetries(forest: Forest, parent: number, isRetry: Uint8Array): void {
  const { table, firstChild, nextSibling } = forest;
  let failed: Map<string, number> | null = null;
  for (let row = firstChild[parent]!; row !== NOBODY; row = nextSibling[row]!) {
    if (table.kind[row] !== SpanKind.CLIENT || table.isError[row] !== 1) continue;
    failed ??= new Map();
    const key = operationOf(table, row);
    const earliest = failed.get(key);
    if (earliest === undefined || endsBefore(table, row, earliest)) failed.set(key, row);
  }
  if (failed === null) return;
  for (let row = firstChild[parent]!; row !== NOBODY; row = nextSibling[row]!) {
    if (table.kind[row] !== SpanKind.CLIENT) continue;
    const before = failed.get(operationOf(table, row));
    if (before !== undefined && before !== row && !isBefore(table.start, row, table.end, before)) isRetry[row] = 1;
  }
}

function operationOf({ peer, name, isDb }: SpanTable, row: number): string {
  return `${peer[row]}.${name[row]}.${isDb[row]}`;
}

/** Of two that end together the one with the smaller id, so that the order of arrival does not matter. */
function endsBefore(table: SpanTable, row: number, other: number): boolean {
  if (isBefore(table.end, row, table.end, other)) return true;
  return !isBefore(table.end, other, table.end, row) && compareWords(table.span, row * 2, table.span, other * 2, 2) < 0;
}

function isBefore(times: Uint32Array, row: number, others: Uint32Array, other: number): boolean {
  if (times[row * 2 + 1] !== others[other * 2 + 1]) return times[row * 2 + 1]! < others[other * 2 + 1]!;
  return times[row * 2]! < others[other * 2]!;
}
