import { z } from 'zod';
import { instant, money } from './contract.ts';

const per = z.record(z.string(), z.string());
const named = { policy: z.string(), limit: z.string() };
const left = z.array(z.object({ ...named, why: z.string() }));

/** Where the costs of calls come from that bring none, and how old that is. */
export const limitRates = z.object({
  currency: z.string(),
  card: z.string().nullable(),
  origin: z.enum(['document', 'derived']).nullable(),
  from: instant,
  to: instant,
  asOf: instant,
  ageSeconds: z.number(),
});

/** What was admitted beside what was counted; null where it cannot be said. */
export const usedLimit = z
  .object({
    ...named,
    admitted: z.union([z.number(), z.string()]),
    counted: z.number().nullable(),
    refused: z.number().nullable(),
    drift: z.number().nullable(),
    notCounted: z.string().optional(),
  })
  .loose();

export const limitsAnswer = z.object({ limits: z.array(usedLimit), rates: z.array(limitRates) });

export const driftAnswer = z.object({
  asOf: instant,
  rows: z.array(
    z.object({
      ...{ ...named, per, from: instant },
      ...{ admitted: z.number(), counted: z.number(), refused: z.number(), drift: z.number() },
    }),
  ),
  /** Of each limit, over all counters that were looked at. */
  sums: z.array(z.object({ ...named, counters: z.number(), drift: z.number() })),
  left,
});
export type DriftAnswer = z.infer<typeof driftAnswer>;

export const rebuildAnswer = z.object({
  limits: z.array(
    z.object({ ...named, why: z.string().nullable(), counters: z.number(), raised: z.number(), lowered: z.number() }),
  ),
});
export type RebuildAnswer = z.infer<typeof rebuildAnswer>;

export const whatIfAnswer = z.object({
  from: instant,
  to: instant,
  currency: z.string(),
  calls: z.number(),
  limited: z.number(),
  refusedBefore: z.number(),
  undecided: z.number(),
  /** Of limited calls whose cost is known; null where none is. */
  saved: money.nullable(),
  callsOfUnknownCost: z.number(),
  rows: z.array(
    z.object({
      ...{ ...named, per, first: instant, last: instant },
      ...{ calls: z.number(), saved: money.nullable(), callsOfUnknownCost: z.number() },
    }),
  ),
  omitted: z.number(),
  left,
});
export type WhatIfAnswer = z.infer<typeof whatIfAnswer>;

export const explainAnswer = z.object({
  policies: z.array(
    z.object({
      ...{ name: z.string(), version: z.number(), order: z.number(), per: z.array(z.string()) },
      limits: z.array(z.object({ id: z.string(), words: z.string(), isEnforced: z.boolean() })),
      togetherWith: z.array(z.string()),
    }),
  ),
  notes: z.array(z.object({ ...named, kind: z.string(), words: z.string() })),
});
export type ExplainAnswer = z.infer<typeof explainAnswer>;
