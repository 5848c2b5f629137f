import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { adviceLetter, adviceReport } from '../../advise/index.ts';
import { documentedEndpoints } from '../../collect/index.ts';
import { fail, formatInstant, knownTimes, type TimeRange } from '../../model/index.ts';
import {
  activationReport,
  adoptionReport,
  baselineReport,
  baselineWindows,
  benchmarkMetrics,
  type Choice,
  callLog,
  concentrationReport,
  dailyReport,
  depthReport,
  entityKinds,
  fitReport,
  parseDimensions,
  parseSpan,
  retentionReport,
  rollingReport,
  sequencesReport,
  shownChoice,
  targetsReport,
  unusedReport,
  volumeReport,
  whyReport,
} from '../../usage/index.ts';
import { type UsageReportName, usageAnswers } from '../contract/usage.ts';
import { csvOf } from '../csv.ts';
import type { House } from '../house.ts';
import { addPlain, answers } from './answers.ts';
import { costsByDay, costsOfCalls } from './usage-costs.ts';
import { usageDefinitions } from './usage-definitions.ts';
import { type PlanChoice, planChoice } from './usage-plans.ts';
import {
  baseOf,
  choiceOf,
  common,
  compared,
  count,
  inCurrency,
  instantOf,
  ranged,
  rangeOf,
  rolled,
  text,
  window,
} from './usage-query.ts';

interface Reported {
  readonly rows: readonly object[];
  /** Of reports that page by themselves. */
  readonly next?: string | null;
}

interface Report<Shape extends z.ZodRawShape> {
  readonly summary: string;
  readonly params: Shape;
  run(house: House, query: z.output<z.ZodObject<Shape & typeof common>>): Promise<Reported>;
}

/** Keeps the types of a report's parameters together. */
function report<Shape extends z.ZodRawShape>(asked: Report<Shape>): Report<z.ZodRawShape> {
  return asked as unknown as Report<z.ZodRawShape>;
}

const by = text.default('').openapi({ example: 'tenant,endpoint' });
const of = z.enum(entityKinds).default('tenant');

