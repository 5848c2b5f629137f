import { z } from 'zod';
import { Failure, isTimeZone, parseInstant, parseMoney } from '../../model/index.ts';
import { parseChoice } from '../sums/dimensions.ts';
import { benchmarkMetrics } from './metric-series.ts';

export const targetWindows = ['day', 'week', 'month'] as const;

/** Adds what a reader of ours says against a text to the problems of a document. */
export function readable(read: (text: string) => unknown) {
  return (text: string, context: z.RefinementCtx) => {
    try {
      read(text);
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
      context.addIssue({ code: 'custom', message: cause.message });
    }
  };
}

/** A choice of calls in a document, as text. */
export const choiceText = z.string().max(4_096).superRefine(readable(parseChoice));

/** A zone of the IANA database. */
export const zoneName = z
  .string()
  .max(64)
  .refine((zone) => /^[A-Za-z]/.test(zone) && isTimeZone(zone), 'must be a time zone of the IANA database');

/** A choice that cannot be read has its own problem already. */
function isKnownByCosts({ metric, where }: { metric: string; where: string }): boolean {
  if (metric !== 'costPerCall' || !choiceText.safeParse(where).success) return true;
  return Object.keys(parseChoice(where)).every((name) => name === 'tenant' || name === 'endpoint');
}

/** The spec of a Target document: what a figure should be, by when. */
export const targetSpec = z
  .strictObject({
    metric: z.enum(benchmarkMetrics),
    where: choiceText.default(''),
    value: z.union([z.number().min(0), z.string().regex(/^\d{1,15}(\.\d{1,18})?$/, 'must be a decimal number')]),
    direction: z.enum(['atMost', 'atLeast']),
    by: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day such as 2026-12-31')
      .superRefine(readable(parseInstant)),
    per: z.enum(targetWindows).default('week'),
    timeZone: zoneName.default('UTC'),
    enabled: z.boolean().default(true),
  })
  .refine(({ metric, value }) => metric !== 'errorRate' || Number(value) <= 1, {
    message: 'a rate is a share from 0 to 1',
    path: ['value'],
  })
  .refine(isKnownByCosts, { message: 'costs are known by tenant and endpoint only', path: ['where'] });

export type TargetSpec = z.infer<typeof targetSpec>;

/** The value that is aimed at, in the unit in which the figure is held: costs are atto-units. */
export function aimOf({ metric, value }: TargetSpec): number {
  return metric === 'costPerCall' ? Number(parseMoney(String(value)).amountAtto) : Number(value);
}
