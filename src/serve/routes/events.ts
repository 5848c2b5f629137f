import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { EventForm } from '../../collect/index.ts';
import { fail, parseInstant } from '../../model/index.ts';
import { type EventsQuestion, type ListedEvent, listEvents, listMeters } from '../../usage/index.ts';
import { keptBody } from '../bodies.ts';
import { cloudEvent, eventsAnswer } from '../contract/meters.ts';
import type { House } from '../house.ts';
import { addPlain, answers, nothing } from './answers.ts';

/** What a body of each content type holds. From  CloudEvents 1.0, JSON event format. */
const forms: Readonly<Record<string, EventForm>> = {
  'application/cloudevents+json': 'one',
  'application/cloudevents-batch+json': 'batch',
  'application/json': 'either',
};

const ingestRoute = createRoute({
  method: 'post',
  path: '/api/v1/events',
  summary: 'Send one CloudEvent or a list of them, all or none',
  request: {
    body: {
      content: {
        'application/cloudevents+json': { schema: cloudEvent },
        'application/cloudevents-batch+json': { schema: z.array(cloudEvent) },
        'application/json': { schema: z.union([cloudEvent, z.array(cloudEvent)]) },
      },
    },
  },
  responses: nothing,
});

const instant = z
  .string()
  .transform(parseInstant)
  .optional()
  .openapi({ type: 'string', example: '2024-08-01T00:00:00Z' });
const text = z.string().max(1024).optional();

const eventsQuery = z.object({
  from: instant,
  to: instant,
  ingestedAtFrom: instant,
  ingestedAtTo: instant,
  id: text.openapi({ description: 'a part of it' }),
  subject: text,
  type: text,
  source: text,
  hasError: z.enum(['true', 'false']).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(100),
});

const listRoute = createRoute({
  method: 'get',
  path: '/api/v1/events',
  summary: 'Events as they were sent, latest first, with what is wrong with them',
  request: { query: eventsQuery },
  responses: answers(eventsAnswer),
});

/** Events: what is counted without being a call. */
export function addEvents(app: OpenAPIHono, house: House): void {
  addPlain(app, ingestRoute, async (context) => {
    const type = (context.req.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase();
    const form = Object.hasOwn(forms, type) ? forms[type] : undefined;
    if (form === undefined) throw fail('BODY_TYPE_UNSUPPORTED', { contentType: type.slice(0, 60) });
    await house.collector.events(keptBody(context.req.raw), form);
    return context.body(null, 204);
  });
  addPlain(app, listRoute, async (context) => {
    const { eventTexts } = house.collector;
    const question = asKept(eventTexts, questionFrom(new URL(context.req.url).searchParams));
    const meters = await listMeters(house.store.documents);
    const events = await listEvents(house.store.columns, meters, question);
    return context.body(`[${events.map(shown).join(',')}]`, 200, { 'content-type': 'application/json' });
  });
}

function asKept(texts: House['collector']['eventTexts'], question: EventsQuestion): EventsQuestion {
  const { subject, source, id, type } = question;
  const text = (sent: string | undefined) => (sent === undefined ? undefined : texts.text(sent));
  return {
    ...question,
    ...{ subject: subject === undefined ? undefined : texts.subject(subject), source: text(source) },
    ...{ id: text(id), type: text(type) },
  };
}

function questionFrom(params: URLSearchParams): EventsQuestion {
  const { data, error } = eventsQuery.safeParse(Object.fromEntries(params));
  if (error) {
    const problems = error.issues.map(({ path, message }) => ({ message: `${path.join('.')}: ${message}` }));
    throw fail('PARAMETER_INVALID', {}, problems);
  }
  const { ingestedAtFrom, ingestedAtTo, hasError, ...same } = data;
  return {
    ...same,
    ingestedFromMs: ingestedAtFrom,
    ingestedToMs: ingestedAtTo,
    fromMs: data.from,
    toMs: data.to,
    ...(hasError === undefined ? {} : { hasError: hasError === 'true' }),
  };
}

/** The data goes out as the text that came in: read and written again, long numbers would lose digits. */
function shown(event: ListedEvent): string {
  const { id, source, type, subject, time, dataschema, data, validationError, ingestedAt, storedAt } = event;
  const attributes = { specversion: '1.0', id, source, type, subject, time, ...(dataschema ? { dataschema } : {}) };
  const withData = data === '' ? '' : `,"datacontenttype":"application/json","data":${data}`;
  const told = { ...(validationError ? { validationError } : {}), ingestedAt, storedAt };
  return `{"event":${JSON.stringify(attributes).slice(0, -1)}${withData}},${JSON.stringify(told).slice(1)}`;
}
