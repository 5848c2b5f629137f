import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HttpBindings, serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { routePath } from 'hono/route';
import Koa from 'koa';
import {
  expressMiddleware,
  fastifyPlugin,
  honoMiddleware,
  koaMiddleware,
  type Taximeter,
} from '../../sdk/src/index.ts';

/** What a handler of a test is asked, whatever the framework. */
export interface Asked {
  readonly path: string;
  readonly response: import('node:http').ServerResponse;
}
export type Handler = (asked: Asked) => Promise<{ readonly status: number; readonly body: string }>;

export interface MeasuredApp {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

type Start = (taximeter: Taximeter, handler: Handler) => Promise<MeasuredApp>;

const listening = (server: Server): Promise<MeasuredApp> =>
  new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const close = () =>
        new Promise<void>((closed) => {
          server.close(() => closed());
          server.closeAllConnections();
        });
      done({ port, url: `http://127.0.0.1:${port}`, close });
    });
  });

/** The same API on each framework: GET /users/:id, and POST /echo, which reads its body. */
export const measuredApps: Readonly<Record<string, Start>> = {
  express: (taximeter, handler) => {
    const app = express();
    const measured = expressMiddleware(taximeter, { asks: false });
    const asked = expressMiddleware(taximeter);
    app.use(measured);
    app.get('/users/:id', asked, async (request, response) => {
      const { status, body } = await handler({ path: request.path, response });
      response.status(status).send(body);
    });
    app.post('/echo', asked, express.text({ type: '*/*' }), (request, response) => {
      response.send(String((request.body as string).length));
    });
    return listening(createServer(app));
  },
  fastify: async (taximeter, handler) => {
    const app = fastify();
    await app.register(fastifyPlugin(taximeter));
    app.get('/users/:id', async (request, reply) => {
      const { status, body } = await handler({ path: request.url, response: reply.raw });
      return reply.code(status).send(body);
    });
    app.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body));
    app.post('/echo', async (request) => String((request.body as string).length));
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    return {
      port,
      url: `http://127.0.0.1:${port}`,
      close: async () => {
        app.server.closeAllConnections();
        await app.close();
      },
    };
  },
  hono: async (taximeter, handler) => {
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.use(honoMiddleware(taximeter, (c: Parameters<typeof routePath>[0]) => routePath(c, -1)));
    app.get('/users/:id', async (c) => {
      const { status, body } = await handler({ path: c.req.path, response: c.env.outgoing as never });
      return c.text(body, status as never);
    });
    app.post('/echo', async (c) => c.text(String((await c.req.text()).length)));
    const server = await new Promise<Server>((done) => {
      const opened: Server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => done(opened)) as Server;
    });
    const { port } = server.address() as AddressInfo;
    const close = () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      });
    return { port, url: `http://127.0.0.1:${port}`, close };
  },
  koa: (taximeter, handler) => {
    const app = new Koa();
    // Koa has no routes of its own: what a router would say is said here.
    const routeOf = ({ path }: { readonly path: string }) =>
      path.startsWith('/users/') ? '/users/:id' : path === '/echo' ? path : '';
    app.use(koaMiddleware(taximeter, routeOf));
    app.use(async (ctx) => {
      if (ctx.path.startsWith('/users/')) {
        const { status, body } = await handler({ path: ctx.path, response: ctx.res });
        ctx.status = status;
        ctx.body = body;
      } else if (ctx.path === '/echo') {
        let length = 0;
        for await (const chunk of ctx.req) length += (chunk as Buffer).length;
        ctx.body = String(length);
      }
    });
    return listening(createServer(app.callback()));
  },
};
