import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { currencyRatesSpec } from '../../bill/index.ts';
import { boundarySpec, endpointMapSpec, tenantMapSpec } from '../../collect/index.ts';
import { costModelSpec } from '../../cost/index.ts';
import { fail, type Problem } from '../../model/index.ts';
import { applyVersions, type NewVersion, newestOf, parseDocuments } from '../../store/index.ts';
import { meterSpec } from '../../usage/index.ts';
import { documentsAnswer } from '../contract/contract.ts';
import type { House } from '../house.ts';
import { answers } from './answers.ts';

/** The kinds of document that there are, and what their spec must look like. */
const documentSpecs: Record<string, z.ZodType> = {
  Boundary: boundarySpec,
  CostModel: costModelSpec,
  CurrencyRates: currencyRatesSpec,
  EndpointMap: endpointMapSpec,
  Meter: meterSpec,
  TenantMap: tenantMapSpec,
};

const applyRoute = createRoute({
  method: 'post',
  path: '/api/v1/documents',
  summary: 'Check documents and store them as new versions',
  request: {
    query: z.object({ dryRun: z.enum(['true', 'false']).default('false'), by: z.string().max(100).default('') }),
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
    const versions = checked(await context.req.text());
    if (query.dryRun === 'true') return context.json({ dryRun: true, documents: await preview(house, versions) }, 200);
    const by = query.by || 'api';
    const applied = await applyVersions(house.store.documents, versions, by, house.now());
    if (applied.some(({ kind }) => kind === 'Boundary')) await house.collector.applyBoundary();
    if (applied.some(({ kind }) => kind === 'TenantMap' || kind === 'EndpointMap')) await house.collector.applyNaming();
    return context.json({ dryRun: false, documents: applied }, 200);
  });
}

function checked(text: string): NewVersion[] {
  const problems: Problem[] = [];
  const versions = parseDocuments(text).map((document): NewVersion => {
    const schema = documentSpecs[document.kind];
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
