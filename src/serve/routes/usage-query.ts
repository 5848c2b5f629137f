import { z } from '@hono/zod-openapi';
import { fail, knownTimes, parseInstant, parseRange, type TimeRange } from '../../model/index.ts';
import { askedComparison, type Choice, calendarUnits, comparisons, knownZone, parseChoice } from '../../usage/index.ts';
import type { House } from '../house.ts';

const text = z.string().max(4_096);
const count = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);

/** Parameters that every report on usage takes. */
export const common = {
  tz: text.default('UTC').openapi({ description: 'IANA zone in which days begin' }),
  where: text.default('').openapi({ example: 'tenant:acme|globex;status:2xx', description: 'which calls count' }),
  tenant: text.optional(),
  endpoint: text.optional(),
  consumer: text.optional(),
  limit: count(100_000, 1_000).openapi({ description: 'rows of a page' }),
  cursor: text.default('').openapi({ description: 'the `next` of the page before' }),
  format: z.enum(['json', 'csv']).optional().openapi({ description: 'or the header Accept' }),
};

export const ranged = {
  from: text.openapi({ example: '2022-08-01', description: 'a day or an instant' }),
  to: text.openapi({ example: '2022-09-01', description: 'not included' }),
};

export const inCurrency = {
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional()
    .openapi({ description: 'of costs, where bills have several' }),
};

export const compared = {
  compare: z.enum(comparisons).default('none'),
  baseFrom: text.optional().openapi({ description: 'instead of compare: any other range' }),
  baseTo: text.optional(),
};

export const rolled = {
  at: text.optional().openapi({ description: 'an instant; now, unless given' }),
  span: text.default('24h').openapi({ description: 's, m, h or d' }),
};

export const window = z.enum(calendarUnits);
export { count, text };

interface CommonQuery {
  readonly tz: string;
  readonly where: string;
  readonly tenant?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly consumer?: string | undefined;
  /** Tenants of the plans that were asked for. */
  readonly onPlan?: readonly string[] | undefined;
}

/** Reads which calls count: `where`, and the short forms of its usual parts. Fails PARAMETER_INVALID. */
export function choiceOf(query: CommonQuery): Choice {
  const only: Record<string, readonly string[]> = { ...parseChoice(query.where) };
  for (const name of ['tenant', 'endpoint', 'consumer'] as const) {
    const value = query[name];
    if (value === undefined) continue;
    if (only[name] !== undefined) throw fail('PARAMETER_INVALID', { reason: `${name} is asked for twice` });
    only[name] = [value];
  }
  const { onPlan } = query;
  if (onPlan !== undefined) only.tenant = only.tenant?.filter((name) => onPlan.includes(name)) ?? onPlan;
  return only;
}

export interface AskedRange {
  readonly timeZone: string;
  readonly only: Choice;
  readonly range: TimeRange;
}

/** Fails PARAMETER_INVALID, TIME_MALFORMED, RANGE_EMPTY. */
export function rangeOf(query: CommonQuery & { readonly from: string; readonly to: string }): AskedRange {
  return { timeZone: knownZone(query.tz), only: choiceOf(query), range: parseRange(query.from, query.to) };
}

export function baseOf(
  { range, timeZone }: AskedRange,
  query: {
    readonly compare: (typeof comparisons)[number];
    readonly baseFrom?: string | undefined;
    readonly baseTo?: string | undefined;
  },
): TimeRange | null {
  const base = askedComparison(range, query, timeZone);
  return base === null ? null : knownTimes(base);
}

export function instantOf(at: string | undefined, house: House): number {
  const atMs = at === undefined ? house.now().getTime() : parseInstant(at);
  return knownTimes({ fromMs: atMs, toMs: atMs }).toMs;
}
