import { SpanKind } from '../../model/index.ts';
import type { SpanTable } from '../table/span-table.ts';
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
    if (earliest === undefined || isBefore(table.end, row, table.end, earliest)) failed.set(key, row);
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

function isBefore(times: Uint32Array, row: number, others: Uint32Array, other: number): boolean {
  if (times[row * 2 + 1] !== others[other * 2 + 1]) return times[row * 2 + 1]! < others[other * 2 + 1]!;
  return times[row * 2]! < others[other * 2]!;
}
