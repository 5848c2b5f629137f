import type { EChartsCoreOption } from 'echarts/core';
import { chartText, chartTooltip, type Palette } from '../chart/palette.ts';
import { formatCount, formatCountShort, formatShare } from '../figures/format-count.ts';
import type { VolumeSlot } from './volume-slots.ts';

type SlotWords = (startMs: number) => string;

/** Calls above, the share of errors below, on one time axis; what was not recorded is shaded, not drawn as zero. */
export function volumeDrawing(slots: readonly VolumeSlot[], words: SlotWords, ticks: SlotWords) {
  const names = slots.map((slot) => ticks(slot.startMs));
  const answered = slots.map(({ figures }) => (figures === null ? null : figures.calls - figures.errors));
  const errors = slots.map(({ figures }) => figures?.errors ?? null);
  return (palette: Palette): EChartsCoreOption => ({
    grid: [
      { left: 52, right: 12, top: 14, height: 168 },
      { left: 52, right: 12, top: 214, height: 52 },
    ],
    tooltip: {
      ...chartTooltip(palette),
      trigger: 'axis',
      formatter: (points: readonly { dataIndex: number }[]) => slotText(slots[points[0]?.dataIndex ?? -1], words),
    },
    axisPointer: { link: [{ xAxisIndex: 'all' }], lineStyle: { color: palette['line-strong'] } },
    xAxis: [
      timeAxis(0, names, palette, false),
      timeAxis(1, names, palette, true),
      { type: 'category', gridIndex: 0, data: names, show: false },
    ],
    yAxis: [
      valueAxis(0, palette, formatCountShort, 3),
      {
        ...valueAxis(1, palette, (share) => `${Math.round(share * 1000) / 10} %`, 1),
        min: 0,
        max: shareCeiling(slots),
      },
      { type: 'value', gridIndex: 0, show: false, min: 0, max: 1 },
    ],
    series: [
      gapBars(slots, palette),
      bars('Answered', palette.accent, answered),
      bars('Errors', palette['error-bar'], errors),
      {
        name: 'Error share',
        type: 'line',
        xAxisIndex: 1,
        yAxisIndex: 1,
        data: slots.map(errorShare),
        connectNulls: false,
        showSymbol: slots.length < 3,
        symbolSize: 4,
        lineStyle: { color: palette['error-bar'], width: 1.5 },
        itemStyle: { color: palette['error-bar'] },
        areaStyle: { color: palette['error-bar'], opacity: 0.14 },
      },
    ],
  });
}

function slotText(slot: VolumeSlot | undefined, words: SlotWords): string {
  if (slot === undefined) return '';
  if (slot.figures === null) return `${words(slot.startMs)}\nnothing recorded`;
  const { calls, errors } = slot.figures;
  return `${words(slot.startMs)}\n${formatCount(calls)} calls\n${formatCount(errors)} errors (${formatShare(errorShare(slot))})`;
}

export function errorShare({ figures }: VolumeSlot): number | null {
  return figures === null || figures.calls === 0 ? null : figures.errors / figures.calls;
}

/** A round ceiling just above the worst window, at least 1 %, so that a quiet day does not look like an outage. */
function shareCeiling(slots: readonly VolumeSlot[]): number {
  const worst = Math.max(0, ...slots.map((slot) => errorShare(slot) ?? 0));
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((ceiling) => ceiling >= worst) ?? 1;
}

function bars(name: string, color: string, values: readonly (number | null)[]): object {
  return {
    name,
    type: 'bar',
    stack: 'calls',
    data: values,
    itemStyle: { color },
    barCategoryGap: values.length > 100 ? '12%' : '28%',
    barMaxWidth: 34,
    emphasis: { disabled: true },
  };
}

function timeAxis(gridIndex: number, names: readonly string[], palette: Palette, isLabelled: boolean): object {
  return {
    type: 'category',
    gridIndex,
    data: names,
    axisLine: { lineStyle: { color: palette['line-strong'] } },
    axisTick: { show: false },
    axisLabel: {
      ...chartText(palette),
      show: isLabelled,
      hideOverlap: true,
      interval: (index: number) => names[index] !== '',
    },
  };
}

function valueAxis(
  gridIndex: number,
  palette: Palette,
  formatter: (value: number) => string,
  splitNumber: number,
): object {
  return {
    type: 'value',
    gridIndex,
    splitNumber,
    axisLabel: { ...chartText(palette), formatter },
    splitLine: { lineStyle: { color: palette.line } },
  };
}

/** Hatched bars over the whole height, on axes of their own so that they take no room from the real ones. */
function gapBars(slots: readonly VolumeSlot[], palette: Palette): object {
  return {
    name: 'Nothing recorded',
    type: 'bar',
    xAxisIndex: 2,
    yAxisIndex: 2,
    silent: true,
    barWidth: '100%',
    data: slots.map((slot) => (slot.figures === null ? 1 : null)),
    itemStyle: {
      color: palette['surface-sunken'],
      decal: {
        symbol: 'rect',
        color: palette['line-strong'],
        rotation: -Math.PI / 4,
        dashArrayX: [1, 0],
        dashArrayY: [1, 6],
      },
    },
  };
}
