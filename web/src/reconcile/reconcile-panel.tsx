import { useQueries } from '@tanstack/react-query';
import type { ReconcileAnswer } from '../api/contract.ts';
import { type InstantRange, reconcileQuestion } from '../api/questions.ts';
import { Panel } from '../frame/panel.tsx';
import { Answer } from '../notice/answer.tsx';
import { monthsOf } from '../period/period.ts';
import { monthWords } from '../period/period-words.ts';
import { FigureTable } from '../table/figure-table.tsx';
import styles from './reconcile.module.css';
import { RECONCILE_COLUMNS, type ReconcileLine } from './reconcile-columns.tsx';

const MOST_MONTHS = 6;

/** Does what was posted add up to what the providers billed, account by account? */
export function ReconcilePanel({ range }: { readonly range: InstantRange }) {
  const touched = monthsOf(range);
  const months = touched.slice(-MOST_MONTHS).reverse();
  const queries = useQueries({ queries: months.map((month) => reconcileQuestion(month)) });
  const left = touched.length - months.length;
  return (
    <Panel title="Reconciliation" note="billed + amortisation = charges = posted, by source, account and billing month">
      <div className={styles.months}>
        {months.map((month, index) => {
          const query = queries[index];
          return (
            query && (
              <div key={month}>
                {months.length > 1 && <h3 className={styles.month}>{monthWords(month)}</h3>}
                <Answer query={query} placeholderPx={140}>
                  {(answer) => <Lines answer={answer} />}
                </Answer>
              </div>
            )
          );
        })}
        {left > 0 && <p className="quiet">{left} earlier months are not shown: choose a shorter period to see them.</p>}
      </div>
    </Panel>
  );
}

function Lines({ answer }: { readonly answer: ReconcileAnswer }) {
  const found = answer.lines.filter((line) => line.findings.length > 0);
  return (
    <>
      <FigureTable
        caption={`Reconciliation of ${monthWords(answer.period)}`}
        rows={answer.lines}
        rowKey={lineName}
        columns={RECONCILE_COLUMNS}
        whenEmpty="No billing period in this month."
      />
      {found.map((line) => (
        <div key={lineName(line)} className={styles.findings}>
          <p>{[line.source, line.account].filter((name) => name !== '').join(' ')}</p>
          <ul>
            {line.findings.map((finding) => (
              <li key={finding}>{finding}</li>
            ))}
          </ul>
        </div>
      ))}
    </>
  );
}

function lineName(line: ReconcileLine): string {
  return [line.source, line.account, line.currency, line.billingStart].join(' ');
}
