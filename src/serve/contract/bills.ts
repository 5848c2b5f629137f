import { z } from 'zod';
import { instant, money } from './contract.ts';

/** An export held against the rules of FOCUS. */
const billCheck = z.object({
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

/** Of one (source, account, currency, billing period). */
const billUnit = {
  source: z.string(),
  account: z.string(),
  currency: z.string(),
  billingStart: instant,
  billingEnd: instant,
  rows: z.number(),
  billed: money,
  effective: money,
};

export const billAnswer = z.object({
  files: z.array(z.object({ name: z.string(), container: z.string(), rows: z.number() })),
  rows: z.number(),
  format: z.string(),
  rounded: z.number(),
  notes: z.array(z.string()),
  groups: z.array(
    z.object({
      ...billUnit,
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

/** How an export looks before it is imported. */
export const exportAnswer = z.object({
  format: z.string(),
  files: billAnswer.shape.files,
  rows: z.number(),
  problems: z.array(z.object({ message: z.string(), line: z.number().optional(), path: z.string().optional() })),
  problemCount: z.number(),
  notes: z.array(z.string()),
  groups: z.array(z.object(billUnit).omit({ billingStart: true, billingEnd: true })),
  byService: billAnswer.shape.byService,
  byCategory: billAnswer.shape.byCategory,
  check: billCheck,
});

export const billsAnswer = z.object({
  bills: z.array(
    z.object({
      importId: z.string(),
      /** Empty for a bill from before formats were kept. */
      format: z.string(),
      ...billUnit,
      importedAt: instant,
      files: z.array(z.string()),
    }),
  ),
});

export const billReportAnswer = z.object({ format: z.string(), check: billCheck });

/** Null when nothing of the upload is being read. */
export const uploadAnswer = z.object({ rows: z.number().nullable() });

export type ExportAnswer = z.infer<typeof exportAnswer>;
export type BillsAnswer = z.infer<typeof billsAnswer>;
export type BillReportAnswer = z.infer<typeof billReportAnswer>;
export type UploadAnswer = z.infer<typeof uploadAnswer>;
export type BillCheck = z.infer<typeof billCheck>;
export type BillAnswer = z.infer<typeof billAnswer>;
