import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import {
  reportFormNames,
  reportPreviewAnswer,
  reportSchedulesAnswer,
  reportSendAnswer,
} from '../contract/report-schedules.ts';
import type { House } from '../house.ts';
import { answers } from './answers.ts';

const named = z.object({ name: z.string().max(100) });
const from = z
  .string()
  .max(40)
  .optional()
  .openapi({ example: '2026-10-05', description: 'the first day of the period; the newest that is over without it' });

const listRoute = createRoute({
  method: 'get',
  path: '/api/v1/report-schedules',
  summary: 'Scheduled reports: when next, and what became of the last ones',
  responses: answers(reportSchedulesAnswer),
});

const previewRoute = createRoute({
  method: 'get',
  path: '/api/v1/report-schedules/{name}/preview',
  summary: 'A scheduled report as it would be sent',
  request: { params: named, query: z.strictObject({ from, format: z.enum(reportFormNames).default('text') }) },
  responses: answers(reportPreviewAnswer),
});

const sendRoute = createRoute({
  method: 'post',
  path: '/api/v1/report-schedules/{name}/send',
  summary: 'Send a scheduled report now to whom it did not reach',
  request: {
    params: named,
    query: z.strictObject({
      from,
      again: z.enum(['true', 'false']).default('false').openapi({ description: 'to those as well who have it' }),
    }),
  },
  responses: answers(reportSendAnswer),
});

/** Reports by schedule: what there is, how it looks, and sending it now. */
export function addReportSchedules(app: OpenAPIHono, house: House): void {
  app.openapi(listRoute, async (context) => context.json({ schedules: await house.reports.list() }, 200));
  app.openapi(previewRoute, async (context) => {
    const { name } = context.req.valid('param');
    const { from: first, format } = context.req.valid('query');
    return context.json({ format, page: await house.reports.preview(name, first, format) }, 200);
  });
  app.openapi(sendRoute, async (context) => {
    const { name } = context.req.valid('param');
    const { from: first, again } = context.req.valid('query');
    return context.json(await house.reports.send(name, first, again === 'true'), 200);
  });
}
