import { z } from 'zod';
import { conversion, instant, money } from './contract.ts';

const reconcileLine = z.object({
  source: z.string(),
  account: z.string(),
  currency: z.string(),
  billingStart: instant,
  billingEnd: instant,
  state: z.enum(['open', 'closed']),
  billed: money,
  amortisation: money,
  /** What closed bills changed by, posted in this one. */
  restated: money,
  charges: money,
  /** Of the charges: those about a time before the bill's own. */
  corrections: money,
  posted: money,
  residual: money,
  missingHours: z.number(),
  missingDays: z.number(),
  findings: z.array(z.string()),
});

export const reconcileAnswer = z.object({
  period: z.string(),
  lines: z.array(reconcileLine),
  residual: money,
  lateCalls: z.number().nullable(),
  /** One for each currency that was converted; only where another one was asked for. */
  conversions: z.array(conversion).optional(),
});

/** The charges of a month in parts: how much of them the ledger holds as they are now. */
const reconcilePart = z.object({
  invoice: z.string().optional(),
  account: z.string().optional(),
  service: z.string().optional(),
  day: z.string().optional(),
  currency: z.string(),
  rows: z.number(),
  billed: money,
  charges: money,
  matched: money,
  unmatched: money,
  outOfScope: money,
});

export const reconcileFullAnswer = reconcileAnswer.extend({
  parts: z.array(reconcilePart),
  /** Services that no pool takes, the largest first, with what a cost model would say to take them. */
  outOfScope: z.array(
    z.object({
      service: z.string(),
      category: z.string(),
      currency: z.string(),
      charges: money,
      modelLine: z.string(),
    }),
  ),
  /** Charges of the same time, resource and amount that two bills bring. */
  doubles: z.array(
    z.object({ first: z.string(), second: z.string(), currency: z.string(), rows: z.number(), billed: money }),
  ),
  /** How old the newest charge of each account is. */
  exports: z.array(
    z.object({
      source: z.string(),
      account: z.string(),
      newestCharge: instant,
      imported: instant,
      ageHours: z.number(),
      isStalled: z.boolean(),
    }),
  ),
});

const chargebackLine = z.object({
  ledger: z.enum(['tenant', 'idle', 'unattributed', 'out_of_scope']),
  tenant: z.string(),
  source: z.string(),
  account: z.string(),
  currency: z.string(),
  pool: z.string(),
  kind: z.enum(['direct', 'indirect']),
  endpoint: z.string(),
  amount: money,
  corrections: money,
  state: z.enum(['provisional', 'final']),
});

const totals = z.array(z.object({ currency: z.string(), amount: money }));

export const chargebackAnswer = z.object({
  period: z.string(),
  view: z.enum(['chargeback', 'showback']),
  lines: z.array(chargebackLine),
  totals,
});

export const statementAnswer = z.object({
  tenant: z.string(),
  period: z.string(),
  from: instant,
  to: instant,
  madeAt: instant,
  state: z.enum(['provisional', 'final']),
  lines: z.array(chargebackLine),
  totals,
  calls: z.array(z.object({ endpoint: z.string(), calls: z.number() })),
  seals: z.array(z.string()),
});

/** What a month was closed on, and what is beyond usual limits where none was set. */
export const closeAnswer = reconcileAnswer.extend({ warnings: z.array(z.string()) });

export const allocateAnswer = z.object({
  slices: z.number(),
  posted: z.number(),
  reversed: z.number(),
  unchanged: z.number(),
  closed: z.number(),
  corrections: z.number(),
  rows: z.number(),
});

export type ReconcileAnswer = z.infer<typeof reconcileAnswer>;
export type ReconcileFullAnswer = z.infer<typeof reconcileFullAnswer>;
export type ChargebackAnswer = z.infer<typeof chargebackAnswer>;
export type StatementAnswer = z.infer<typeof statementAnswer>;
export type CloseAnswer = z.infer<typeof closeAnswer>;
export type AllocateAnswer = z.infer<typeof allocateAnswer>;
