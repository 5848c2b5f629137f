import type { CostRow } from '../api/contract.ts';
import type { CostBy } from '../api/questions.ts';
import { attoFromText } from '../money/amount.ts';
import type { Basis, CostSearch, CostView } from './cost-search.ts';

type Filter = Pick<CostSearch, 'tenant' | 'endpoint'>;

/** The least that answers the view: pairs only where a filter or the view needs them. */
export function costByFor(view: CostView, filter: Filter): CostBy {
  if (view === 'both') return 'tenant,endpoint';
  const isFiltered = view === 'tenant' ? filter.endpoint !== undefined : filter.tenant !== undefined;
  return isFiltered ? 'tenant,endpoint' : view;
}

/** The least that answers the figures at the top. */
export function totalByFor(filter: Filter): CostBy {
  if (filter.endpoint === undefined) return 'tenant';
  return filter.tenant === undefined ? 'endpoint' : 'tenant,endpoint';
}

export function rowsPassing(rows: readonly CostRow[], filter: Filter): CostRow[] {
  return rows.filter(
    (row) =>
      (filter.tenant === undefined || row.tenant === undefined || row.tenant === filter.tenant) &&
      (filter.endpoint === undefined || row.endpoint === undefined || row.endpoint === filter.endpoint),
  );
}

/** What a row is called in a view, and what the view's filter box looks through. */
export function rowName(row: Pick<CostRow, 'tenant' | 'endpoint'>, view: CostView): string {
  if (view === 'both') return `${row.tenant ?? ''} · ${row.endpoint ?? ''}`;
  return row[view] ?? '';
}

export function amountOf(row: CostRow, basis: Basis): bigint {
  return attoFromText(basis === 'direct' ? row.direct : row.full);
}

export function perCallOf(row: CostRow, basis: Basis): bigint | null {
  const text = basis === 'direct' ? row.directPerCall : row.fullPerCall;
  return text === null ? null : attoFromText(text);
}

export interface DearestRow {
  readonly row: CostRow;
  readonly valueAtto: bigint;
}

/** The rows that a chart has room for, dearest first; rows without calls have no cost per call to draw. */
export function dearestRows(rows: readonly CostRow[], basis: Basis, room: number): DearestRow[] {
  return rows
    .flatMap((row) => {
      const valueAtto = perCallOf(row, basis);
      return valueAtto === null ? [] : [{ row, valueAtto }];
    })
    .sort((a, b) => (a.valueAtto === b.valueAtto ? 0 : a.valueAtto < b.valueAtto ? 1 : -1))
    .slice(0, room);
}
