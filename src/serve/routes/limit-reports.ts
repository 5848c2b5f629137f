import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import {
  type CompiledLimit,
  type DriftReport,
  explainPolicies,
  isName,
  LONGEST_NAME,
  readPlans,
  subjectOf,
} from '../../limit/index.ts';
import { fail, formatInstant, parseRange, type TimeRange } from '../../model/index.ts';
import { driftAnswer, explainAnswer, rebuildAnswer, whatIfAnswer } from '../contract/limits.ts';
import type { House } from '../house.ts';
import { answerWhatIf } from '../limits/what-if-answer.ts';
import { answers } from './answers.ts';

const name = z.string().max(LONGEST_NAME).refine(isName, 'must not hold control characters');

/** Each keeps counters of its own, and decides for every call of its range. */
const MOST_REPLAYS = 2;

const driftRoute = createRoute({
  method: 'get',
  path: '/api/v1/limits/drift',
  summary: 'What counters let pass beside what calls of the same time were counted',
  responses: answers(driftAnswer),
});

const rebuildRoute = createRoute({
  method: 'post',
  path: '/api/v1/limits/rebuild',
  summary: 'Set counters to what the calls of their windows amount to',
  request: {
    query: z.object({
      policy: z.string().max(200).optional(),
      lower: z.enum(['true', 'false']).default('false').openapi({ description: 'whether counters may fall too' }),
    }),
  },
  responses: answers(rebuildAnswer),
});

const whatIfRoute = createRoute({
  method: 'post',
  path: '/api/v1/limits/what-if',
  summary: 'Whom proposed policies would have limited, by the calls of a range',
  request: {
    query: z.object({
      days: z.coerce.number().int().min(1).max(366).optional().openapi({ description: 'the last so many, until now' }),
      from: z.string().optional(),
      to: z.string().optional(),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/)
        .optional()
        .openapi({ description: 'of what would have been saved' }),
    }),
    body: {
      content: { 'application/yaml': { schema: z.string() } },
      description: 'LimitPolicy and Plan documents, YAML or JSON',
    },
  },
  responses: answers(whatIfAnswer),
});

const explainRoute = createRoute({
  method: 'get',
  path: '/api/v1/limits/explain',
  summary: 'Which policies concern somebody, in which order, and what of them cannot be meant',
  request: {
    query: z.object({
      organisation: name.optional(),
      tenant: name.optional(),
      consumer: name.optional(),
      endpoint: name.optional(),
    }),
  },
  responses: answers(explainAnswer),
});

/** Reports on limits: none of them decides anything; `rebuild` sets counters. */
export function addLimitReports(app: OpenAPIHono, house: House): void {
  app.openapi(driftRoute, async (context) => context.json(shownDrift(await house.drift.check()), 200));
  app.openapi(rebuildRoute, async (context) => {
    const { policy, lower } = context.req.valid('query');
    const rebuilt = await house.drift.rebuild(policy ?? null, lower === 'true');
    house.log.info('limit counters were rebuilt', { policy: policy ?? 'all', lower });
    return context.json({ limits: rebuilt.map(({ limit, ...rest }) => ({ ...namesOf(limit), ...rest })) }, 200);
  });
  let replays = 0;
  app.openapi(whatIfRoute, async (context) => {
    const { currency, ...asked } = context.req.valid('query');
    const range = askedRange(asked, house.now());
    if (replays >= MOST_REPLAYS) throw fail('LIMIT_REPLAYS_BUSY');
    replays += 1;
    try {
      return context.json(await answerWhatIf(house, await context.req.text(), range, currency), 200);
    } finally {
      replays -= 1;
    }
  });
  app.openapi(explainRoute, async (context) => {
    const asked = context.req.valid('query');
    const subject = Object.values(asked).some((each) => each !== undefined) ? subjectOf(given(asked)) : null;
    const facts = {
      plans: new Set((await readPlans(house.store.documents)).keys()),
      ratedCurrencies: new Set(house.prices.states.flatMap(({ card, currency }) => (card === null ? [] : currency))),
      nowUs: house.now().getTime() * 1000,
    };
    const { policies, notes } = explainPolicies(house.limiter.policies, subject, facts);
    return context.json(structuredClone({ policies, notes }) as z.infer<typeof explainAnswer>, 200);
  });
}

function given(names: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function namesOf({ policy, id }: CompiledLimit) {
  return { policy: policy.name, limit: id };
}

function shownDrift({ asOfUs, rows, sums, left }: DriftReport): z.infer<typeof driftAnswer> {
  return {
    asOf: formatInstant(asOfUs / 1000),
    rows: rows.map(({ limit, per, fromUs, ...rest }) => ({
      ...namesOf(limit),
      ...{ per: { ...per } as Record<string, string>, from: formatInstant(fromUs / 1000), ...rest },
    })),
    sums: sums.map(({ limit, ...rest }) => ({ ...namesOf(limit), ...rest })),
    left: left.map(({ limit, why }) => ({ ...namesOf(limit), why })),
  };
}

const DAY_MS = 86_400_000;

interface AskedRange {
  readonly days?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

function askedRange({ days, from, to }: AskedRange, now: Date): TimeRange {
  if (from !== undefined && to !== undefined && days === undefined) return parseRange(from, to);
  if (from !== undefined || to !== undefined)
    throw fail('PARAMETER_INVALID', { reason: 'give days, or from and to together' });
  return { fromMs: now.getTime() - (days ?? 7) * DAY_MS, toMs: now.getTime() };
}
