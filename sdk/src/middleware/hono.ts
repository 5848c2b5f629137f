import type { IncomingMessage, ServerResponse } from 'node:http';
import { PROBLEM_TYPE } from '../limits/verdict.ts';
import type { Taximeter } from '../taximeter.ts';

/** A context of Hono, as far as it matters here. */
interface HonoContext {
  readonly env: unknown;
  header(name: string, value: string): void;
  body(text: string, status: never, headers: Record<string, string>): Response;
}

/**
 * Middleware for Hono on `@hono/node-server`: `app.use(honoMiddleware(taximeter, (c) => routePath(c, -1)))`.
 *
 * Takes  routePath: of `hono/route`; this package does not bring a Hono of its own.
 */
export function honoMiddleware<Context extends HonoContext>(taximeter: Taximeter, routePath: (c: Context) => string) {
  // The last pattern that matched is the handler's; of nothing but middleware it is one for all paths.
  const routeOf = (c: Context): string => {
    const path = routePath(c);
    return path.endsWith('*') ? '' : path;
  };
  return async (c: Context, next: () => Promise<void>): Promise<Response | undefined> => {
    const { incoming, outgoing } = (c.env ?? {}) as { incoming?: IncomingMessage; outgoing?: ServerResponse };
    if (incoming === undefined || outgoing === undefined)
      throw new TypeError('honoMiddleware measures connections of Node: serve the app by @hono/node-server');
    const call = taximeter.begin(incoming, outgoing, c, routeOf);
    if (taximeter.asks) {
      const { isAllowed, status, headers, body } = await taximeter.admit(call, routeOf(c));
      for (const [name, value] of Object.entries(headers)) c.header(name, value);
      if (!isAllowed) return c.body(body, status as never, { 'content-type': PROBLEM_TYPE });
    }
    await next();
    return undefined;
  };
}
