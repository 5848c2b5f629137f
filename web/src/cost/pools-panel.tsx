import { useMemo } from 'react';
import type { CostAnswer } from '../api/contract.ts';
import { Panel } from '../frame/panel.tsx';
import { attoFromText, sumAtto } from '../money/amount.ts';
import { MoneyFigure } from '../money/money-figure.tsx';
import type { FigureColumn } from '../table/column.ts';
import { FigureTable } from '../table/figure-table.tsx';

type Pool = CostAnswer['pools'][number];

const PARTS = [
  ['tenants', 'Tenants'],
  ['idle', 'Idle'],
  ['unattributed', 'Unattributed'],
  ['out_of_scope', 'Out of scope'],
] as const;

interface PoolsPanelProps {
  readonly pools: readonly Pool[];
  readonly currency: string;
  readonly isExact: boolean;
}

export function PoolsPanel({ pools, currency, isExact }: PoolsPanelProps) {
  const columns = useMemo(() => poolColumns(currency, isExact), [currency, isExact]);
  return (
    <Panel title="Pools" note="what each rule of the cost model took from the bill, and where it went">
      <FigureTable
        caption="The bill by pool"
        rows={pools}
        rowKey={(pool) => `${pool.kind} ${pool.pool}`}
        columns={columns}
        sortedBy={{ id: 'total', desc: true }}
        whenEmpty="No pools: no cost model was in force in this period."
      />
    </Panel>
  );
}

function poolColumns(currency: string, isExact: boolean): FigureColumn<Pool>[] {
  const money = (title: string, id: string, amount: (pool: Pool) => bigint): FigureColumn<Pool> => ({
    id,
    title,
    isNumeric: true,
    sortKey: amount,
    cell: (pool) => (
      <MoneyFigure amountAtto={amount(pool)} currency={currency} exactDecimals={isExact ? 18 : undefined} />
    ),
  });
  return [
    { id: 'pool', title: 'Pool', isRowHeader: true, sortKey: (pool) => pool.pool, cell: (pool) => pool.pool },
    { id: 'kind', title: 'Kind', sortKey: (pool) => pool.kind, cell: (pool) => pool.kind },
    money('Total', 'total', totalOfPool),
    ...PARTS.map(([name, title]) => money(title, name, (pool) => attoFromText(pool[name]))),
  ];
}

function totalOfPool(pool: Pool): bigint {
  return sumAtto(PARTS.map(([name]) => attoFromText(pool[name])));
}
