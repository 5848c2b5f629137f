export { type AllocatedCharge, allocatedCharges, allocatedColumns } from './allocated-charges.ts';
export { type AuditEntry, auditTrail } from './audit-trail.ts';
export { type Closing, closePeriod } from './close.ts';
export type { ClosingLimits } from './closing-limits.ts';
export { convertCostReport, convertReconcileLine } from './convert-report.ts';
export { type CostReport, costReport } from './cost-report.ts';
export type { CostReportRow } from './cost-rows.ts';
export { type CostStates, costStates } from './cost-states.ts';
export { type DayCosts, dayCosts } from './day-costs.ts';
export { exportLedger } from './export-ledger.ts';
export type { Identity } from './identity.ts';
export { KeptPrices, type PriceState } from './kept-prices.ts';
export { lateCallsOf } from './late-calls.ts';
export { type PostingSummary, postAllocation } from './ledger.ts';
export { openBills } from './open-bills.ts';
export { type Calibration, calibration, rateCardAt } from './rates.ts';
export { keepAllocated, reallocateChanged } from './reallocation.ts';
export { type ReconcileLine, type Reconciliation, reconcile } from './reconcile.ts';
export { type FullReconciliation, reconcileFully } from './reconcile-parts.ts';
export { type Repetition, repeatedly } from './repetition.ts';
export {
  type Chargeback,
  type ChargebackLine,
  chargeback,
  type Statement,
  statementOf,
} from './statement.ts';
export type { Dimension } from './sum-queries.ts';
export { type UnitDimension, unitDimensions } from './unit-queries.ts';
export { type UnitRow, unitReport } from './unit-report.ts';
