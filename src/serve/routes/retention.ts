import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { retentionAnswer, retentionRunAnswer } from '../contract/retention.ts';
import type { House } from '../house.ts';
import { answers } from './answers.ts';

const showRoute = createRoute({
  method: 'get',
  path: '/api/v1/retention',
  summary: 'What is kept, since when, how large it is, and what would go now',
  responses: answers(retentionAnswer),
});

const runRoute = createRoute({
  method: 'post',
  path: '/api/v1/retention/run',
  summary: 'Let go of what is older than its period now, not within the hour',
  responses: answers(retentionRunAnswer),
});

/** How long what is kept, and letting go of it. */
export function addRetention(app: OpenAPIHono, house: House): void {
  app.openapi(showRoute, async (context) => context.json({ kept: await house.retention.state() }, 200));
  app.openapi(runRoute, async (context) => context.json({ letGo: await house.retention.run() }, 200));
}
