export { type ComposeDeps, type ComposedReport, composeReport } from './reports/compose.ts';
export { reportHtml, reportText } from './reports/report-forms.ts';
export { pageOf } from './reports/report-page.ts';
export {
  duePeriod,
  nextDueMs,
  periodFrom,
  type ReportScheduleSpec,
  type ReportTarget,
  reportFiles,
  reportScheduleSpec,
} from './reports/report-schedule.ts';
export { type AdviceReport, adviceReport, type CallCosts, type CostsOfCalls } from './savings/advice.ts';
export { adviceLetter } from './savings/letter.ts';
export { simulateBill, simulateLoad, simulateMetrics, simulateTraces, simulationDocuments } from './simulate.ts';
export type { LoadOptions, LoadRequest } from './simulation/load.ts';
export type { KeyValue, MetricsRequest, OtlpSpan, TraceRequest } from './simulation/otlp.ts';
export { encodeTraceRequest } from './simulation/otlp-protobuf.ts';
export { type Simulation, type SimulationOptions, simulation } from './simulation/shape.ts';
