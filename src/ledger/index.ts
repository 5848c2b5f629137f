export { type Closing, closePeriod } from './close.ts';
export type { ClosingLimits } from './closing-limits.ts';
export { type CostReport, costReport } from './cost-report.ts';
export type { CostReportRow } from './cost-rows.ts';
export type { Identity } from './identity.ts';
export { type PostingSummary, postAllocation } from './ledger.ts';
export { type ReconcileLine, type Reconciliation, reconcile } from './reconcile.ts';
export type { Dimension } from './sum-queries.ts';
