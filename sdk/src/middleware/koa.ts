import type { IncomingMessage, ServerResponse } from 'node:http';
import { PROBLEM_TYPE } from '../limits/verdict.ts';
import type { Taximeter } from '../taximeter.ts';

/** A context of Koa, as far as it matters here; routers add `_matchedRoute`. */
interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly _matchedRoute?: unknown;
  status: number;
  body: unknown;
  set(name: string, value: string): void;
}

/**
 * Middleware for Koa: `app.use(koaMiddleware(taximeter))`.
 *
 * Takes  routeOf: the template of the route, where the router does not leave it in `_matchedRoute` as @koa/router does.
 */
export function koaMiddleware<Context>(
  taximeter: Taximeter,
  routeOf: (ctx: KoaContext & Context) => string = matchedRoute,
) {
  return async (ctx: KoaContext & Context, next: () => Promise<unknown>): Promise<void> => {
    const call = taximeter.begin(ctx.req, ctx.res, ctx, routeOf);
    if (taximeter.asks) {
      const { isAllowed, status, headers, body } = await taximeter.admit(call, routeOf(ctx));
      for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
      if (!isAllowed) {
        ctx.status = status;
        ctx.body = body;
        return ctx.set('content-type', PROBLEM_TYPE);
      }
    }
    await next();
  };
}

function matchedRoute({ _matchedRoute: route }: KoaContext): string {
  return route === undefined ? '' : String(route);
}
