export {
  readCallMonths,
  readCallSpan,
  type UsageDimension,
  type UsageWindow,
  usageDimensions,
  usageWindows,
} from './queries.ts';
export { type UsageQuestion, type UsageReport, type UsageRow, usageReport } from './usage.ts';
