export { type EventsQuestion, type ListedEvent, listEvents } from './meters/list-events.ts';
export { type Meter, type MeterSpec, meterRequest, meterSpec, meterWindows } from './meters/meter.ts';
export { changeMeter, createMeter, endMeter, findMeter, listMeters } from './meters/meter-documents.ts';
export { type MeterQuestion, type MeterRow, queryMeter } from './meters/query-meter.ts';
export {
  findSubject,
  forgetSubject,
  listSubjects,
  meterSubjects,
  type Page,
  type Subject,
  tellSubjects,
} from './meters/subjects.ts';
export {
  readCallMonths,
  readCallSpan,
  type UsageDimension,
  type UsageFilter,
  type UsageWindow,
  usageDimensions,
  usageWindows,
} from './queries.ts';
export { refreshRollups } from './rollups/refresh.ts';
export { type UsageQuestion, type UsageReport, type UsageRow, usageReport } from './usage.ts';
