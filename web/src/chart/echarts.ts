import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

// Only what the pages draw; SVG stays sharp in print and at any zoom.
use([BarChart, LineChart, GridComponent, TooltipComponent, SVGRenderer]);

export { init };
