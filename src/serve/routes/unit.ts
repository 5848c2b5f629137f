import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { modelsInForce } from '../../cost/index.ts';
import { unitDimensions, unitReport } from '../../ledger/index.ts';
import { formatInstant, parseRange } from '../../model/index.ts';
import { unitAnswer } from '../contract/models.ts';
import type { House } from '../house.ts';
import { answers } from './answers.ts';
import { dimensions } from './reports.ts';

const unitRoute = createRoute({
  method: 'get',
  path: '/api/v1/unit',
  summary: 'What one call takes and costs',
  request: {
    query: z.object({
      from: z.string().openapi({ example: '2022-08-01' }),
      to: z.string().openapi({ example: '2022-09-01', description: 'not included' }),
      by: z.string().default('endpoint').openapi({ example: 'service,version' }),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/)
        .optional()
        .openapi({ description: "the model's without it" }),
    }),
  },
  responses: answers(unitAnswer),
});

/** Unit metrics: a question that changes nothing. */
export function addUnit(app: OpenAPIHono, house: House): void {
  app.openapi(unitRoute, async (context) => {
    const query = context.req.valid('query');
    const range = parseRange(query.from, query.to);
    const currency = query.currency ?? (await modelsInForce(house.store.documents)).at(-1)?.spec.currency ?? 'USD';
    const rows = await unitReport(house.store, range, dimensions(query.by, unitDimensions), currency);
    return context.json(
      { range: { from: formatInstant(range.fromMs), to: formatInstant(range.toMs) }, currency, rows },
      200,
    );
  });
}
