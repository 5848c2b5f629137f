import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { StatusAnswer, UsageAnswer } from '../api/contract.ts';
import { type CostBy, type InstantRange, usageQuestion } from '../api/questions.ts';
import { Panel } from '../frame/panel.tsx';
import { Answer } from '../notice/answer.tsx';
import { localZone } from './slot-words.ts';
import { VolumeFigures } from './volume-figures.tsx';
import { type VolumePlan, volumePlan } from './volume-plan.ts';

/** What the reader chose for the volume: whose calls, and whose clock. */
export interface VolumeChoice {
  readonly tenant?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly zone?: 'local' | undefined;
}

interface VolumePanelProps {
  readonly period: InstantRange;
  readonly status: StatusAnswer;
  readonly choice: VolumeChoice;
  readonly onChoose: (choice: VolumeChoice) => void;
}

export function VolumePanel({ period, status, choice, onChoose }: VolumePanelProps) {
  const plan = volumePlan(period, status);
  const note = plan === null ? undefined : `per ${plan.window}`;
  return (
    <Panel title="Call volume" note={note} tools={<ZoneChoice zone={choice.zone} onChoose={onChoose} />}>
      {plan === null ? <p className="quiet">No calls in this period.</p> : <Volume plan={plan} choice={choice} />}
    </Panel>
  );
}

function Volume({ plan, choice }: { readonly plan: VolumePlan; readonly choice: VolumeChoice }) {
  // Kept here, above the answer: another zone is another answer, and must not close what the reader opened.
  const [isTableOpen, setTableOpen] = useState(false);
  const zone = choice.zone === 'local' ? localZone() : 'UTC';
  const query = useQuery(usageQuestion(plan.range, plan.window, zone, usageBy(choice)));
  return (
    <Answer query={query} placeholderPx={310}>
      {(answer: UsageAnswer) => (
        <VolumeFigures
          answer={answer}
          window={plan.window}
          zone={zone}
          tenant={choice.tenant}
          endpoint={choice.endpoint}
          isTableOpen={isTableOpen}
          onTable={setTableOpen}
        />
      )}
    </Answer>
  );
}

function usageBy({ tenant, endpoint }: VolumeChoice): CostBy | undefined {
  if (tenant !== undefined) return endpoint === undefined ? 'tenant' : 'tenant,endpoint';
  return endpoint === undefined ? undefined : 'endpoint';
}

function ZoneChoice({ zone, onChoose }: Pick<VolumeChoice, 'zone'> & Pick<VolumePanelProps, 'onChoose'>) {
  return (
    <SegmentedControl
      size="xs"
      aria-label="Time zone"
      data={[
        { value: 'utc', label: 'UTC' },
        { value: 'local', label: localZone() === 'UTC' ? 'Local' : localZone().replaceAll('_', ' ') },
      ]}
      value={zone ?? 'utc'}
      onChange={(chosen) => onChoose({ zone: chosen === 'local' ? 'local' : undefined })}
    />
  );
}