/** Every report on usage: what it asks for, and who answers. */
const reports: Record<UsageReportName, Report<z.ZodRawShape>> = {
  volume: report({
    summary: 'Calls in windows and groups, beside those of another range or cohort',
    params: { ...ranged, ...compared, window: window.optional(), by, baseWhere: text.optional() },
    run: async (house, query) => {
      const asked = rangeOf(query);
      const baseOnly = query.baseWhere === undefined ? {} : { baseOnly: await baseChoice(house, query.baseWhere) };
      const base = baseOf(asked, query) ?? (query.baseWhere === undefined ? null : asked.range);
      const question = { ...asked, ...baseOnly, base, window: query.window ?? null, by: parseDimensions(query.by) };
      return {
        range: shown(asked.range),
        base: shown(base),
        ...(await volumeReport(house.store, question, house.now())),
      };
    },
  }),
  daily: report({
    summary: 'Calls of the last days by user and date',
    params: { at: rolled.at, days: count(366, 7), by: text.default('tenant,consumer') },
    run: async (house, query) => {
      const asked = {
        ...spanOf(house, { ...query, span: `${query.days}d` }),
        days: query.days,
        by: parseDimensions(query.by),
      };
      const range = { fromMs: asked.atMs - asked.spanMs, toMs: asked.atMs };
      return { range: shown(range), base: null, ...(await dailyReport(house.store, asked, house.now())) };
    },
  }),
  rolling: report({
    summary: 'Calls of a span that ends at any instant, and a series of it',
    params: { ...rolled, step: text.default('1h'), points: count(2_000, 1) },
    run: (house, query) => {
      const asked = { ...spanOf(house, query), stepMs: parseSpan(query.step), points: query.points };
      knownTimes({ fromMs: asked.atMs - asked.spanMs - asked.stepMs * (asked.points - 1), toMs: asked.atMs });
      return rollingReport(house.store, asked, house.now());
    },
  }),
  fit: report({
    summary: 'How a rolling span and calendar days fit together',
    params: rolled,
    run: (house, query) => fitReport(house.store, spanOf(house, query), house.now()),
  }),
  calls: report({
    summary: 'Every call, newest first',
    params: {
      ...ranged,
      traceId: text.default(''),
      requestId: text.default(''),
      statusCode: z.coerce.number().int().min(0).max(999).optional(),
    },
    run: async (house, { traceId, requestId, statusCode, limit, cursor, ...query }) => {
      const { range, only } = rangeOf(query);
      if (limit > 10_000) throw fail('PARAMETER_INVALID', { limit, most: 10_000 });
      const asked = { range, only, traceId, requestId, statusCode: statusCode ?? null, limit, cursor };
      return { range: shown(range), ...(await callLog(house.store, asked, house.now())) };
    },
  }),
  adoption: report({
    summary: 'Who is active, new, returning, resurrected and lapsed',
    params: { ...ranged, window: window.default('day'), of },
    run: async (house, query) => {
      const asked = { ...rangeOf(query), window: query.window, of: query.of };
      return { range: shown(asked.range), ...(await adoptionReport(house.store, asked, house.now())) };
    },
  }),
  retention: report({
    summary: 'Of those who came together, how many are still there',
    params: { ...ranged, window: window.default('month'), of },
    run: async (house, query) => {
      const asked = { ...rangeOf(query), window: query.window, of: query.of };
      return { range: shown(asked.range), ...(await retentionReport(house.store, asked, house.now())) };
    },
  }),
  activation: report({
    summary: 'How long new tenants need for their first call, first success and enough of them',
    params: { ...ranged, successes: count(1_000_000, 10), valueEvent: text.default(''), signUpEvent: text.default('') },
    run: async (house, query) => {
      const { range, only } = rangeOf(query);
      if (Object.keys(only).length > 0) throw fail('PARAMETER_INVALID', { reason: 'activation counts all calls' });
      const { successes, valueEvent, signUpEvent } = query;
      const asked = { range, successes, valueEvent, signUpEvent };
      return { range: shown(range), ...(await activationReport(house.store, asked, house.now())) };
    },
  }),
  depth: report({
    summary: 'How much of the API each tenant uses, and what comes of it',
    params: { ...ranged, valueEvent: text.default('') },
    run: async (house, query) => {
      const asked = {
        ...rangeOf(query),
        valueEvent: query.valueEvent,
        known: await documentedEndpoints(house.store.documents),
      };
      return { range: shown(asked.range), ...(await depthReport(house.store, asked, house.now())) };
    },
  }),
  unused: report({
    summary: 'Endpoints that nobody calls',
    params: ranged,
    run: async (house, query) => {
      const asked = { ...rangeOf(query), known: await documentedEndpoints(house.store.documents) };
      return { range: shown(asked.range), ...(await unusedReport(house.store, asked, house.now())) };
    },
  }),
  sequences: report({
    summary: 'Which endpoints power users call one after the other',
    params: { ...ranged, users: count(1_000, 20), length: z.coerce.number().int().min(2).max(6).default(3) },
    run: async (house, query) => {
      const asked = { ...rangeOf(query), users: query.users, length: query.length };
      return { range: shown(asked.range), ...(await sequencesReport(house.store, asked, house.now())) };
    },
  }),
  concentration: report({
    summary: 'How much hangs on the largest, and what if they leave',
    params: { ...ranged, ...compared, by: text.default('tenant') },
    run: async (house, query) => {
      const asked = rangeOf(query);
      const question = { ...asked, base: baseOf(asked, query), window: null, by: parseDimensions(query.by) };
      return {
        range: shown(asked.range),
        base: shown(question.base),
        ...(await concentrationReport(house.store, question, house.now())),
      };
    },
  }),
  baseline: report({
    summary: 'Whether figures are where the own past says they should be, and whether they drift',
    params: {
      ...{ ...ranged, ...inCurrency, metric: z.enum(benchmarkMetrics).default('calls') },
      ...{ window: z.enum(baselineWindows).default('day'), weeks: count(52, 39) },
    },
    run: async (house, { metric, window: unit, weeks, currency, ...query }) => {
      const costs = costsByDay(house.store, currency);
      const asked = { ...rangeOf(query), metric, window: unit, weeks, costs };
      return { range: shown(asked.range), ...(await baselineReport(house.store, asked, house.now())) };
    },
  }),
  targets: report({
    summary: 'Which targets are met, missed, on track and off track',
    params: { at: rolled.at, ...inCurrency },
    run: (house, query) => {
      if (Object.keys(choiceOf(query)).length > 0)
        throw fail('PARAMETER_INVALID', { reason: 'each target says itself which calls count' });
      const costs = costsByDay(house.store, query.currency);
      return targetsReport(house.store, { atMs: instantOf(query.at, house), costs }, house.now());
    },
  }),
  advice: report({
    summary: 'Which calls tenants could do without, and what these cost',
    params: { ...ranged, ...inCurrency },
    run: async (house, { currency, ...query }) => {
      const { range, only } = rangeOf(query);
      const asked = { range, only, costs: costsOfCalls(house.store, currency) };
      return { range: shown(range), ...(await adviceReport(house.store, asked, house.now())) };
    },
  }),
  why: report({
    summary: 'Why volume moved: where the change is, and what it looks like',
    params: { ...ranged, ...compared, by: text.default('tenant,endpoint'), shown: count(1_000, 10) },
    run: async (house, { compare, ...query }) => {
      const asked = rangeOf(query);
      const base = baseOf(asked, { ...query, compare: compare === 'none' ? 'previous' : compare })!;
      const question = { ...asked, base, by: parseDimensions(query.by), shown: query.shown };
      return { range: shown(asked.range), base: shown(base), ...(await whyReport(house.store, question, house.now())) };
    },
  }),
};

