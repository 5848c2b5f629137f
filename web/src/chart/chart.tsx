import { useComputedColorScheme } from '@mantine/core';
import { useReducedMotion } from '@mantine/hooks';
import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { useEffect, useRef } from 'react';
import { type Palette, paletteOnPaper, paletteOnScreen } from './palette.ts';

const PRINT_WIDTH_PX = 650;

interface ChartProps {
  /** What the chart says, for those who do not see it; the figures stand in a table nearby. */
  readonly summary: string;
  readonly heightPx: number;
  /** Must stay the same function while the figures stay the same. */
  readonly drawing: (palette: Palette) => EChartsCoreOption;
  readonly onPick?: (index: number) => void;
}

export function Chart({ summary, heightPx, drawing, onPick }: ChartProps) {
  const canvas = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme('light');
  const isStill = useReducedMotion();
  const pick = useRef(onPick);
  pick.current = onPick;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme changes the palette that is read inside.
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    let chart: EChartsType | undefined;
    let isGone = false;
    // The chart library is half of the code of a page, and the figures do not have to wait for it.
    void import('./echarts.ts').then(({ init }) => {
      if (isGone) return;
      chart = init(element, null, { renderer: 'svg' });
      chart.setOption({ animation: !isStill, animationDuration: 250, ...drawing(paletteOnScreen()) });
      chart.on('click', (event) => pick.current?.(event.dataIndex));
    });
    const release = followSize(element, {
      onScreen: () => chart?.resize(),
      onPaper: () => {
        // In this order: setting an option draws at once, a new size only with the next frame, which paper never sees.
        chart?.resize({ width: PRINT_WIDTH_PX });
        chart?.setOption({ animation: false, ...drawing(paletteOnPaper()) });
      },
      afterPaper: () => {
        chart?.resize();
        chart?.setOption(drawing(paletteOnScreen()));
      },
    });
    return () => {
      isGone = true;
      release();
      chart?.dispose();
    };
  }, [drawing, scheme, isStill]);

  return <div ref={canvas} role="img" aria-label={summary} style={{ height: heightPx, width: '100%' }} />;
}

interface SizeChanges {
  readonly onScreen: () => void;
  readonly onPaper: () => void;
  readonly afterPaper: () => void;
}

/** Charts have a size in pixels, so they must be told when the window, or the paper, is another one. */
function followSize(element: Element, { onScreen, onPaper, afterPaper }: SizeChanges): () => void {
  const observer = new ResizeObserver(onScreen);
  observer.observe(element);
  window.addEventListener('beforeprint', onPaper);
  window.addEventListener('afterprint', afterPaper);
  return () => {
    observer.disconnect();
    window.removeEventListener('beforeprint', onPaper);
    window.removeEventListener('afterprint', afterPaper);
  };
}
