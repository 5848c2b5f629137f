export { closePeriod } from './close.ts';
export { type CostReport, type CostReportRow, costReport, type Identity } from './cost-report.ts';
export { type PostingSummary, postAllocation } from './ledger.ts';
export type { Dimension } from './queries.ts';
export { type ReconcileLine, type Reconciliation, reconcile } from './reconcile.ts';
