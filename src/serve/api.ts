import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { fail } from '../model/index.ts';
import { addApiDocs } from './api-docs.ts';
import { keepBody } from './bodies.ts';
import type { House } from './house.ts';
import { metricsOf } from './metrics.ts';
import { answerOtlp, otlpSignal } from './otlp.ts';
import { isPagePath, pageResponse } from './pages.ts';
import { problemResponse } from './problem.ts';
import { addBills } from './routes/bills.ts';
import { addDocuments } from './routes/documents.ts';
import { addEvents } from './routes/events.ts';
import { addLedger } from './routes/ledger.ts';
import { addLimitReports } from './routes/limit-reports.ts';
import { addLimits } from './routes/limits.ts';
import { addMeters } from './routes/meters.ts';
import { addModels } from './routes/models.ts';
import { addQuarantine } from './routes/quarantine.ts';
import { addReportSchedules } from './routes/report-schedules.ts';
import { addReports } from './routes/reports.ts';
import { addRetention } from './routes/retention.ts';
import { addSession } from './routes/session.ts';
import { addStatus } from './routes/status.ts';
import { addSubjects } from './routes/subjects.ts';
import { addUnit } from './routes/unit.ts';
import { addUsage } from './routes/usage.ts';
import { addWork } from './routes/work.ts';

/** A standard request in, a standard response out: over the network from an address, or in memory for commands and tests. */
export type Api = (request: Request, sent?: Sent) => Promise<Response>;

/** What came with a request. */
export interface Sent {
  /** Of the sender. */
  readonly address?: string | undefined;
  /** The body, where it lies in this process's memory: a Request would copy it, and copies of logs take as long as reading them. */
  readonly body?: Uint8Array | undefined;
}

export interface ApiOptions {
  /** Where the built dashboards are; empty without them. */
  readonly pages: string;
}

/**
 * Builds the API over an opened house: reports, documents, work, health, the dashboards.
 * Every error under /api is RFC 9457 problem details.
 */
export function createApi(house: House, options: ApiOptions): Api {
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (result.success) return;
      const problems = result.error.issues.map((issue) => ({ message: `${issue.path.join('.')}: ${issue.message}` }));
      throw fail('PARAMETER_INVALID', {}, problems);
    },
  });
  app.onError((cause) => problemResponse(cause, house.log));
  app.use('/api/v1/*', async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
  });
  app.use('/api/*', async (context, next) => {
    const body = bodyOf(context);
    // Uploads are written to disk as they come and count their bytes themselves.
    if (body === null || isUpload(context.req.path)) return next();
    const { bytes, giveBack } = await house.bodies.read(body, Number(context.req.header('content-length') ?? 0));
    try {
      // What it keeps are promises, whatever its type says.
      context.req.bodyCache = keepBody(context.req.raw, bytes) as object;
      await next();
    } finally {
      giveBack();
    }
  });
  addStatus(app, house);
  addSession(app, house);
  addReports(app, house);
  addLedger(app, house);
  addUsage(app, house);
  addReportSchedules(app, house);
  addDocuments(app, house);
  addModels(app, house);
  addUnit(app, house);
  addWork(app, house);
  addBills(app, house);
  addQuarantine(app, house);
  addRetention(app, house);
  addEvents(app, house);
  addMeters(app, house);
  addSubjects(app, house);
  addLimits(app, house);
  addLimitReports(app, house);
  addHealth(app, house);
  app.doc31('/api/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Taximeter', version: house.version, description: 'Counts, costs and books every API call.' },
  });
  addApiDocs(app);
  app.post('/v1/:signal', async (context) => {
    const signal = otlpSignal(context.req.path);
    if (signal === null) throw fail('NOT_FOUND', { path: context.req.path.slice(0, 100) });
    const answer = await answerOtlp(house, {
      signal,
      contentType: context.req.header('content-type') ?? '',
      contentEncoding: context.req.header('content-encoding') ?? '',
      contentLength: Number(context.req.header('content-length') ?? 0),
      body: bodyOf(context) ?? noBody(),
    });
    return new Response(new Uint8Array(answer.body), { status: answer.status, headers: answer.headers });
  });
  app.notFound(async (context) => {
    const { method, path } = context.req;
    const isPage = (method === 'GET' || method === 'HEAD') && isPagePath(path);
    const page = isPage && options.pages !== '' ? await pageResponse(options.pages, path) : null;
    return page ?? problemResponse(fail('NOT_FOUND', { path: path.slice(0, 100) }), house.log);
  });
  return async (request, sent = {}) => app.fetch(request, sent);
}

/** The body as it comes; null without one. */
function bodyOf({ req, env }: Context): AsyncIterable<Uint8Array> | null {
  const { body } = env as Sent;
  return body === undefined ? req.raw.body : one(body);
}

async function* one(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

async function* noBody(): AsyncGenerator<Uint8Array> {}

/** Paths whose bodies are larger than memory. */
export function isUpload(path: string): boolean {
  return path.startsWith('/api/v1/uploads/');
}

function addHealth(app: OpenAPIHono, house: House): void {
  const registry = metricsOf(house);
  app.get('/healthz', (context) => context.text('ok'));
  app.get('/readyz', async (context) => {
    await house.store.columns.query('SELECT 1');
    await house.store.documents.selectFrom('fact').select('name').limit(1).execute();
    return context.text('ready');
  });
  app.get('/metrics', async (context) => {
    context.header('content-type', registry.contentType);
    return context.body(await registry.metrics());
  });
}
