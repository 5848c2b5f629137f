import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { explainModel, htmlOf, markdownOf, modelsInForce, textOf } from '../../cost/index.ts';
import { auditTrail, calibration, rateCardAt } from '../../ledger/index.ts';
import { divideHalfEven, fail, formatInstant, formatMoney, parseInstant } from '../../model/index.ts';
import { versionsOf } from '../../store/index.ts';
import { auditAnswer, modelAnswer, ratesAnswer } from '../contract/models.ts';
import type { House } from '../house.ts';
import { answers } from './answers.ts';

const modelRoute = createRoute({
  method: 'get',
  path: '/api/v1/model',
  summary: 'The cost model in force, as a page to read',
  request: {
    query: z.object({
      at: z.string().optional().openapi({ description: 'a day or an instant; now without it' }),
      format: z.enum(['text', 'markdown', 'html']).default('text'),
    }),
  },
  responses: answers(modelAnswer),
});

const auditRoute = createRoute({
  method: 'get',
  path: '/api/v1/audit',
  summary: 'Who applied, imported and closed what, when and why',
  request: { query: z.object({ limit: z.coerce.number().int().min(1).max(10_000).default(1000) }) },
  responses: answers(auditAnswer),
});

const ratesRoute = createRoute({
  method: 'get',
  path: '/api/v1/rates',
  summary: 'The unit prices by which calls are rated before there is a bill, and how good they were',
  request: {
    query: z.object({
      at: z.string().optional().openapi({ description: 'a day or an instant; now without it' }),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/)
        .optional()
        .openapi({ description: "the model's without it" }),
    }),
  },
  responses: answers(ratesAnswer),
});

const writers = { text: textOf, markdown: markdownOf, html: htmlOf } as const;

/** Cost models as people read them, and the trail of who changed what. */
export function addModels(app: OpenAPIHono, house: House): void {
  app.openapi(modelRoute, async (context) => {
    const { at, format } = context.req.valid('query');
    const atMs = at === undefined ? house.now().getTime() : parseInstant(at);
    const models = await modelsInForce(house.store.documents);
    const model = models.find(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
    if (model === undefined) throw fail('NOT_FOUND', { costModelInForceAt: formatInstant(atMs) });
    const page = explainModel(model, await versionsOf(house.store.documents, 'CostModel'));
    return context.json({ format, page: writers[format](page) }, 200);
  });
  app.openapi(ratesRoute, async (context) => {
    const query = context.req.valid('query');
    const { store } = house;
    const currency = query.currency ?? (await modelsInForce(store.documents)).at(-1)?.spec.currency ?? 'USD';
    const atMs = query.at === undefined ? house.now().getTime() : parseInstant(query.at);
    const card = await rateCardAt(store, atMs, currency);
    const rates = (card?.rates ?? []).map(({ pool, kind, driver, services, amountAtto, perMicro }) => ({
      ...{ pool, kind, driver, services: services && [...services] },
      pricePerMillion: formatMoney(divideHalfEven(amountAtto * 10n ** 12n, perMicro)),
    }));
    const told = await calibration(store, currency);
    const shown = { months: [...told.months], band: told.band };
    return context.json(
      { currency, card: card && { id: card.id, origin: card.origin }, rates, calibration: shown },
      200,
    );
  });
  app.openapi(auditRoute, async (context) => {
    const entries = await auditTrail(house.store, context.req.valid('query').limit);
    return context.json({ entries: [...entries] }, 200);
  });
}
