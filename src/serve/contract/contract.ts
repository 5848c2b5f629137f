import { z } from 'zod';

/** An amount of money: decimal text with exactly 18 decimals. */
export const money = z.string().regex(/^-?\d+\.\d{18}$/);
/** Money per call, with exactly 12 decimals; null where there was no call. */
export const moneyPerCall = z
  .string()
  .regex(/^-?\d+\.\d{12}$/)
  .nullable();
/** RFC 3339 in UTC. */
export const instant = z.string();
/** Shares between 0 and 1; null where there was nothing to measure. */
export const coverage = z.object({ weight: z.number().nullable(), driver: z.number().nullable() });
export const costState = z.enum(['rated', 'provisional', 'final']);
export const range = z.object({ from: instant, to: instant });

/** tenants + idle + unattributed + out_of_scope = charges + fixed = bill; residual is what is missing to that. */
export const identity = z.object({
  bill: money,
  charges: money,
  fixed: money,
  tenants: money,
  idle: money,
  unattributed: money,
  out_of_scope: money,
  residual: money,
});

/** What live work costs at the rates in force; null where everything has its bill, or there are no rates. */
export const ratedAmounts = z.object({ direct: money, indirect: money, full: money });

/** How far rates were from the final amounts of closed months, as shares of these. */
export const calibrationAnswer = z.object({
  months: z.array(z.object({ month: z.string(), card: z.string(), error: z.number() })),
  band: z.object({ low: z.number(), high: z.number() }).nullable(),
});

const stateShare = z.object({ calls: z.number(), full: money });

export const costRow = z.object({
  tenant: z.string().optional(),
  endpoint: z.string().optional(),
  pool: z.string().optional(),
  service: z.string().optional(),
  day: z.string().optional(),
  /** Null as of a past date. */
  calls: z.number().nullable(),
  /** Of the calls: those that came after their month was closed, less those that went; null where it cannot be said. */
  late: z.number().nullable(),
  direct: money,
  indirect: money,
  full: money,
  directPerCall: moneyPerCall,
  fullPerCall: moneyPerCall,
  state: costState,
  coverage,
  /** Of `full`, which sampling makes an estimate; null where it is not known. */
  standardError: money.nullable(),
  model: z.string(),
  /** Beside what is posted: of calls that no bill covers yet. */
  rated: ratedAmounts.nullable().optional(),
});

/** The one rate that a whole report was converted with, and where it is from. */
export const conversion = z.object({
  from: z.string(),
  to: z.string(),
  rate: money,
  firstDay: z.string(),
  lastDay: z.string(),
  days: z.number(),
  sources: z.array(z.string()),
});

export const costAnswer = z.object({
  range,
  /** Only where another currency was asked for. */
  conversion: conversion.optional(),
  currency: z.string(),
  late: z.number().nullable(),
  identity,
  pools: z.array(
    z.object({
      pool: z.string(),
      kind: z.enum(['direct', 'indirect']),
      tenants: money,
      idle: money,
      unattributed: money,
      out_of_scope: money,
    }),
  ),
  rows: z.array(costRow),
  rated: ratedAmounts
    .extend({
      card: z.string(),
      origin: z.enum(['document', 'derived']),
      from: instant,
      to: instant,
      unattributed: money,
      calibration: calibrationAnswer,
    })
    .nullable()
    .optional(),
  /** Calls and money by state; null where rows are not about calls. */
  states: z.object({ rated: stateShare, provisional: stateShare, final: stateShare }).nullable().optional(),
});

export const usageRow = z.object({
  start: instant.optional(),
  tenant: z.string().optional(),
  endpoint: z.string().optional(),
  consumer: z.string().optional(),
  kind: z.string().optional(),
  class: z.string().optional(),
  region: z.string().optional(),
  version: z.string().optional(),
  flags: z.string().optional(),
  calls: z.number(),
  late: z.number().nullable(),
  standardError: z.number().nullable(),
  errors: z.number(),
  /** Null where nobody measured it. */
  bytesIn: z.number().nullable(),
  bytesOut: z.number().nullable(),
  records: z.number().nullable(),
  averageMs: z.number().nullable(),
});

