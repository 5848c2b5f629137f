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
  const plugin = (fastify: FastifyInstance, _options: unknown, done: Done): void => {
    fastify.addHook('onRequest', (request, reply, next) => {
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

function routeOf({ routeOptions }: FastifyRequest): string {
  return routeOptions.url ?? '';
}
