import type { IncomingMessage, ServerResponse } from 'node:http';
import { PROBLEM_TYPE, type Verdict } from '../limits/verdict.ts';
import type { Taximeter } from '../taximeter.ts';

/** A request of Express, as far as it matters here. */
type ExpressRequest = IncomingMessage & {
  readonly baseUrl?: string;
  readonly route?: { readonly path?: unknown };
};
type Next = (error?: unknown) => void;

/**
 * Middleware for Express, and for everything that takes `(request, response, next)`.
 *
 * As `app.use(...)` it measures every call, and asks without an endpoint: Express finds the route later. In a route, `app.get('/users/:id', ..., handler)`,
 * it asks with its endpoint. Used in both places, a call is measured once and asked for where `asks` says so.
 *
 * Takes  asks: false in `app.use` where routes ask for themselves.
 */
export function expressMiddleware(taximeter: Taximeter, { asks = true }: { readonly asks?: boolean } = {}) {
  return (request: ExpressRequest, response: ServerResponse, next: Next): void => {
    const call = taximeter.begin(request, response, request, routeOf);
    if (!asks || !taximeter.asks) {
      next();
      return;
    }
    taximeter.admit(call, routeOf(request)).then((verdict) => {
      if (answered(verdict, response)) return;
      next();
    }, next);
  };
}

/** A route is a text; a pattern or a list of them is named as it is written. */
function routeOf({ route, baseUrl = '' }: ExpressRequest): string {
  return route?.path === undefined ? '' : `${baseUrl}${String(route.path)}` || '/';
}

/** Answers in place of a handler. Gives  whether nothing is left to do. */
function answered({ isAllowed, status, headers, body }: Verdict, response: ServerResponse): boolean {
  if (response.headersSent || response.destroyed) return true;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (isAllowed) return false;
  response.statusCode = status;
  response.setHeader('content-type', PROBLEM_TYPE);
  response.end(body);
  return true;
}
