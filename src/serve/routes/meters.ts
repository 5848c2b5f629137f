import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { fail, formatInstant } from '../../model/index.ts';
import {
  changeMeter,
  createMeter,
  endMeter,
  findMeter,
  listMeters,
  type Meter,
  type MeterQuestion,
  type MeterRow,
  meterRequest,
  queryMeter,
} from '../../usage/index.ts';
import { type MeterQueryAnswer, meterAnswer, meterQueryAnswer } from '../contract/meters.ts';
import type { House } from '../house.ts';
import { addPlain, answers, created, nothing } from './answers.ts';
import { meterQuestionBody, questionFromBody, questionFromParams } from './meter-question.ts';

const params = z.object({ slug: z.string().min(1).max(100).openapi({ description: 'or the id' }) });
const request = { body: { content: { 'application/json': { schema: meterRequest } }, required: true } } as const;

const createMeterRoute = createRoute({
  method: 'post',
  path: '/api/v1/meters',
  summary: 'Make a meter',
  request,
  responses: created(meterAnswer),
});
const listRoute = createRoute({
  method: 'get',
  path: '/api/v1/meters',
  summary: 'All meters',
  responses: answers(z.array(meterAnswer)),
});
const getRoute = createRoute({
  method: 'get',
  path: '/api/v1/meters/{slug}',
  summary: 'One meter',
  request: { params },
  responses: answers(meterAnswer),
});
const changeRoute = createRoute({
  method: 'put',
  path: '/api/v1/meters/{slug}',
  summary: 'Make a meter say something else, of past events too',
  request: { params, ...request },
  responses: answers(meterAnswer),
});
const endRoute = createRoute({
  method: 'delete',
  path: '/api/v1/meters/{slug}',
  summary: 'End a meter; its events stay',
  request: { params },
  responses: nothing,
});

const several = z.array(z.string()).optional();
const queryResponses = {
  ...answers(meterQueryAnswer),
  200: {
    description: 'The answer; CSV for those who accept text/csv',
    content: { 'application/json': { schema: meterQueryAnswer }, 'text/csv': { schema: z.string() } },
  },
};
const queryRoute = createRoute({
  method: 'get',
  path: '/api/v1/meters/{slug}/query',
  summary: 'What a meter says',
  request: {
    params,
    query: z.object({
      from: z.string().optional(),
      to: z.string().optional(),
      windowSize: z.string().optional(),
      windowTimeZone: z.string().optional(),
      subject: several,
      groupBy: several,
      'filterGroupBy[name]': z.string().optional(),
    }),
  },
  responses: queryResponses,
});
const queryByPostRoute = createRoute({
  method: 'post',
  path: '/api/v1/meters/{slug}/query',
  summary: 'What a meter says, asked with a body',
  request: { params, body: { content: { 'application/json': { schema: meterQuestionBody } } } },
  responses: queryResponses,
});

/** Meters: questions to events that have a name. */
export function addMeters(app: OpenAPIHono, house: House): void {
  const documents = () => house.store.documents;
  app.openapi(createMeterRoute, async (context) => {
    const { slug, ...spec } = context.req.valid('json');
    return context.json(shownMeter(await createMeter(documents(), slug, spec, house.now())), 201);
  });
  app.openapi(listRoute, async (context) => context.json((await listMeters(documents())).map(shownMeter), 200));
  app.openapi(getRoute, async (context) =>
    context.json(shownMeter(await findMeter(documents(), context.req.valid('param').slug)), 200),
  );
  app.openapi(changeRoute, async (context) => {
    const { slug, ...spec } = context.req.valid('json');
    const meter = await findMeter(documents(), context.req.valid('param').slug);
    if (slug !== meter.slug) throw fail('PARAMETER_INVALID', { slug, reason: 'a meter keeps its slug' });
    return context.json(shownMeter(await changeMeter(documents(), slug, spec, house.now())), 200);
  });
  app.openapi(endRoute, async (context) => {
    await endMeter(documents(), context.req.valid('param').slug, house.now());
    return context.body(null, 204);
  });
  addPlain(app, queryRoute, (context) =>
    answerQuery(house, context, async () => questionFromParams(new URL(context.req.url).searchParams)),
  );
  addPlain(app, queryByPostRoute, (context) =>
    answerQuery(house, context, async () => questionFromBody(await context.req.text())),
  );
}

async function answerQuery(house: House, context: Context, ask: () => Promise<MeterQuestion>): Promise<Response> {
  const meter = await findMeter(house.store.documents, context.req.param('slug') ?? '');
  const question = asKept(house, await ask());
  const rows = await queryMeter(house.store.columns, meter, question);
  if (!(context.req.header('accept') ?? '').toLowerCase().includes('text/csv')) {
    return context.json(shownAnswer(question, rows), 200);
  }
  const headers = { 'content-type': 'text/csv', 'content-disposition': `attachment; filename="${meter.slug}.csv"` };
  return context.body(csvOf(question, rows), 200, headers);
}

/** Makes a question's texts what is kept of events' texts, and says whose subjects are. */
function asKept({ collector }: House, question: MeterQuestion): MeterQuestion {
  const { eventTexts, tenantsOfSubjects: tenants } = collector;
  const kept = Object.entries(question.filter).map(
    ([name, values]) => [name, [...values, ...values.map((value) => eventTexts.text(value))]] as const,
  );
  const subjects = question.subjects?.map((subject) => eventTexts.subject(subject)) ?? null;
  return { ...question, tenants, subjects, filter: Object.fromEntries(kept) };
}

function shownAnswer({ fromMs, toMs, window }: MeterQuestion, rows: readonly MeterRow[]): MeterQueryAnswer {
  return {
    ...(fromMs === null ? {} : { from: formatInstant(fromMs) }),
    ...(toMs === null ? {} : { to: formatInstant(toMs) }),
    ...(window === null ? {} : { windowSize: window }),
    data: rows.map(({ value, groupBy, ...row }) => ({
      ...{ value: Number(value), valueExact: value },
      ...row,
      groupBy: { ...groupBy },
    })),
  };
}

function csvOf({ groupBy }: MeterQuestion, rows: readonly MeterRow[]): string {
  const groups = groupBy.filter((name) => name !== 'subject');
  const lines = [
    ['window_start', 'window_end', 'subject', ...groups, 'value'],
    ...rows.map((row) => [
      ...[row.windowStart, row.windowEnd, row.subject ?? ''],
      ...groups.map((name) => row.groupBy[name] ?? ''),
      row.value,
    ]),
  ];
  return lines.map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('');
}

/** From  RFC 4180. */
function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function shownMeter({ id, slug, spec, createdAt, updatedAt }: Meter) {
  const { description, eventType, aggregation, valueProperty, groupBy, windowSize } = spec;
  const value = valueProperty === undefined ? {} : { valueProperty };
  return {
    ...{ id, slug, description: description ?? null, eventType, aggregation, ...value },
    ...{ groupBy, windowSize, createdAt, updatedAt },
  };
}
