import { z } from 'zod';
import { type DocumentStore, newestOf } from '../../store/index.ts';
import { RouteMatcher } from './route-matcher.ts';

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;
const LIMIT = 2_000;

/** The spec of an EndpointMap document: the routes of an API, for calls that come without one. */
export const endpointMapSpec = z.strictObject({
  routes: z
    .array(z.string().regex(/^([A-Z]+|\*) \/\S*$/, 'must be a method, or *, and a path: GET /v1/users/{id}'))
    .max(20_000)
    .default([]),
  openapi: z.looseObject({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) }).optional(),
  rename: z.record(z.string().min(1), z.string().min(1).max(256)).default({}),
  limit: z.number().int().min(1).max(100_000).default(LIMIT),
});

export type EndpointMapSpec = z.infer<typeof endpointMapSpec>;

/** How endpoints are named beyond what a call itself says: all EndpointMap documents together. */
export class EndpointRules {
  readonly routes: RouteMatcher;
  /** How many endpoints a tenant may have before the rest is `other`. */
  readonly limit: number;
  readonly #renamed: ReadonlyMap<string, string>;

  constructor(specs: readonly EndpointMapSpec[] = []) {
    this.routes = new RouteMatcher(specs.flatMap((spec) => [...spec.routes, ...openApiRoutes(spec)]));
    this.limit = specs.length === 0 ? LIMIT : Math.max(...specs.map(({ limit }) => limit));
    this.#renamed = new Map(specs.flatMap(({ rename }) => Object.entries(rename)));
  }

  renamed(endpoint: string): string {
    return this.#renamed.get(endpoint) ?? endpoint;
  }
}

/** The routes of an OpenAPI document; the path of its first server stands before them. */
function openApiRoutes({ openapi }: EndpointMapSpec): string[] {
  const { servers } = (openapi ?? {}) as { servers?: readonly { readonly url?: unknown }[] };
  const base = basePath(Array.isArray(servers) ? servers[0]?.url : undefined);
  return Object.entries(openapi?.paths ?? {}).flatMap(([path, operations]) =>
    methods.filter((method) => method in operations).map((method) => `${method.toUpperCase()} ${base}${path}`),
  );
}

function basePath(url: unknown): string {
  if (typeof url !== 'string') return '';
  const path = url.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/\/+$/, '');
  return path.startsWith('/') ? path : '';
}

/** Reads the endpoints that documents name, by the names they go by. */
export async function documentedEndpoints(documents: DocumentStore): Promise<string[]> {
  const specs = (await newestOf(documents, 'EndpointMap')).map(({ body }) => JSON.parse(body) as EndpointMapSpec);
  const rules = new EndpointRules(specs);
  const names = specs.flatMap((spec) => [...spec.routes, ...openApiRoutes(spec)]).map((name) => rules.renamed(name));
  return [...new Set(names.filter((name) => !name.startsWith('* ')))].sort();
}

/** Reads the rules in force. */
export async function endpointRulesInForce(documents: DocumentStore): Promise<EndpointRules> {
  const stored = await newestOf(documents, 'EndpointMap');
  return new EndpointRules(stored.map(({ body }) => JSON.parse(body) as EndpointMapSpec));
}
