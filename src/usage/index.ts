export { type BaselineReport, baselineReport, baselineWindows } from './benchmarks/baseline.ts';
export { type BenchmarkMetric, benchmarkMetrics, type CostsByDay } from './benchmarks/metric-series.ts';
export { choiceText, targetSpec, zoneName } from './benchmarks/target.ts';
export { type TargetRow, targetsReport } from './benchmarks/targets.ts';
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
export { certainties, savedOf, type Waste, wasteKinds } from './patterns/find-patterns.ts';
export { patternsReport } from './patterns/patterns.ts';
export {
  readCallMonths,
  readCallSpan,
  type UsageDimension,
  type UsageFilter,
  type UsageWindow,
  usageDimensions,
  usageWindows,
} from './queries.ts';
export { activationReport } from './reports/activation.ts';
export { adoptionReport, retentionReport } from './reports/adoption.ts';
export { type CallLogQuestion, callLog, type LoggedCall } from './reports/call-log.ts';
export { concentrationReport } from './reports/concentration.ts';
export { depthReport, unusedReport } from './reports/depth.ts';
export { entityKinds, tenantsWithCalls } from './reports/entities.ts';
export type { Standing } from './reports/freshness.ts';
export { dailyReport, fitReport, rollingReport } from './reports/rolling.ts';
export { sequencesReport } from './reports/sequences.ts';
export { type VolumeReport, volumeReport } from './reports/volume.ts';
export { refreshRollups } from './rollups/refresh.ts';
export {
  type Choice,
  type Dimension,
  dimensions,
  parseChoice,
  parseDimensions,
  shownChoice,
} from './sums/dimensions.ts';
export {
  calendarUnits,
  dateOf,
  knownZone,
  parseSpan,
  timeOfDay,
  windowStart,
  windowsOf,
} from './time/calendar.ts';
export { askedComparison, comparisons } from './time/other-range.ts';
export { type UsageQuestion, type UsageReport, type UsageRow, usageReport } from './usage.ts';
export { type Cause, causes, type Diagnosis } from './why/diagnose.ts';
export { type WhyReport, whyReport } from './why/why.ts';