async function baseChoice(house: House, baseWhere: string): Promise<Choice> {
  return choiceOf({ ...(await planChoice(house, baseWhere)), tz: 'UTC' });
}

function spanOf(house: House, query: { at?: string | undefined; span: string } & Parameters<typeof choiceOf>[0]) {
  const { timeZone, only } = rangeOf({ ...query, from: '2000-01-01', to: '2000-01-02' });
  const [atMs, spanMs] = [instantOf(query.at, house), parseSpan(query.span)];
  knownTimes({ fromMs: atMs - spanMs, toMs: atMs });
  return { atMs, spanMs, timeZone, only };
}

function shown(range: TimeRange): { from: string; to: string };
function shown(range: TimeRange | null): { from: string; to: string } | null;
function shown(range: TimeRange | null) {
  return range === null ? null : { from: formatInstant(range.fromMs), to: formatInstant(range.toMs) };
}

/** Reports on usage: one route each, as JSON or CSV, in pages. */
export function addUsage(app: OpenAPIHono, house: House): void {
  const names = Object.keys(reports) as UsageReportName[];
  for (const name of names) addReport(app, house, name);
  const route = createRoute({
    method: 'get',
    path: '/api/v1/usage/definitions',
    summary: 'What the figures of the reports on usage mean',
    responses: answers(z.record(z.string(), z.string())),
  });
  app.openapi(route, (context) => context.json(usageDefinitions, 200));
  addLetter(app, house);
}

const letterQuery = z.strictObject({
  ...{ ...ranged, ...inCurrency, where: common.where, endpoint: common.endpoint, consumer: common.consumer },
  tenant: text.min(1),
});

/** Advice as a text for the tenant. */
function addLetter(app: OpenAPIHono, house: House): void {
  const route = createRoute({
    ...{ method: 'get', path: '/api/v1/usage/letter', request: { query: letterQuery } },
    summary: 'Advice to spend fewer calls, as a text that can be sent to the tenant',
    responses: {
      ...answers(z.string()),
      200: { description: 'The text', content: { 'text/markdown': { schema: z.string() } } },
    },
  });
  addPlain(app, route, async (context) => {
    const { currency, ...query } = checked(letterQuery, new URL(context.req.url).searchParams);
    const { range, only } = rangeOf({ ...query, tz: 'UTC' });
    const costs = costsOfCalls(house.store, currency);
    const advice = await adviceReport(house.store, { range, only, costs }, house.now());
    return context.body(adviceLetter(query.tenant, advice), 200, { 'content-type': 'text/markdown; charset=utf-8' });
  });
}

