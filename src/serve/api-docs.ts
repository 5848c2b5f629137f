import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { fail } from '../model/index.ts';
import { pageResponse } from './pages.ts';

const assets = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Taximeter API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css"></head><body><div id="swagger-ui"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script><script src="/api/docs/start.js"></script></body></html>`;

const start = "SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#swagger-ui' });";

/** Serves the description of the API to people, from files of this installation: nothing is fetched from elsewhere. */
export function addApiDocs(app: OpenAPIHono): void {
  app.get('/api/docs', (context) => context.html(page));
  app.get('/api/docs/start.js', (context) => context.body(start, 200, { 'content-type': 'text/javascript' }));
  app.get('/api/docs/:file{swagger-ui(-bundle)?\\.(css|js)}', async (context) => {
    const found = await pageResponse(assets, `/${context.req.param('file')}`);
    if (found) return found;
    throw fail('NOT_FOUND');
  });
}
