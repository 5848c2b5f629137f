import { z } from 'zod';
import { instant } from './contract.ts';

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

export type LinesAnswer = z.infer<typeof linesAnswer>;
export type QuarantineAnswer = z.infer<typeof quarantineAnswer>;
export type QuarantineClearAnswer = z.infer<typeof quarantineClearAnswer>;
