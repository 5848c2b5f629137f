import type { OpenAPIHono, RouteConfig, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { problemDetails } from '../contract/contract.ts';

const problem = {
  description: 'What went wrong, as RFC 9457 problem details',
  content: { 'application/problem+json': { schema: problemDetails } },
};

const problems = { '4XX': problem, '5XX': problem } as const;

/** The answers that every route of the API has. */
export function answers<Schema extends z.ZodType>(schema: Schema) {
  return { 200: { description: 'The answer', content: { 'application/json': { schema } } }, ...problems } as const;
}

/** The answers of a route that makes something. */
export function created<Schema extends z.ZodType>(schema: Schema) {
  return { 201: { description: 'What was made', content: { 'application/json': { schema } } }, ...problems } as const;
}

/** The answers of a route that has nothing to say when all is well. */
export const nothing = { 204: { description: 'Done' }, ...problems } as const;

/** Adds a route that reads its request, or writes its answer, in another way than by a schema. */
export function addPlain(app: OpenAPIHono, route: PlainRoute, answer: (context: Context) => Promise<Response>): void {
  app.openAPIRegistry.registerPath(route);
  app.on(route.method, route.getRoutingPath(), answer);
}

export type PlainRoute = RouteConfig & { getRoutingPath(): string };
