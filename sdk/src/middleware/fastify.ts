import type { IncomingMessage, ServerResponse } from 'node:http';
import { PROBLEM_TYPE } from '../limits/verdict.ts';
import type { Taximeter } from '../taximeter.ts';

/** What Fastify gives to hooks, as far as it matters here. */
interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly routeOptions: { readonly url?: string | undefined };
}
interface FastifyReply {
  readonly raw: ServerResponse;
  header(name: string, value: string): unknown;
  code(status: number): unknown;
  send(body: string): unknown;
}
type Done = (error?: Error) => void;
interface FastifyInstance {
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: FastifyReply, done: Done) => void): unknown;
}

/** A plugin for Fastify: `app.register(fastifyPlugin(taximeter))`, behind what says who calls and before the routes. */
export function fastifyPlugin(taximeter: Taximeter) {
  let inside: symbol | false | undefined;
  const routeOf = (request: FastifyRequest): string => {
    const known = inside ? (request as unknown as Record<symbol, Inside | undefined>)[inside] : undefined;
    return (known === undefined ? request.routeOptions.url : (known.config?.url as string | undefined)) ?? '';
  };
  const plugin = (fastify: FastifyInstance, _options: unknown, done: Done): void => {
    fastify.addHook('onRequest', (request, reply, next) => {
      inside ??= insideOf(request);
      const call = taximeter.begin(request.raw, reply.raw, request, routeOf);
      if (!taximeter.asks) return next();
      taximeter.admit(call, routeOf(request)).then(({ isAllowed, status, headers, body }) => {
        for (const [name, value] of Object.entries(headers)) reply.header(name, value);
        if (isAllowed) return next();
        reply.code(status);
        reply.header('content-type', PROBLEM_TYPE);
        reply.send(body);
      }, next);
    });
    done();
  };
  // Hooks are to hold for routes outside of the plugin, too.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}

/** What a request holds of its route, as far as it matters here. */
interface Inside {
  readonly config?: { readonly url?: unknown };
}

/**
 * Where a request holds its route: `routeOptions` puts an object of all its options together each time it is asked.
 *
 * Gives  false where it is not as expected: then `routeOptions` is asked. undefined for a request without a route, which does not show it.
 */
function insideOf(request: FastifyRequest): symbol | false | undefined {
  const place = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'fastify.context');
  if (place === undefined) return false;
  const { url } = request.routeOptions;
  if (url === undefined) return undefined;
  return (request as unknown as Record<symbol, Inside | undefined>)[place]?.config?.url === url ? place : false;
}