export const usageAnswer = z.object({
  range,
  window: z.enum(['minute', 'hour', 'day', 'none']),
  timeZone: z.string(),
  calls: z.number(),
  /** Of the calls: those that came after their month was closed, less those that went; null where it cannot be said. */
  late: z.number().nullable(),
  coverage: z.object({ weight: z.number().nullable() }),
  newestCall: instant.nullable(),
  rows: z.array(usageRow),
});

export const reconcileLine = z.object({
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
export const reconcilePart = z.object({
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

export const chargebackLine = z.object({
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

export const statusAnswer = z.object({
  version: z.string(),
  isEmpty: z.boolean(),
  calls: z.number(),
  charges: z.number(),
  newestCall: instant.nullable(),
  oldestCall: instant.nullable(),
  /** Calendar months that hold calls or charges, newest first: what a period picker offers. */
  months: z.array(z.string()),
  models: z.array(z.object({ name: z.string(), version: z.number(), effectiveFrom: z.string() })),
  listeners: z.object({ api: z.string(), otlp: z.string(), otlpGrpc: z.string() }),
  /** Whether a browser asks that has signed in, and so can sign out. */
  isSignedIn: z.boolean(),
});

export const sessionAnswer = z.object({ signedIn: z.boolean(), expires: instant.nullable() });

/** What would be shared out otherwise, by tenant and endpoint; null where nothing that costs would change. */
export const modelDifferenceAnswer = z
  .object({
    from: instant,
    to: instant,
    slices: z.number(),
    changed: z.number(),
    rows: z.array(
      z.object({
        currency: z.string(),
        account: z.string(),
        tenant: z.string(),
        endpoint: z.string(),
        before: money,
        after: money,
        difference: money,
      }),
    ),
    rowsLeftOut: z.number(),
  })
  .nullable();

export const documentsAnswer = z.object({
  dryRun: z.boolean(),
  documents: z.array(
    z.object({
      kind: z.string(),
      name: z.string(),
      version: z.number(),
      status: z.enum(['created', 'changed', 'unchanged']),
    }),
  ),
  /** What may be a mistake, though it was taken. */
  notes: z.array(z.string()),
  /** Of a dry run of cost models. */
  difference: modelDifferenceAnswer,
});

/** An export held against the rules of FOCUS. */
export const billCheck = z.object({
  findings: z.array(
    z.object({
      rule: z.string(),
      severity: z.enum(['error', 'warning', 'note']),
      message: z.string(),
      rows: z.number(),
      examples: z.array(z.object({ file: z.string(), line: z.number() })),
    }),
  ),
  invoices: z.array(
    z.object({ issuer: z.string(), invoice: z.string(), currency: z.string(), rows: z.number(), billed: money }),
  ),
  commitments: z.array(
    z.object({
      commitment: z.string(),
      currency: z.string(),
      purchased: money,
      used: money,
      unused: money,
      difference: money,
    }),
  ),
  /** Invoices, commitments and origins beyond what is kept. */
  unchecked: z.number(),
});

export const billAnswer = z.object({
  files: z.array(z.object({ name: z.string(), container: z.string(), rows: z.number() })),
  rows: z.number(),
  format: z.string(),
  rounded: z.number(),
  notes: z.array(z.string()),
  groups: z.array(
    z.object({
      source: z.string(),
      account: z.string(),
      currency: z.string(),
      billingStart: instant,
      billingEnd: instant,
      rows: z.number(),
      billed: money,
      effective: money,
      status: z.enum(['new', 'replaced', 'restated', 'unchanged']),
      previousBilled: money.nullable(),
      previousEffective: money.nullable(),
    }),
  ),
  byService: z.array(
    z.object({
      serviceCategory: z.string(),
      serviceName: z.string(),
      currency: z.string(),
      billed: money,
      effective: money,
    }),
  ),
  byCategory: z.array(
    z.object({ chargeCategory: z.string(), currency: z.string(), rows: z.number(), billed: money, effective: money }),
  ),
  check: billCheck,
  dirt: z.record(z.string(), z.number()),
});

export const allocateAnswer = z.object({
  slices: z.number(),
  posted: z.number(),
  reversed: z.number(),
  unchanged: z.number(),
  closed: z.number(),
  corrections: z.number(),
  rows: z.number(),
});

export const linesAnswer = z.object({
  accepted: z.number(),
  refused: z.record(z.string(), z.number()),
  /** Lines that were refused whole, counted from 1 in what was sent; at most 100. */
  malformed: z.array(z.object({ line: z.number(), reason: z.string() })),
});

export const quarantineAnswer = z.object({
  /** How many there are of this choice, on all pages. */
  total: z.number(),
  lines: z.array(
    z.object({
      id: z.number(),
      source: z.string(),
      line: z.number(),
      /** Of its first byte in the log, after unpacking. */
      offset: z.number(),
      /** In bytes, without the line's end. */
      length: z.number(),
      reason: z.string(),
      format: z.string(),
      service: z.string(),
      host: z.string(),
      tenantFrom: z.string(),
      fingerprint: z.string(),
      time: instant,
      /** How the line begins; null unless it was asked for. */
      text: z.string().nullable(),
    }),
  ),
  /** What `before` of the next page is; null on the last one. */
  next: z.number().nullable(),
});

export const quarantineClearAnswer = z.object({ removed: z.number() });

const keptKind = z.enum(['spans', 'rollups', 'samples', 'events']);

export const retentionAnswer = z.object({
  kept: z.array(
    z.object({
      kind: keptKind,
      /** Null for ever. */
      days: z.number().nullable(),
      /** The first day of what is there: for spans of their receipt, else of their own time. */
      oldest: z.string().nullable(),
      rows: z.number(),
      bytes: z.number(),
      /** The first day that a run would leave, and how many rows it would let go; null where it is not time. */
      wouldGoUntil: z.string().nullable(),
      wouldGoRows: z.number(),
    }),
  ),
});

export const retentionRunAnswer = z.object({
  letGo: z.array(
    z.object({
      kind: keptKind,
      /** The first day that is kept. */
      keptSince: z.string(),
      rows: z.number(),
      /** Why nothing went although it is time; else empty. */
      keptBecause: z.string(),
    }),
  ),
});

export const settleAnswer = z.object({ settled: z.literal(true) });

/** RFC 9457. */
export const problemDetails = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  whatToDo: z.string().optional(),
  errors: z
    .array(z.object({ message: z.string(), line: z.number().optional(), path: z.string().optional() }))
    .optional(),
});

export type CostAnswer = z.infer<typeof costAnswer>;
export type CostRow = z.infer<typeof costRow>;
export type Identity = z.infer<typeof identity>;
export type UsageAnswer = z.infer<typeof usageAnswer>;
export type UsageRow = z.infer<typeof usageRow>;
export type ReconcileAnswer = z.infer<typeof reconcileAnswer>;
export type ReconcileFullAnswer = z.infer<typeof reconcileFullAnswer>;
export type ChargebackAnswer = z.infer<typeof chargebackAnswer>;
export type StatementAnswer = z.infer<typeof statementAnswer>;
export type CloseAnswer = z.infer<typeof closeAnswer>;
export type StatusAnswer = z.infer<typeof statusAnswer>;
export type SessionAnswer = z.infer<typeof sessionAnswer>;
export type BillAnswer = z.infer<typeof billAnswer>;
export type ModelDifferenceAnswer = z.infer<typeof modelDifferenceAnswer>;
export type DocumentsAnswer = z.infer<typeof documentsAnswer>;
export type AllocateAnswer = z.infer<typeof allocateAnswer>;
export type LinesAnswer = z.infer<typeof linesAnswer>;
export type QuarantineAnswer = z.infer<typeof quarantineAnswer>;
export type QuarantineClearAnswer = z.infer<typeof quarantineClearAnswer>;
export type RetentionAnswer = z.infer<typeof retentionAnswer>;
export type RetentionRunAnswer = z.infer<typeof retentionRunAnswer>;
export type ProblemDetails = z.infer<typeof problemDetails>;
