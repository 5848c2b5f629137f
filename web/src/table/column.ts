import type { ReactNode } from 'react';

export type SortKey = bigint | number | string | null;

/** One column of a figure table. */
export interface FigureColumn<T> {
  readonly id: string;
  readonly title: string;
  readonly isNumeric?: boolean;
  /** Exactly one column names the row. */
  readonly isRowHeader?: boolean;
  /** What rows are ordered by; null goes last in either direction. */
  readonly sortKey: (row: T) => SortKey;
  readonly cell: (row: T) => ReactNode;
}

const NAMES = new Intl.Collator('en', { numeric: true });

/** Ascending. Amounts are compared as whole numbers, so that two that differ in the last digit keep their order. */
export function compareSortKeys(a: SortKey | undefined, b: SortKey | undefined): number {
  if (typeof a === 'string' && typeof b === 'string') return NAMES.compare(a, b);
  if (a === b || a === null || a === undefined || b === null || b === undefined) return 0;
  return a < b ? -1 : 1;
}
