/** The only place that knows where the server's contract lives; types only, so no schema library reaches the browser. */
export type {
  CostAnswer,
  CostRow,
  Identity,
  ProblemDetails,
  StatusAnswer,
  UsageAnswer,
  UsageRow,
} from '../../../src/serve/contract/contract.ts';
export type { ReconcileAnswer } from '../../../src/serve/contract/ledger.ts';
