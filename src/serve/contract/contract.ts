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
const costState = z.enum(['rated', 'provisional', 'final']);
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
const ratedAmounts = z.object({ direct: money, indirect: money, full: money });

/** How far rates were from the final amounts of closed months, as shares of these. */
export const calibrationAnswer = z.object({
  months: z.array(z.object({ month: z.string(), card: z.string(), error: z.number() })),
  band: z.object({ low: z.number(), high: z.number() }).nullable(),
});

const stateShare = z.object({ calls: z.number(), full: money });

const costRow = z.object({
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

const usageRow = z.object({
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
export type StatusAnswer = z.infer<typeof statusAnswer>;
export type ProblemDetails = z.infer<typeof problemDetails>;
