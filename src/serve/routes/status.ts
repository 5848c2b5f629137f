import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { activeImports } from '../../bill/index.ts';
import { monthOf } from '../../model/index.ts';
import { newestOf } from '../../store/index.ts';
import { readCallMonths, readCallSpan } from '../../usage/index.ts';
import { statusAnswer } from '../contract/contract.ts';
import type { House } from '../house.ts';
import { answers } from './answers.ts';

const statusRoute = createRoute({
  method: 'get',
  path: '/api/v1/status',
  summary: 'What there is, and where to send more',
  responses: answers(statusAnswer),
});

/** The first thing a page asks: is there anything, and of which months? */
export function addStatus(app: OpenAPIHono, house: House): void {
  app.openapi(statusRoute, async (context) => {
    const span = await readCallSpan(house.store.columns);
    const imports = await activeImports(house.store);
    const billed = imports.map((bill) => monthOf(Number(bill.billing_start)).month);
    const months = [...new Set([...(await readCallMonths(house.store.columns)), ...billed])].sort().reverse();
    const models = await newestOf(house.store.documents, 'CostModel');
    const charges = imports.reduce((sum, bill) => sum + bill.row_count, 0);
    return context.json(
      {
        version: house.version,
        isEmpty: span.calls === 0 && charges === 0,
        calls: span.calls,
        charges,
        newestCall: span.newest,
        oldestCall: span.oldest,
        months,
        models: models.map(({ name, version, effective_from }) => ({ name, version, effectiveFrom: effective_from })),
        listeners: house.listeners,
        isSignedIn: house.sessions?.isGood(context.req.header('cookie')) ?? false,
      },
      200,
    );
  });
}
