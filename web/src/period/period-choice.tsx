import { Input, NativeSelect } from '@mantine/core';
import { useState } from 'react';
import styles from './period.module.css';
import { dayAfter, isDay, type Period, type PeriodSearch } from './period.ts';
import { monthWords } from './period-words.ts';

const OWN_DAYS = 'days';

interface PeriodChoiceProps {
  readonly period: Period;
  readonly months: readonly string[];
  readonly onChoose: (search: PeriodSearch) => void;
}

/** A calendar month that holds something, or days of one's own. */
export function PeriodChoice({ period, months, onChoose }: PeriodChoiceProps) {
  const offered = period.kind === 'days' || months.includes(period.month) ? months : [period.month, ...months];
  const chooseDays = () =>
    onChoose({ month: undefined, from: period.range.from.slice(0, 10), to: period.range.to.slice(0, 10) });
  return (
    <>
      <NativeSelect
        size="xs"
        label="Period"
        data={[
          ...offered.map((month) => ({ value: month, label: monthWords(month) })),
          { value: OWN_DAYS, label: 'Chosen days…' },
        ]}
        value={period.kind === 'days' ? OWN_DAYS : period.month}
        onChange={({ currentTarget: { value } }) =>
          value === OWN_DAYS ? chooseDays() : onChoose({ month: value, from: undefined, to: undefined })
        }
      />
      {period.kind === 'days' && (
        <DaysChoice key={period.range.from + period.range.to} period={period} onChoose={onChoose} />
      )}
    </>
  );
}

/** People name the last day they mean; the API wants the day after it. */
function DaysChoice({ period, onChoose }: Pick<PeriodChoiceProps, 'period' | 'onChoose'>) {
  const [first, setFirst] = useState(period.range.from.slice(0, 10));
  const [last, setLast] = useState(dayAfter(period.range.to.slice(0, 10), -1));
  const isSound = isDay(first) && isDay(last) && first <= last;
  const choose = (from: string, until: string) => {
    if (isDay(from) && isDay(until) && from <= until) onChoose({ month: undefined, from, to: dayAfter(until) });
  };
  return (
    <>
      <Input.Wrapper size="xs" label="First day (UTC)">
        <Input
          size="xs"
          type="date"
          value={first}
          error={!isSound}
          onChange={(event) => setFirst(event.currentTarget.value)}
          onBlur={() => choose(first, last)}
          onKeyDown={(event) => event.key === 'Enter' && choose(first, last)}
        />
      </Input.Wrapper>
      <Input.Wrapper size="xs" label="Last day (UTC)">
        <Input
          size="xs"
          type="date"
          value={last}
          error={!isSound}
          onChange={(event) => setLast(event.currentTarget.value)}
          onBlur={() => choose(first, last)}
          onKeyDown={(event) => event.key === 'Enter' && choose(first, last)}
        />
      </Input.Wrapper>
      {!isSound && (
        <p role="alert" className={styles.wrong}>
          The first day must not be after the last one.
        </p>
      )}
    </>
  );
}
