import type { ReactNode } from 'react';
import type { Identity } from '../api/contract.ts';
import { counted, formatCount, formatShare } from '../figures/format-count.ts';
import { attoFromText, shareOf } from '../money/amount.ts';
import { formatMoney } from '../money/format-money.ts';
import { MoneyFigure, Unknown } from '../money/money-figure.tsx';
import styles from './cost.module.css';
import { type CostTotal, callsFromMicro } from './cost-total.ts';

interface KeyFiguresProps {
  readonly identity: Identity;
  readonly currency: string;
  readonly total: CostTotal;
  /** Whose calls these are, when the page is narrowed to someone. */
  readonly whose?: string;
}

export function KeyFigures({ identity, currency, total, whose }: KeyFiguresProps) {
  const billAtto = attoFromText(identity.bill);
  const idleAtto = attoFromText(identity.idle);
  const calls = callsFromMicro(total.callsMicro);
  return (
    <dl className={styles.figures}>
      <Figure title="Bill" aside={`fixed ${formatMoney(attoFromText(identity.fixed), currency)} included`}>
        <MoneyFigure amountAtto={billAtto} currency={currency} />
      </Figure>
      <Figure title="Calls" aside={whose ?? `${formatMoney(total.fullAtto, currency)} charged to tenants`}>
        <span className="figure">{formatCount(calls)}</span>
      </Figure>
      <PerCall title="Full cost per call" amountAtto={total.fullPerCallAtto} currency={currency} />
      <PerCall title="Direct cost per call" amountAtto={total.directPerCallAtto} currency={currency} />
      <Figure title="Idle" aside={`${formatMoney(idleAtto, currency)} used by nobody`}>
        <span className="figure">{formatShare(shareOf(idleAtto, billAtto))}</span>
      </Figure>
    </dl>
  );
}

interface PerCallProps {
  readonly title: string;
  readonly amountAtto: bigint | null;
  readonly currency: string;
}

function PerCall({ title, amountAtto, currency }: PerCallProps) {
  if (amountAtto === null)
    return (
      <Figure title={title} aside={counted(0, 'call')}>
        <Unknown why="unknown: there were no calls" />
      </Figure>
    );
  return (
    <Figure title={title} aside={`${formatMoney(amountAtto * 1000n, currency)} per 1,000 calls`} isFine>
      <MoneyFigure amountAtto={amountAtto} currency={currency} exactDecimals={12} />
    </Figure>
  );
}

interface FigureProps {
  readonly title: string;
  readonly aside: string;
  readonly isFine?: boolean;
  readonly children: ReactNode;
}

function Figure({ title, aside, isFine, children }: FigureProps) {
  return (
    <div className={styles.figure} data-fine={isFine || undefined}>
      <dt>{title}</dt>
      <dd>{children}</dd>
      <dd className={`${styles.aside} figure`}>{aside}</dd>
    </div>
  );
}
