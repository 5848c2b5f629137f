import { z } from 'zod';
import { billAnswer, billCheck, instant, money } from './contract.ts';

/** How an export looks before it is imported. */
export const exportAnswer = z.object({
  format: z.string(),
  files: billAnswer.shape.files,
  rows: z.number(),
  problems: z.array(z.object({ message: z.string(), line: z.number().optional(), path: z.string().optional() })),
  problemCount: z.number(),
  notes: z.array(z.string()),
  groups: z.array(
    z.object({
      source: z.string(),
      account: z.string(),
      currency: z.string(),
      rows: z.number(),
      billed: money,
      effective: money,
    }),
  ),
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
      source: z.string(),
      account: z.string(),
      currency: z.string(),
      billingStart: instant,
      billingEnd: instant,
      rows: z.number(),
      billed: money,
      effective: money,
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
