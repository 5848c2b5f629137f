import { SegmentedControl } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Period } from '../period/period.ts';
import { PeriodChoice } from '../period/period-choice.tsx';
import { periodWords } from '../period/period-words.ts';
import styles from './cost.module.css';
import { useCostSearch } from './use-cost-search.ts';

interface CostHeadProps {
  readonly period: Period;
  readonly months: readonly string[];
  readonly children?: ReactNode;
}

export function CostHead({ period, months, children }: CostHeadProps) {
  const { search, change } = useCostSearch();
  return (
    <div className={styles.head}>
      <div>
        <h1 className={styles.title}>Cost</h1>
        <div className={styles.subtitle}>
          <span>{periodWords(period)}</span>
          {children}
        </div>
      </div>
      <div className={`${styles.controls} not-printed`}>
        <PeriodChoice period={period} months={months} onChoose={change} />
        <SegmentedControl
          size="xs"
          aria-label="Cost basis"
          data={[
            { value: 'full', label: 'Full' },
            { value: 'direct', label: 'Direct' },
          ]}
          value={search.basis ?? 'full'}
          onChange={(basis) => change({ basis: basis === 'direct' ? 'direct' : undefined })}
        />
      </div>
    </div>
  );
}
