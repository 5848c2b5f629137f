import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { fail } from '../../model/index.ts';
import {
  findMeter,
  findSubject,
  forgetSubject,
  listSubjects,
  meterSubjects,
  type Subject,
  tellSubjects,
} from '../../usage/index.ts';
import { subjectAnswer } from '../contract/meters.ts';
import type { House } from '../house.ts';
import { answers, nothing } from './answers.ts';

const page = z.object({
  limit: z.coerce.number().int().min(1).max(100_000).default(10_000),
  after: z.string().max(1024).default('').openapi({ description: 'the last key of the page before' }),
});
const params = z.object({ key: z.string().min(1).max(1024) });

const told = z.object({
  key: z.string().min(1).max(1024),
  displayName: z.string().max(1024).nullish(),
  metadata: z
    .record(z.string().max(256), z.unknown())
    .nullish()
    .refine((metadata) => JSON.stringify(metadata ?? {}).length <= 16_384, 'is longer than 16384 characters'),
});

const listRoute = createRoute({
  method: 'get',
  path: '/api/v1/subjects',
  summary: 'Whom events are about, by key',
  request: { query: page },
  responses: answers(z.array(subjectAnswer)),
});
const tellRoute = createRoute({
  method: 'post',
  path: '/api/v1/subjects',
  summary: 'Say what subjects are called',
  request: { body: { content: { 'application/json': { schema: z.array(told).max(1000) } }, required: true } },
  responses: answers(z.array(subjectAnswer)),
});
const getRoute = createRoute({
  method: 'get',
  path: '/api/v1/subjects/{key}',
  summary: 'One subject',
  request: { params },
  responses: answers(subjectAnswer),
});
const forgetRoute = createRoute({
  method: 'delete',
  path: '/api/v1/subjects/{key}',
  summary: 'Erase what was said of a subject; its events stay',
  request: { params },
  responses: nothing,
});
const meterRoute = createRoute({
  method: 'get',
  path: '/api/v1/meters/{slug}/subjects',
  summary: 'Subjects of which a meter counts an event',
  request: { params: z.object({ slug: z.string().min(1).max(100) }), query: page },
  responses: answers(z.array(z.string())),
});

/** Subjects: whom events are about. */
export function addSubjects(app: OpenAPIHono, house: House): void {
  const { store, collector } = house;
  const kept = (key: string) => collector.eventTexts.subject(key);
  app.openapi(listRoute, async (context) => {
    const asked = context.req.valid('query');
    const subjects = await listSubjects(store, asked);
    linkNext(context, subjects.at(-1)?.key, subjects.length === asked.limit);
    return context.json(subjects.map(shown), 200);
  });
  app.openapi(tellRoute, async (context) => {
    const subjects = context.req.valid('json').map(({ key, displayName, metadata }): Subject => {
      return { key: kept(key), displayName: displayName ?? null, metadata: metadata ?? {} };
    });
    await tellSubjects(store.documents, subjects, house.now());
    return context.json(subjects.map(shown), 200);
  });
  app.openapi(getRoute, async (context) => {
    const { key } = context.req.valid('param');
    const subject = await findSubject(store, kept(key));
    if (!subject) throw fail('NOT_FOUND', { subject: key.slice(0, 100) });
    return context.json(shown(subject), 200);
  });
  app.openapi(forgetRoute, async (context) => {
    const { key } = context.req.valid('param');
    if (!(await forgetSubject(store.documents, kept(key)))) throw fail('NOT_FOUND', { subject: key.slice(0, 100) });
    return context.body(null, 204);
  });
  app.openapi(meterRoute, async (context) => {
    const asked = context.req.valid('query');
    const meter = await findMeter(store.documents, context.req.valid('param').slug);
    const subjects = await meterSubjects(store.columns, meter, asked);
    linkNext(context, subjects.at(-1), subjects.length === asked.limit);
    return context.json(subjects, 200);
  });
}

/** A list that may go on says where. From  RFC 8288. */
function linkNext(context: Context, lastKey: string | undefined, isFull: boolean): void {
  if (!isFull || lastKey === undefined) return;
  const { pathname, searchParams } = new URL(context.req.url);
  searchParams.set('after', lastKey);
  context.header('link', `<${pathname}?${searchParams}>; rel="next"`);
}

function shown({ key, displayName, metadata }: Subject) {
  return { id: key, key, displayName, metadata: { ...metadata } };
}
