import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { reportScheduleSpec } from '../../advise/index.ts';
import { currencyRatesSpec } from '../../bill/index.ts';
import { boundarySpec, endpointMapSpec, tenantMapSpec } from '../../collect/index.ts';
import {
  type CostModelSpec,
  costModelSpec,
  metersIn,
  modelDifference,
  poolNotes,
  rateCardSpec,
} from '../../cost/index.ts';
import { openBills } from '../../ledger/index.ts';
import { limitPolicySpec, planSpec, readPolicies } from '../../limit/index.ts';
import { fail, formatInstant, type Problem } from '../../model/index.ts';
import { applyVersions, type NewVersion, newestOf, parseDocuments } from '../../store/index.ts';
import { listMeters, meterSpec, targetSpec } from '../../usage/index.ts';
import { documentsAnswer } from '../contract/documents.ts';
import type { House } from '../house.ts';
import { answers } from './answers.ts';

/** The kinds of document that there are, and what their spec must look like. */
const documentSpecs: Record<string, z.ZodType> = {
  Boundary: boundarySpec,
  CostModel: costModelSpec,
  CurrencyRates: currencyRatesSpec,
  EndpointMap: endpointMapSpec,
  LimitPolicy: limitPolicySpec,
  Meter: meterSpec,
  RateCard: rateCardSpec,
  ReportSchedule: reportScheduleSpec,
  Target: targetSpec,
  Plan: planSpec,
  TenantMap: tenantMapSpec,
};

/** Kinds that say what calls cost, or who wants to know. */
const rating = ['RateCard', 'CostModel', 'LimitPolicy'];

const applyRoute = createRoute({
  method: 'post',
  path: '/api/v1/documents',
  summary: 'Check documents and store them as new versions',
  request: {
    query: z.object({
      dryRun: z.enum(['true', 'false']).default('false'),
      by: z.string().max(100).default(''),
      why: z
        .string()
        .max(1000)
        .default('')
        .openapi({ description: 'kept beside the versions, in place of their reason' }),
    }),
    body: {
      content: { 'application/yaml': { schema: z.string() } },
      description: 'YAML or JSON, one or more documents',
    },
  },
  responses: answers(documentsAnswer),
});

/** Documents: what the house is told to do. */
export function addDocuments(app: OpenAPIHono, house: House): void {
  app.openapi(applyRoute, async (context) => {
    const query = context.req.valid('query');
    const versions = (await checked(house, await context.req.text())).map((version) =>
      query.why === '' ? version : { ...version, reason: query.why },
    );
    const notes = versions.flatMap(notesOf);
    if (query.dryRun === 'true') {
      const documents = await preview(house, versions);
      const difference = await differenceOf(house, versions);
      return context.json({ dryRun: true, documents, notes, difference }, 200);
    }
    const by = query.by || 'api';
    const applied = await applyVersions(house.store.documents, versions, by, house.now());
    if (applied.some(({ kind }) => kind === 'Boundary')) await house.collector.applyBoundary();
    if (applied.some(({ kind }) => kind === 'TenantMap' || kind === 'EndpointMap')) await house.collector.applyNaming();
    if (applied.some(({ kind }) => kind === 'LimitPolicy' || kind === 'Plan'))
      house.limiter.usePolicies(await readPolicies(house.store.documents));
    if (applied.some(({ kind }) => rating.includes(kind))) await house.prices.refresh();
    return context.json({ dryRun: false, documents: applied, notes, difference: null }, 200);
  });
}

async function checked(house: House, text: string): Promise<NewVersion[]> {
  const problems: Problem[] = [];
  const documents = parseDocuments(text);
  const meters = new Set(documents.flatMap(({ kind, name }) => (kind === 'Meter' ? [name] : [])));
  for (const { slug } of await listMeters(house.store.documents)) meters.add(slug);
  const versions = documents.map((document): NewVersion => {
    const schema = document.kind === 'CostModel' ? withMeters(meters) : documentSpecs[document.kind];
    if (!schema) {
      const known = Object.keys(documentSpecs).join(', ');
      problems.push({ message: `kind: ${document.kind} is not known; known are ${known}`, line: document.line });
      return { ...document };
    }
    const result = document.check(schema);
    if ('problems' in result) problems.push(...result.problems);
    return { ...document, spec: 'value' in result ? result.value : null };
  });
  if (problems.length > 0) throw fail('DOCUMENT_INVALID', { problems: problems.length }, problems);
  return versions;
}

/** A model that asks for a meter that is not there could not be worked out. */
function withMeters(meters: ReadonlySet<string>): z.ZodType {
  return costModelSpec.superRefine(({ pools }, context) => {
    pools.forEach((pool, place) => {
      for (const meter of metersIn(pool).filter((name) => !meters.has(name)))
        context.addIssue({ code: 'custom', path: ['pools', place], message: `there is no meter ${meter}` });
    });
  });
}

function notesOf({ kind, name, spec }: NewVersion): string[] {
  if (kind !== 'CostModel') return [];
  const { pools } = spec as CostModelSpec;
  return poolNotes(pools).map(({ at, message }) => `CostModel ${name}, pool ${pools[Number(at[1])]?.id}: ${message}`);
}

async function differenceOf(house: House, versions: readonly NewVersion[]) {
  const models = versions.filter(({ kind }) => kind === 'CostModel');
  if (models.length === 0) return null;
  const isOpen = await openBills(house.store);
  const { range, rows, ...rest } = await modelDifference(house.store, models, isOpen, house.now());
  if (range === null) return null;
  return {
    from: formatInstant(range.fromMs),
    to: formatInstant(range.toMs),
    ...rest,
    rows: rows.map((row) => ({ ...row })),
  };
}

async function preview(house: House, versions: readonly NewVersion[]) {
  const result = [];
  for (const { kind, name, spec, effectiveFromMs } of versions) {
    const newest = (await newestOf(house.store.documents, kind)).find((document) => document.name === name);
    const isSame =
      newest !== undefined &&
      newest.body === JSON.stringify(spec) &&
      Date.parse(newest.effective_from) === effectiveFromMs;
    const status = newest === undefined ? 'created' : isSame ? 'unchanged' : 'changed';
    result.push({ kind, name, version: (newest?.version ?? 0) + (isSame ? 0 : 1), status } as const);
  }
  return result;
}
