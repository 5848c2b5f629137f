import { z } from 'zod';
import { instant, money } from './contract.ts';

/** What would be shared out otherwise, by tenant and endpoint; null where nothing that costs would change. */
const modelDifferenceAnswer = z
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

export type ModelDifferenceAnswer = z.infer<typeof modelDifferenceAnswer>;
export type DocumentsAnswer = z.infer<typeof documentsAnswer>;
