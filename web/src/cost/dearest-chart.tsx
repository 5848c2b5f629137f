import { useMemo } from 'react';
import { Chart } from '../chart/chart.tsx';
import { formatMoney } from '../money/format-money.ts';
import type { CostLook } from './cost-look.ts';
import { type DearestRow, rowName } from './cost-rows.ts';
import { dearestDrawing } from './dearest-drawing.ts';

const ROW_PX = 30;

interface DearestChartProps {
  readonly dearest: readonly DearestRow[];
  readonly look: CostLook;
  readonly onPick: (row: DearestRow['row']) => void;
}

export function DearestChart({ dearest, look, onPick }: DearestChartProps) {
  const { view, basis } = look;
  const drawing = useMemo(() => dearestDrawing(dearest, look), [dearest, look]);
  const first = dearest[0];
  if (first === undefined) return <p className="quiet">No calls in this period, so there is no cost per call.</p>;
  const summary =
    `Bar chart: the ${dearest.length} dearest by ${basis} cost per call, ` +
    `first ${rowName(first.row, view)} with ${formatMoney(first.valueAtto, look.currency)}; all figures are in the table beside it`;
  return (
    <Chart
      summary={summary}
      heightPx={dearest.length * ROW_PX + 8}
      drawing={drawing}
      onPick={(index) => {
        const picked = dearest[dearest.length - 1 - index];
        if (picked !== undefined) onPick(picked.row);
      }}
    />
  );
}
