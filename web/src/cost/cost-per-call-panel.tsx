import { Input } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useMemo, useState } from 'react';
import type { CostAnswer, CostRow } from '../api/contract.ts';
import { costQuestion, type InstantRange } from '../api/questions.ts';
import { counted } from '../figures/format-count.ts';
import { Panel } from '../frame/panel.tsx';
import { Answer } from '../notice/answer.tsx';
import { FigureTable } from '../table/figure-table.tsx';
import styles from './cost.module.css';
import { costColumns } from './cost-columns.tsx';
import { costByFor, dearestRows, rowName, rowsPassing } from './cost-rows.ts';
import { CostTools } from './cost-tools.tsx';
import { DearestChart } from './dearest-chart.tsx';
import { useCostSearch } from './use-cost-search.ts';

const CHART_ROOM = 12;
const VIEW_NOUNS = { endpoint: 'endpoint', tenant: 'tenant', both: 'pair' } as const;

export function CostPerCallPanel({ range }: { readonly range: InstantRange }) {
  const { search } = useCostSearch();
  const query = useQuery(costQuestion(range, costByFor(search.view ?? 'endpoint', search)));
  return (
    <Panel
      title="Cost per call"
      note={search.basis === 'direct' ? 'charges that calls cause' : 'direct, and people, tooling, support, monitoring'}
      tools={<CostTools />}
    >
      <Answer query={query} placeholderPx={420}>
        {(answer) => <CostPerCall answer={answer} />}
      </Answer>
    </Panel>
  );
}

function CostPerCall({ answer }: { readonly answer: CostAnswer }) {
  const { search, change } = useCostSearch();
  const { view = 'endpoint', basis = 'full', per, digits, tenant, endpoint } = search;
  const [typed, setTyped] = useState('');
  const wanted = useDeferredValue(typed).trim().toLowerCase();
  const rows = useMemo(
    () =>
      rowsPassing(answer.rows, { tenant, endpoint }).filter((row) => rowName(row, view).toLowerCase().includes(wanted)),
    [answer, tenant, endpoint, wanted, view],
  );
  const look = useMemo(
    () =>
      ({
        view,
        basis,
        per: per === '1000' ? 1000n : 1n,
        isExact: digits === 'exact',
        currency: answer.currency,
      }) as const,
    [view, basis, per, digits, answer.currency],
  );
  const columns = useMemo(() => costColumns(look), [look]);
  const dearest = useMemo(() => dearestRows(rows, basis, CHART_ROOM), [rows, basis]);
  const narrowTo = (row: CostRow) =>
    change(view === 'tenant' ? { tenant: row.tenant, view: undefined } : { endpoint: row.endpoint, view: 'tenant' });
  if (answer.rows.length === 0) return <p className="quiet">Nobody was charged and no call was made in this period.</p>;
  return (
    <div className={styles.split} data-stacked={view === 'both' || look.isExact || undefined}>
      <div>
        <h3 className={styles.sub}>Dearest per call</h3>
        <DearestChart dearest={dearest} look={look} onPick={narrowTo} />
      </div>
      <div>
        <div className={styles.bar}>
          <h3 className={styles.sub} style={{ margin: 0 }}>
            {counted(rows.length, VIEW_NOUNS[view])}
          </h3>
          <Input
            size="xs"
            type="search"
            className="not-printed"
            placeholder="Filter by name"
            aria-label="Filter rows by name"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        </div>
        <FigureTable
          key={`${view} ${basis}`}
          caption={`Cost per call by ${view === 'both' ? 'tenant and endpoint' : view}`}
          rows={rows}
          rowKey={(row) => JSON.stringify([row.tenant, row.endpoint])}
          columns={columns}
          sortedBy={{ id: basis, desc: true }}
          rowsPerPage={view === 'both' ? 25 : 12}
          whenEmpty={wanted === '' ? 'Nothing passes the filter.' : `No name contains "${wanted}".`}
        />
      </div>
    </div>
  );
}
