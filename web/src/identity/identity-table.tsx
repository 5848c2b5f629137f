import { formatShare } from '../figures/format-count.ts';
import { formatMoney } from '../money/format-money.ts';
import { MoneyFigure, Unknown } from '../money/money-figure.tsx';
import styles from './identity.module.css';
import type { IdentityPart, IdentityView } from './identity-parts.ts';

const EXACT = 18;

interface IdentityTableProps {
  readonly view: IdentityView;
  readonly currency: string;
}

export function IdentityTable({ view, currency }: IdentityTableProps) {
  return (
    <table className={styles.table}>
      <caption className="only-read-aloud">The bill and its parts, exact amounts</caption>
      <thead className="only-read-aloud">
        <tr>
          <th scope="col">Part</th>
          <th scope="col">Amount</th>
          <th scope="col">Share of the bill</th>
        </tr>
      </thead>
      <tbody>
        {view.parts.map((part) => (
          <PartRow key={part.name} part={part} currency={currency} />
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">
            <span className={styles.part}>
              <span>Bill</span>
              <span className={`${styles.meaning} quiet`} style={{ fontWeight: 450 }}>
                charges <MoneyFigure amountAtto={view.chargesAtto} currency={currency} /> + fixed{' '}
                <MoneyFigure amountAtto={view.fixedAtto} currency={currency} />
              </span>
            </span>
          </th>
          <td>
            <MoneyFigure amountAtto={view.billAtto} currency={currency} exactDecimals={EXACT} />
          </td>
          <td />
        </tr>
        <tr className={styles.sums} data-whole={view.isWhole}>
          <th scope="row">Residual</th>
          <td>
            {view.isWhole ? (
              <span className="figure">exactly {formatMoney(0n, currency)}</span>
            ) : (
              <MoneyFigure amountAtto={view.residualAtto} currency={currency} exactDecimals={EXACT} />
            )}
          </td>
          <td>
            <span aria-hidden="true">{view.isWhole ? '✓' : '✗'}</span>
            <span className="only-read-aloud">{view.isWhole ? 'balanced' : 'not balanced'}</span>
          </td>
        </tr>
      </tfoot>
    </table>
  );
}

function PartRow({ part, currency }: { readonly part: IdentityPart; readonly currency: string }) {
  return (
    <tr>
      <th scope="row">
        <span className={styles.part}>
          <span className={styles.swatch} data-part={part.name} aria-hidden="true" />
          {part.title}
          <span className={`${styles.meaning} quiet`}>{part.meaning}</span>
        </span>
      </th>
      <td>
        <MoneyFigure amountAtto={part.amountAtto} currency={currency} exactDecimals={EXACT} />
      </td>
      <td className="figure">
        {part.share === null ? <Unknown why="no share of a bill of zero or less" /> : formatShare(part.share)}
      </td>
    </tr>
  );
}
