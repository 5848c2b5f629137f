import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { StatusAnswer, UsageAnswer } from '../api/contract.ts';
import { type InstantRange, usageQuestion } from '../api/questions.ts';
import type { CostSearch } from '../cost/cost-search.ts';
import { useCostSearch } from '../cost/use-cost-search.ts';
import { Panel } from '../frame/panel.tsx';
import { Answer } from '../notice/answer.tsx';
import { localZone } from './slot-words.ts';
import { VolumeFigures } from './volume-figures.tsx';
import { type VolumePlan, volumePlan } from './volume-plan.ts';

interface VolumePanelProps {
  readonly period: InstantRange;
  readonly status: StatusAnswer;
}

export function VolumePanel({ period, status }: VolumePanelProps) {
  const plan = volumePlan(period, status);
  const note = plan === null ? undefined : `per ${plan.window}`;
  return (
    <Panel title="Call volume" note={note} tools={<ZoneChoice />}>
      {plan === null ? <p className="quiet">No calls in this period.</p> : <Volume plan={plan} />}
    </Panel>
  );
}

function Volume({ plan }: { readonly plan: VolumePlan }) {
  const { search } = useCostSearch();
  // Kept here, above the answer: another zone is another answer, and must not close what the reader opened.
  const [isTableOpen, setTableOpen] = useState(false);
  const zone = search.zone === 'local' ? localZone() : 'UTC';
  const by = usageBy(search);
  const query = useQuery(usageQuestion(plan.range, plan.window, zone, by));
  return (
    <Answer query={query} placeholderPx={310}>
      {(answer: UsageAnswer) => (
        <VolumeFigures
          answer={answer}
          window={plan.window}
          zone={zone}
          tenant={search.tenant}
          endpoint={search.endpoint}
          isTableOpen={isTableOpen}
          onTable={setTableOpen}
        />
      )}
    </Answer>
  );
}

function usageBy({ tenant, endpoint }: CostSearch) {
  if (tenant !== undefined) return endpoint === undefined ? 'tenant' : 'tenant,endpoint';
  return endpoint === undefined ? undefined : 'endpoint';
}

function ZoneChoice() {
  const { search, change } = useCostSearch();
  return (
    <SegmentedControl
      size="xs"
      aria-label="Time zone"
      data={[
        { value: 'utc', label: 'UTC' },
        { value: 'local', label: localZone() === 'UTC' ? 'Local' : localZone().replaceAll('_', ' ') },
      ]}
      value={search.zone ?? 'utc'}
      onChange={(zone) => change({ zone: zone === 'local' ? 'local' : undefined })}
    />
  );
}
