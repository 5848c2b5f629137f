import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { fail, formatInstant } from '../../model/index.ts';
import { sessionAnswer } from '../contract/contract.ts';
import type { House } from '../house.ts';
import type { Sessions } from '../sessions.ts';
import { answers } from './answers.ts';

const signInRoute = createRoute({
  method: 'post',
  path: '/api/v1/session',
  summary: 'Sign a browser in with the token; it gets a cookie',
  request: { body: { content: { 'application/json': { schema: z.object({ token: z.string().max(1000) }) } } } },
  responses: answers(sessionAnswer),
});

const signOutRoute = createRoute({
  method: 'delete',
  path: '/api/v1/session',
  summary: 'Sign a browser out',
  responses: answers(sessionAnswer),
});

/** Sessions: how a browser asks where a token is set. */
export function addSession(app: OpenAPIHono, house: House): void {
  app.openapi(signInRoute, (context) => {
    const { address = '' } = (context.env ?? {}) as { address?: string };
    const { token } = context.req.valid('json');
    const { cookie, expiresMs } = sessionsOf(house).signIn(token, address, isTls(context));
    context.header('set-cookie', cookie);
    return context.json({ signedIn: true, expires: formatInstant(expiresMs) }, 200);
  });
  app.openapi(signOutRoute, (context) => {
    context.header('set-cookie', sessionsOf(house).signOut(context.req.header('cookie'), isTls(context)));
    return context.json({ signedIn: false, expires: null }, 200);
  });
}

function sessionsOf(house: House): Sessions {
  if (house.sessions) return house.sessions;
  throw fail('NOT_FOUND', { reason: 'no token is set, so nobody has to sign in' });
}

/** Taximeter itself speaks plain HTTP; a proxy before it says what the browser sees. Who lies here harms only itself. */
function isTls(context: Context): boolean {
  return context.req.header('x-forwarded-proto')?.split(',', 1)[0]?.trim() === 'https';
}
