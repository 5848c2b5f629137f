import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { PriceState } from '../../ledger/index.ts';
import { type DriftReport, type Finding, isName, LONGEST_NAME, type Subject, subjectOf } from '../../limit/index.ts';
import { fail, formatInstant } from '../../model/index.ts';
import type { Answer } from '../answer.ts';
import { type limitRates, limitsAnswer, type usedLimit } from '../contract/limits.ts';
import type { House } from '../house.ts';
import { shownFinding } from '../limits/limit-answer.ts';
import { checkBody, reserveBody, settleBody } from '../limits/limit-asks.ts';
import { AUTHZ_PATH, answerAuthz, answerLimit, LIMIT_PATHS } from '../limits/limit-requests.ts';
import { addPlain, answers } from './answers.ts';

const decision = z.record(z.string(), z.unknown());
const bodies = { check: checkBody, reserve: reserveBody, commit: settleBody, release: settleBody };
const summaries = {
  check: 'May this call pass? Takes at once',
  reserve: 'May this call pass? Takes until it is committed or released',
  commit: 'End a reservation: it was used, perhaps by another amount',
  release: 'End a reservation: it was not used',
};

const name = z.string().max(LONGEST_NAME).refine(isName, 'must not hold control characters');

const usedRoute = createRoute({
  method: 'get',
  path: '/api/v1/limits',
  summary: 'What of its limits somebody has used',
  request: {
    query: z.object({
      organisation: name.default(''),
      tenant: name.min(1),
      consumer: name.default(''),
      endpoint: name.default(''),
      counted: z
        .enum(['true', 'false'])
        .default('true')
        .openapi({ description: 'whether calls are counted beside it' }),
    }),
  },
  responses: answers(limitsAnswer),
});

/** Limits: may a call pass, and what is left. */
export function addLimits(app: OpenAPIHono, house: House): void {
  for (const verb of LIMIT_PATHS) {
    const route = createRoute({
      method: 'post',
      path: `/api/v1/limits/${verb}`,
      summary: summaries[verb],
      request: { body: { content: { 'application/json': { schema: bodies[verb] } }, required: true } },
      responses: answers(decision),
    });
    addPlain(app, route, async (context) => {
      return responseOf(await answerLimit(house, verb, Buffer.from(await context.req.arrayBuffer())));
    });
  }
  app.openapi(usedRoute, async (context) => {
    const { counted, ...names } = context.req.valid('query');
    const subject = subjectOf(names);
    const ask = { subject, units: 0, money: null, least: 0, isPeek: true, hold: null };
    const { findings, reason } = await house.limiter.decide(ask);
    // An empty list would say that there are no limits.
    if (reason === 'store_unavailable') throw fail('LIMIT_STORE_UNAVAILABLE');
    const currencies = new Set(findings.flatMap(({ limit }) => limit.spec.money?.currency ?? []));
    const rates = house.prices.states.filter(({ currency }) => currencies.has(currency)).map(shownRates);
    const beside = counted === 'true' ? await besideCalls(house, subject) : null;
    return context.json({ limits: findings.map((each) => shownUse(each, beside)), rates }, 200);
  });
  app.all(AUTHZ_PATH, async (context: Context) => {
    const headers = Object.fromEntries(context.req.raw.headers);
    return responseOf(await answerAuthz(house, headers, new URL(context.req.url).search));
  });
}

/** Counters answer without the store of calls: that it is away must not hide what is left. */
async function besideCalls({ drift, log }: House, subject: Subject): Promise<DriftReport | null> {
  try {
    return await drift.of(subject);
  } catch (cause) {
    log.warn('calls could not be counted beside the limits', { cause: String(cause) });
    return null;
  }
}

function shownUse(each: Finding, beside: DriftReport | null): z.infer<typeof usedLimit> {
  const shown = shownFinding(each);
  const row = beside?.rows.find(({ limit }) => limit === each.limit);
  const why = beside?.left.find(({ limit }) => limit === each.limit)?.why;
  return {
    ...shown,
    admitted: shown.before,
    ...{ counted: row?.counted ?? null, refused: row?.refused ?? null, drift: row?.drift ?? null },
    ...(row === undefined ? { notCounted: why ?? 'calls were not counted' } : {}),
  };
}

function shownRates({ currency, card, origin, range, asOfMs, ageSeconds }: PriceState): z.infer<typeof limitRates> {
  const { fromMs, toMs } = range;
  const at = { from: formatInstant(fromMs), to: formatInstant(toMs), asOf: formatInstant(asOfMs) };
  return { currency, card, origin, ...at, ageSeconds };
}

function responseOf({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers });
}
