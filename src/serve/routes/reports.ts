import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { partDimensions } from '../../cost/index.ts';
import { costReport, costStates, lateCallsOf, reconcile, reconcileFully } from '../../ledger/index.ts';
import { fail, formatInstant, isTimeZone, parseInstant, parseMonth, parseRange } from '../../model/index.ts';
import { usageDimensions, usageReport, usageWindows } from '../../usage/index.ts';
import { type CostAnswer, costAnswer, usageAnswer } from '../contract/contract.ts';
import { reconcileFullAnswer } from '../contract/ledger.ts';
import type { House } from '../house.ts';
import { answers } from './answers.ts';
import { convertedCost, convertedLines } from './in-currency.ts';

const costDimensions = ['tenant', 'endpoint', 'pool', 'service', 'day'] as const;

const rangeQuery = {
  from: z.string().openapi({ example: '2022-08-01', description: 'a day or an instant; whole minutes' }),
  to: z.string().openapi({ example: '2022-09-01', description: 'not included' }),
};
const byQuery = z.string().optional();
const only = z.string().max(1_024).optional();
const asOfQuery = z.string().optional().openapi({ description: 'money as it was known then; none: now' });

const convertToQuery = z
  .string()
  .regex(/^[A-Z]{3}$/)
  .optional()
  .openapi({ description: 'show amounts in this currency' });

const costRoute = createRoute({
  method: 'get',
  path: '/api/v1/cost',
  summary: 'What calls cost, beside what the bill says',
  request: {
    query: z.object({
      ...rangeQuery,
      by: byQuery.openapi({ example: 'tenant,endpoint' }),
      currency: z.string().optional(),
      tz: z.string().default('UTC').openapi({ description: 'IANA zone in which days begin' }),
      asOf: asOfQuery,
      convertTo: convertToQuery,
    }),
  },
  responses: answers(costAnswer),
});

const usageRoute = createRoute({
  method: 'get',
  path: '/api/v1/usage',
  summary: 'How many calls, by whom, when',
  request: {
    query: z.object({
      ...rangeQuery,
      by: byQuery.openapi({ example: 'tenant,endpoint,kind', description: usageDimensions.join(', ') }),
      ...{ tenant: only, endpoint: only, consumer: only, kind: only, class: only },
      ...{ region: only, version: only, flags: only },
      window: z.enum(usageWindows).default('none'),
      tz: z.string().default('UTC').openapi({ description: 'IANA zone in which days and hours begin' }),
      asOf: z.string().optional().openapi({ description: 'refused: counts are not kept by when they became known' }),
    }),
  },
  responses: answers(usageAnswer),
});

const reconcileRoute = createRoute({
  method: 'get',
  path: '/api/v1/reconcile',
  summary: 'The ledger against the bills of one billing month',
  request: {
    query: z.object({
      period: z.string().openapi({ example: '2022-08' }),
      by: byQuery.openapi({ example: 'invoice,account,service,day' }),
      asOf: asOfQuery,
      convertTo: convertToQuery,
    }),
  },
  responses: answers(reconcileFullAnswer),
});

/** Reports: questions that change nothing. */
export function addReports(app: OpenAPIHono, house: House): void {
  app.openapi(costRoute, async (context) => {
    const query = context.req.valid('query');
    const range = parseRange(query.from, query.to);
    const by = dimensions(query.by ?? 'tenant,endpoint', costDimensions);
    const asOf = moment(query.asOf);
    const report = await costReport(house.store, range, by, query.currency, knownZone(query.tz), asOf);
    const states = await costStates(house.store, report, range, by, asOf ? null : house.now());
    const whole = { range: shown(range), ...report, pools: [...report.pools], ...structuredClone(states) };
    return context.json((await convertedCost(house, whole, range, query.convertTo)) as CostAnswer, 200);
  });
  app.openapi(usageRoute, async (context) => {
    const query = context.req.valid('query');
    const range = parseRange(query.from, query.to);
    if (query.asOf !== undefined) throw fail('AS_OF_UNKNOWN', { asked: 'usage' });
    const { window, by } = windowAndDimensions(query.window, query.by ?? '');
    const named = usageDimensions.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]] as const]));
    const timeZone = knownZone(query.tz);
    const report = await usageReport(house.store, { range, window, timeZone, by, only: Object.fromEntries(named) });
    const groups = by.filter((name) => name === 'tenant' || name === 'endpoint');
    const late = await lateCallsOf(house.store, range, groups);
    // Lateness is kept by tenant, endpoint and hour; of other dimensions, windows and filters it is not known.
    const isByGroup = late !== null && window === 'none' && groups.length === by.length && named.length === 0;
    const rows = report.rows.map((row) => ({ ...row, late: isByGroup ? late.of(row.tenant, row.endpoint) : null }));
    const total = named.length === 0 ? (late?.total ?? null) : null;
    return context.json({ range: shown(range), ...report, late: total, rows }, 200);
  });
  app.openapi(reconcileRoute, async (context) => {
    const query = context.req.valid('query');
    const month = parseMonth(query.period);
    const by = dimensions(query.by ?? '', partDimensions);
    const asOf = moment(query.asOf);
    if (asOf && by.length > 0) throw fail('AS_OF_UNKNOWN', { asked: `reconcile by ${by.join(',')}` });
    const nothing = { parts: [], outOfScope: [], doubles: [], exports: [] };
    const result = asOf
      ? { ...(await reconcile(house.store, month, asOf)), ...nothing }
      : await reconcileFully(house.store, month, by, house.now());
    const inOther = await convertedLines(house, result, month, query.convertTo);
    return context.json(structuredClone(inOther) as z.infer<typeof reconcileFullAnswer>, 200);
  });
}

function moment(asOf: string | undefined): Date | undefined {
  return asOf === undefined ? undefined : new Date(parseInstant(asOf));
}

/** Names only: an offset such as +02:00 is a zone to this machine and none to the engine. */
function knownZone(zone: string): string {
  if (!/^[A-Za-z]/.test(zone) || !isTimeZone(zone)) throw fail('PARAMETER_INVALID', { tz: zone.slice(0, 60) });
  return zone;
}

/** `--by tenant,day` names a window among the dimensions. */
function windowAndDimensions(window: (typeof usageWindows)[number], by: string) {
  const names = by
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const named = usageWindows.find((candidate) => candidate !== 'none' && names.includes(candidate));
  if (named && window !== 'none' && window !== named) throw fail('PARAMETER_INVALID', { by, window });
  return {
    window: named ?? window,
    by: dimensions(names.filter((name) => name !== named).join(','), usageDimensions),
  };
}

/** Reads a list of dimensions with commas. Gives them in the known order. Fails PARAMETER_INVALID. */
export function dimensions<Name extends string>(by: string, known: readonly Name[]): Name[] {
  const names = [
    ...new Set(
      by
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    ),
  ];
  const unknown = names.filter((name) => !(known as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw fail('PARAMETER_INVALID', { by: unknown.join(',').slice(0, 60), known: known.join(',') });
  return known.filter((name) => names.includes(name));
}

function shown(range: { fromMs: number; toMs: number }) {
  return { from: formatInstant(range.fromMs), to: formatInstant(range.toMs) };
}
