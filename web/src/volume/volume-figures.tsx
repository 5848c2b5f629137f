import { useMemo } from 'react';
import type { UsageAnswer } from '../api/contract.ts';
import type { UsageWindow } from '../api/questions.ts';
import { Chart } from '../chart/chart.tsx';
import { counted, formatCount, formatShare } from '../figures/format-count.ts';
import { slotWords, tickWords } from './slot-words.ts';
import styles from './volume.module.css';
import { volumeDrawing } from './volume-drawing.ts';
import { slotsFromRows, volumeSummary } from './volume-slots.ts';
import { VolumeTable } from './volume-table.tsx';

interface VolumeFiguresProps {
  readonly answer: UsageAnswer;
  readonly window: UsageWindow;
  readonly zone: string;
  readonly tenant: string | undefined;
  readonly endpoint: string | undefined;
  readonly isTableOpen: boolean;
  readonly onTable: (isOpen: boolean) => void;
}

export function VolumeFigures(props: VolumeFiguresProps) {
  const { answer, window, zone, tenant, endpoint, isTableOpen, onTable } = props;
  const slots = useMemo(() => {
    const rows = answer.rows.filter(
      (row) => (tenant ?? row.tenant) === row.tenant && (endpoint ?? row.endpoint) === row.endpoint,
    );
    return slotsFromRows(rows, window);
  }, [answer, window, tenant, endpoint]);
  const words = useMemo(() => slotWords(window, zone), [window, zone]);
  const drawing = useMemo(() => volumeDrawing(slots, words, tickWords(window, zone)), [slots, words, window, zone]);
  const { calls, errors, errorShare, gaps, peak } = volumeSummary(slots);
  if (slots.length === 0) return <p className="quiet">No calls in this period.</p>;
  const peakText = peak === null ? '' : `, most in the ${window} from ${words(peak.startMs)}`;
  return (
    <>
      <dl className={styles.facts}>
        <Fact title="Calls" value={formatCount(calls)} swatch="calls" />
        <Fact title="Errors" value={`${formatCount(errors)} (${formatShare(errorShare)})`} swatch="errors" />
        <Fact title={`Busiest ${window}`} value={peak?.figures ? formatCount(peak.figures.calls) : 'none'} />
        <Fact title="Nothing recorded" value={counted(gaps, window)} swatch="gaps" />
      </dl>
      <Chart
        summary={`Chart of calls per ${window} in ${zone}: ${formatCount(calls)} calls${peakText}, ${formatShare(errorShare)} errors, ${counted(gaps, window)} without records`}
        heightPx={300}
        drawing={drawing}
      />
      <details className={styles.details} open={isTableOpen} onToggle={(event) => onTable(event.currentTarget.open)}>
        <summary>The same as a table</summary>
        {isTableOpen && <VolumeTable slots={slots} words={words} window={window} />}
      </details>
    </>
  );
}

interface FactProps {
  readonly title: string;
  readonly value: string;
  readonly swatch?: 'calls' | 'errors' | 'gaps';
}

function Fact({ title, value, swatch }: FactProps) {
  return (
    <div className={styles.fact}>
      <dt>
        {swatch !== undefined && <span className={styles.swatch} data-swatch={swatch} aria-hidden="true" />}
        {title}
      </dt>
      <dd className="figure">{value}</dd>
    </div>
  );
}
