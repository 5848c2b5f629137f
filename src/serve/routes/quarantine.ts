import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { quarantineAnswer, quarantineClearAnswer } from '../contract/lines.ts';
import type { House } from '../house.ts';
import { answers } from './answers.ts';

const MOST_LINES = 10_000;

const choice = {
  source: z.string().max(4_096).optional().openapi({ description: 'what the sender called the log, such as a path' }),
  format: z.string().max(2_000).optional(),
  reason: z.string().max(100).optional(),
};

const listRoute = createRoute({
  method: 'get',
  path: '/api/v1/quarantine',
  summary: 'The lines that were refused, the newest first',
  request: {
    query: z.object({
      ...choice,
      before: z.coerce.number().int().min(1).optional().openapi({ description: 'the id in `next` of the page before' }),
      limit: z.coerce.number().int().min(1).max(MOST_LINES).default(1_000),
    }),
  },
  responses: answers(quarantineAnswer),
});

const clearRoute = createRoute({
  method: 'delete',
  path: '/api/v1/quarantine',
  summary: 'Forget lines that were refused',
  request: { query: z.object(choice) },
  responses: answers(quarantineClearAnswer),
});

/** The quarantine: which lines were refused, where they stand, and why. */
export function addQuarantine(app: OpenAPIHono, house: House): void {
  app.openapi(listRoute, async (context) => {
    const { limit, ...asked } = context.req.valid('query');
    const rows = await house.quarantine.list(asked, limit);
    const lines = rows.map((row) => ({
      id: row.id,
      source: row.source,
      line: row.line,
      offset: row.byte_offset,
      length: row.byte_length,
      reason: row.reason,
      format: row.format,
      service: row.service,
      host: row.host,
      tenantFrom: row.tenant_from,
      fingerprint: row.fingerprint,
      time: row.refused_at,
      text: row.line_text,
    }));
    const next = rows.length === limit ? rows.at(-1)!.id : null;
    return context.json({ total: await house.quarantine.count(asked), lines, next }, 200);
  });
  app.openapi(clearRoute, async (context) => {
    return context.json({ removed: await house.quarantine.clear(context.req.valid('query')) }, 200);
  });
}
