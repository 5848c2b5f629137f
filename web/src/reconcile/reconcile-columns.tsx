import type { ReconcileAnswer } from '../api/contract.ts';
import { counted } from '../figures/format-count.ts';
import { attoFromText } from '../money/amount.ts';
import { MoneyFigure, Unknown } from '../money/money-figure.tsx';
import type { FigureColumn } from '../table/column.ts';
import styles from './reconcile.module.css';

export type ReconcileLine = ReconcileAnswer['lines'][number];

const AMOUNTS = [
  ['billed', 'Billed'],
  ['amortisation', 'Amortisation'],
  ['charges', 'Charges'],
  ['posted', 'Posted'],
] as const;

export const RECONCILE_COLUMNS: readonly FigureColumn<ReconcileLine>[] = [
  { id: 'source', title: 'Source', isRowHeader: true, sortKey: (line) => line.source, cell: (line) => line.source },
  {
    id: 'account',
    title: 'Account',
    sortKey: (line) => line.account,
    cell: (line) => (line.account === '' ? <Unknown why="no account" /> : line.account),
  },
  { id: 'state', title: 'Period', sortKey: (line) => line.state, cell: (line) => line.state },
  ...AMOUNTS.map(([name, title]) => amountColumn(name, title)),
  {
    id: 'residual',
    title: 'Residual',
    isNumeric: true,
    sortKey: (line) => attoFromText(line.residual),
    cell: (line) => <Residual line={line} />,
  },
  {
    id: 'findings',
    title: 'Findings',
    isNumeric: true,
    sortKey: (line) => line.findings.length + line.missingHours,
    cell: findingsWords,
  },
];

function amountColumn(name: (typeof AMOUNTS)[number][0], title: string): FigureColumn<ReconcileLine> {
  return {
    id: name,
    title,
    isNumeric: true,
    sortKey: (line) => attoFromText(line[name]),
    cell: (line) => <MoneyFigure amountAtto={attoFromText(line[name])} currency={line.currency} />,
  };
}

function Residual({ line }: { readonly line: ReconcileLine }) {
  const residualAtto = attoFromText(line.residual);
  if (residualAtto === 0n) return <span className={styles.balanced}>0 ✓</span>;
  return (
    <span className={styles.unbalanced}>
      ✗ <MoneyFigure amountAtto={residualAtto} currency={line.currency} />
    </span>
  );
}

function findingsWords(line: ReconcileLine): string {
  const hours = line.missingHours === 0 ? [] : [`${counted(line.missingHours, 'hour')} missing`];
  const findings = line.findings.length === 0 ? [] : [counted(line.findings.length, 'finding')];
  return [...hours, ...findings].join(', ') || 'none';
}
