import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { CostAnswer, StatusAnswer } from '../api/contract.ts';
import { costQuestion, statusQuestion } from '../api/questions.ts';
import { formatShare } from '../figures/format-count.ts';
import { IdentityPanel } from '../identity/identity-panel.tsx';
import { Answer, Placeholder } from '../notice/answer.tsx';
import { periodFromSearch } from '../period/period.ts';
import { periodWords } from '../period/period-words.ts';
import { ReconcilePanel } from '../reconcile/reconcile-panel.tsx';
import { MissingParts } from '../start/missing-notice.tsx';
import { StartPage } from '../start/start-page.tsx';
import { VolumePanel } from '../volume/volume-panel.tsx';
import styles from './cost.module.css';
import { CostHead } from './cost-head.tsx';
import { CostPerCallPanel } from './cost-per-call-panel.tsx';
import { rowsPassing, totalByFor } from './cost-rows.ts';
import { totalOfRows } from './cost-total.ts';
import { FilterChips } from './filter-chips.tsx';
import { KeyFigures } from './key-figures.tsx';
import { PoolsPanel } from './pools-panel.tsx';
import { StateBadge } from './state-badge.tsx';
import { useCostSearch } from './use-cost-search.ts';

/** Which endpoints and tenants burn the money, and does it add up to the bill? */
export function CostPage() {
  const query = useQuery(statusQuestion);
  if (query.data === undefined)
    return (
      <div className={styles.page}>
        <h1 className={styles.title}>Cost</h1>
        <Answer query={query} placeholderPx={520}>
          {() => null}
        </Answer>
      </div>
    );
  return query.data.isEmpty ? <StartPage status={query.data} problem={query.error} /> : <Figures status={query.data} />;
}

function Figures({ status }: { readonly status: StatusAnswer }) {
  const { search, change } = useCostSearch();
  const period = periodFromSearch(search, status.months, new Date());
  const query = useQuery(costQuestion(period.range, totalByFor(search)));
  const words = periodWords(period);
  useEffect(() => {
    document.title = `Cost, ${words} · Taximeter`;
  }, [words]);
  return (
    <div className={styles.page}>
      <CostHead period={period} months={status.months}>
        {query.data && <Trust answer={query.data} />}
      </CostHead>
      <MissingParts status={status} />
      <FilterChips />
      <Answer query={query} placeholderPx={420}>
        {(answer) => <Overview answer={answer} />}
      </Answer>
      {/* One problem, one notice: these figures come from the same place. */}
      {!query.isError && <CostPerCallPanel range={period.range} />}
      <VolumePanel period={period.range} status={status} choice={search} onChoose={change} />
      {query.data ? (
        <PoolsPanel pools={query.data.pools} currency={query.data.currency} isExact={search.digits === 'exact'} />
      ) : (
        !query.isError && <Placeholder heightPx={240} />
      )}
      <ReconcilePanel range={period.range} />
    </div>
  );
}

function Overview({ answer }: { readonly answer: CostAnswer }) {
  const { search } = useCostSearch();
  const whose = [search.tenant, search.endpoint].filter((name) => name !== undefined).join(' · ');
  return (
    <>
      <KeyFigures
        identity={answer.identity}
        currency={answer.currency}
        total={totalOfRows(rowsPassing(answer.rows, search))}
        whose={whose === '' ? undefined : `of ${whose}`}
      />
      <IdentityPanel identity={answer.identity} currency={answer.currency} />
    </>
  );
}

/** How far the figures can be trusted: their state, what they were measured from, and which model shared them out. */
function Trust({ answer }: { readonly answer: CostAnswer }) {
  const { search } = useCostSearch();
  const { state, coverage, models } = totalOfRows(rowsPassing(answer.rows, search));
  return (
    <>
      {state !== null && <StateBadge state={state} />}
      {coverage.weight !== null && (
        <span title="Share of calls whose sampling weight is known">weights known {formatShare(coverage.weight)}</span>
      )}
      {coverage.driver !== null && (
        <span title="Share of calls for which every driver of their pools was measured">
          drivers measured {formatShare(coverage.driver)}
        </span>
      )}
      {models.length > 0 && <span>model {models.join(', ')}</span>}
    </>
  );
}
