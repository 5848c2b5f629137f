import type { z } from '@hono/zod-openapi';
import { problemDetails } from '../contract/contract.ts';

const problem = {
  description: 'What went wrong, as RFC 9457 problem details',
  content: { 'application/problem+json': { schema: problemDetails } },
};

/** The answers that every route of the API has. */
export function answers<Schema extends z.ZodType>(schema: Schema) {
  return {
    200: { description: 'The answer', content: { 'application/json': { schema } } },
    '4XX': problem,
    '5XX': problem,
  } as const;
}
