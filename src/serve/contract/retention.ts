import { z } from 'zod';

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

export type RetentionAnswer = z.infer<typeof retentionAnswer>;
export type RetentionRunAnswer = z.infer<typeof retentionRunAnswer>;
