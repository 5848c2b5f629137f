import type { CostRow } from '../api/contract.ts';
import { formatCount, formatShare } from '../figures/format-count.ts';
import { attoFromText } from '../money/amount.ts';
import { MoneyFigure, Unknown } from '../money/money-figure.tsx';
import type { FigureColumn } from '../table/column.ts';
import type { CostLook } from './cost-look.ts';
import { perCallOf } from './cost-rows.ts';
import type { CostView } from './cost-search.ts';
import { FilterLink } from './filter-link.tsx';
import { StateWord } from './state-badge.tsx';

/** The columns for one way of looking at the rows. */
export function costColumns(look: CostLook): FigureColumn<CostRow>[] {
  const amounts = look.basis === 'direct' ? (['direct'] as const) : (['direct', 'indirect', 'full'] as const);
  return [
    ...nameColumns(look.view),
    CALLS,
    ...amounts.map((name) => amountColumn(name, look)),
    perCallColumn(look),
    STATE,
  ];
}

function nameColumns(view: CostView): FigureColumn<CostRow>[] {
  if (view === 'tenant') return [nameColumn('tenant', true)];
  if (view === 'endpoint') return [nameColumn('endpoint', true)];
  return [nameColumn('tenant', false), nameColumn('endpoint', true)];
}

function nameColumn(by: 'tenant' | 'endpoint', isRowHeader: boolean): FigureColumn<CostRow> {
  return {
    id: by,
    title: by === 'tenant' ? 'Tenant' : 'Endpoint',
    isRowHeader,
    sortKey: (row) => row[by] ?? null,
    cell: (row) => {
      const name = row[by];
      return name === undefined ? <Unknown why="not named" /> : <FilterLink by={by} value={name} />;
    },
  };
}

const CALLS: FigureColumn<CostRow> = {
  id: 'calls',
  title: 'Calls',
  isNumeric: true,
  sortKey: (row) => row.calls,
  cell: (row) => (row.calls === null ? <Unknown why="not counted" /> : formatCount(row.calls)),
};

const AMOUNT_TITLES = { direct: 'Direct', indirect: 'Indirect', full: 'Full' } as const;

function amountColumn(name: 'direct' | 'indirect' | 'full', look: CostLook): FigureColumn<CostRow> {
  const exactDecimals = look.isExact ? 18 : undefined;
  return {
    id: name,
    title: AMOUNT_TITLES[name],
    isNumeric: true,
    sortKey: (row) => attoFromText(row[name]),
    cell: (row) => (
      <MoneyFigure amountAtto={attoFromText(row[name])} currency={look.currency} exactDecimals={exactDecimals} />
    ),
  };
}

function perCallColumn({ basis, per, currency }: CostLook): FigureColumn<CostRow> {
  return {
    id: 'perCall',
    title: `${AMOUNT_TITLES[basis]} per ${per === 1n ? 'call' : '1,000 calls'}`,
    isNumeric: true,
    sortKey: (row) => perCallOf(row, basis),
    cell: (row) => {
      const amountAtto = perCallOf(row, basis);
      if (amountAtto === null) return <Unknown why="unknown: no calls" />;
      return <MoneyFigure amountAtto={amountAtto * per} currency={currency} exactDecimals={per === 1n ? 12 : 9} />;
    },
  };
}

const STATE: FigureColumn<CostRow> = {
  id: 'state',
  title: 'State',
  sortKey: (row) => row.state,
  cell: (row) => (
    <span
      title={`weight known ${formatShare(row.coverage.weight)}, drivers measured ${formatShare(row.coverage.driver)}`}
    >
      <StateWord state={row.state} />
    </span>
  ),
};