function addReport(app: OpenAPIHono, house: House, name: UsageReportName): void {
  const { summary, params, run } = reports[name];
  const schema = z.strictObject({ ...params, ...common });
  const json = { schema: usageAnswers[name] };
  const route = createRoute({
    ...{ method: 'get', path: `/api/v1/usage/${name}`, summary, request: { query: schema } },
    responses: {
      ...answers(usageAnswers[name]),
      200: {
        description: 'The answer; CSV for those who ask for it',
        content: { 'application/json': json, 'text/csv': { schema: z.string() } },
      },
    },
  });
  addPlain(app, route, async (context) => {
    const asked = checked(schema, new URL(context.req.url).searchParams) as Query;
    const query = { ...asked, ...(await planChoice(house, asked.where)) };
    const reported = await run(house, query);
    const paged = reported.next === undefined ? pageOf(reported, query) : reported;
    const { rows, next, ...facts } = paged as Reported & { next: string | null };
    const standing = {
      definition: `/api/v1/usage/definitions#${name}`,
      timeZone: query.tz,
      counts: { calls: 'each call once, by its weight', where: shownWhere(asked, query) },
    };
    return answer(context, name, { ...standing, ...facts, rows, next }, query.format);
  });
}

type Query = z.output<z.ZodObject<typeof common>>;

/** Plans as they were asked for: the tenants that are on them may be many. */
function shownWhere(asked: Query, query: Query & PlanChoice): string {
  if (query.onPlan === undefined) return shownChoice(choiceOf(query));
  const plan = asked.where.split(';').find((part) => part.trim().startsWith('plan'))!;
  const rest = choiceOf({ ...query, onPlan: undefined });
  return [plan.trim(), ...(Object.keys(rest).length === 0 ? [] : [shownChoice(rest)])].join(';');
}

/** A parameter that is not known is refused: without it the figure would be another one than was asked for. */
function checked<Asked>(schema: z.ZodType<Asked>, params: URLSearchParams): Asked {
  const names = [...params.keys()];
  if (new Set(names).size < names.length) throw fail('PARAMETER_INVALID', { reason: 'a parameter is there twice' });
  const { data, error } = schema.safeParse(Object.fromEntries(params));
  if (!error) return data;
  throw fail(
    'PARAMETER_INVALID',
    {},
    error.issues.map(({ path, message }) => ({ message: `${path.join('.')}: ${message}` })),
  );
}

/** Pages of a report whose rows are all there: by their place. */
function pageOf(reported: Reported, { limit, cursor }: Query): Reported {
  const from = cursor === '' ? 0 : Number(/^row-(\d{1,7})$/.exec(cursor)?.[1] ?? Number.NaN);
  if (Number.isNaN(from)) throw fail('PARAMETER_INVALID', { reason: 'the cursor is none that this report gave' });
  const rows = reported.rows.slice(from, from + limit);
  return { ...reported, rows, next: from + limit < reported.rows.length ? `row-${from + limit}` : null };
}

interface Answered {
  readonly definition: string;
  readonly rows: readonly object[];
  readonly next: string | null;
  readonly coverage?: unknown;
  readonly freshness?: unknown;
}

/** CSV has room for rows only; what else the answer says is in its headers. */
function answer(context: Context, name: string, body: Answered, format: Query['format']): Response {
  const wantsCsv = format === 'csv' || (format === undefined && /text\/csv/i.test(context.req.header('accept') ?? ''));
  if (!wantsCsv) return context.json(body, 200);
  return context.body(csvOf(body.rows as Record<string, unknown>[]), 200, {
    'content-type': 'text/csv',
    'content-disposition': `attachment; filename="usage-${name}.csv"`,
    'taximeter-definition': body.definition,
    'taximeter-coverage': JSON.stringify(body.coverage),
    'taximeter-freshness': JSON.stringify(body.freshness),
    ...(body.next === null ? {} : { 'taximeter-next': body.next }),
  });
}
