import type { EChartsCoreOption } from 'echarts/core';
import { chartText, chartTooltip, type Palette } from '../chart/palette.ts';
import { lengthOf } from '../money/amount.ts';
import { formatMoney } from '../money/format-money.ts';
import type { CostLook } from './cost-look.ts';
import { type DearestRow, rowName } from './cost-rows.ts';
import type { CostView } from './cost-search.ts';

const LABEL_LENGTH = 26;
const TENANT_LENGTH = 14;

/** Horizontal bars, dearest on top; lengths are floats, every digit that is read comes from the exact amount. */
export function dearestDrawing(rows: readonly DearestRow[], { view, per, currency }: CostLook) {
  const shown = [...rows].reverse();
  const money = (index: number) => formatMoney((shown[index]?.valueAtto ?? 0n) * per, currency);
  return (palette: Palette): EChartsCoreOption => ({
    grid: { left: 4, right: 76, top: 4, bottom: 4, containLabel: true },
    tooltip: {
      ...chartTooltip(palette),
      trigger: 'axis',
      axisPointer: { type: 'shadow', shadowStyle: { color: palette['line-strong'], opacity: 0.25 } },
      formatter: (points: readonly { dataIndex: number }[]) => {
        const index = points[0]?.dataIndex ?? 0;
        const row = shown[index]?.row;
        return row === undefined
          ? ''
          : `${rowName(row, view)}\n${money(index)} per ${per === 1n ? 'call' : '1,000 calls'}`;
      },
    },
    xAxis: { type: 'value', axisLabel: { show: false }, splitLine: { show: false } },
    yAxis: {
      type: 'category',
      data: shown.map(({ row }) => axisName(row, view)),
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { ...chartText(palette), color: palette.text, interval: 0 },
    },
    series: [
      {
        type: 'bar',
        data: shown.map(({ valueAtto }) => lengthOf(valueAtto)),
        barMaxWidth: 14,
        itemStyle: { color: palette.accent, borderRadius: [0, 3, 3, 0] },
        emphasis: { disabled: true },
        label: {
          show: true,
          position: 'right',
          ...chartText(palette),
          formatter: ({ dataIndex }: { dataIndex: number }) => money(dataIndex),
        },
      },
    ],
  });
}

function axisName(row: DearestRow['row'], view: CostView): string {
  if (view !== 'both') return shortened(rowName(row, view));
  const tenant = row.tenant ?? '';
  const start = tenant.length <= TENANT_LENGTH ? tenant : `${tenant.slice(0, TENANT_LENGTH - 1)}…`;
  return `${start} · ${shortened(row.endpoint ?? '')}`;
}

/** Keeps the method and the end of a long route: that is where routes differ. */
export function shortened(name: string): string {
  if (name.length <= LABEL_LENGTH) return name;
  return `${name.slice(0, 9)}…${name.slice(-(LABEL_LENGTH - 10))}`;
}
