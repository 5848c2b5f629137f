import { z } from 'zod';
import { type DocumentStore, newestOf } from '../../store/index.ts';
import { safeConsumer } from '../privacy.ts';

/** More names than this would make every span slower. */
const MOST_ATTRIBUTES = 16;

/** Patterns with several stars take long on what no host name is. */
const LONGEST_HOST = 262;
const LONGEST_PATH = 8_192;

const name = z.string().min(1).max(256);

/** The spec of a TenantMap document: further places where a call says whose it is. */
export const tenantMapSpec = z.strictObject({
  attributes: z.array(name).max(MOST_ATTRIBUTES).default([]),
  headers: z
    .array(z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'must be the name of a header'))
    .max(MOST_ATTRIBUTES)
    .default([]),
  hosts: z.record(name, name).default({}),
  paths: z
    .array(z.string().regex(/^\/.*\{tenant\}/, 'must begin with / and have a segment {tenant}'))
    .max(100)
    .default([]),
  consumers: z.record(name, name).default({}),
  rename: z.record(name, name).default({}),
  unknown: z.enum(['keep', 'refuse']).default('keep'),
});

export type TenantMapSpec = z.infer<typeof tenantMapSpec>;

/** A tenant, and by what it was found. */
export interface FoundTenant {
  readonly tenant: string;
  readonly resolver: string;
}

/**
 * Says whose a call is by rules that an operator gave, all TenantMap documents together in the order of their names.
 * Attributes and headers come before the usual attributes; hosts, paths and consumers are asked when none of these says anything.
 */
export class TenantRules {
  /** Names of attributes, recorded headers included, in the order in which they are tried. */
  readonly attributes: readonly string[];
  /** Names that all documents together have too many of; they are not read. */
  readonly ignored: readonly string[];
  readonly refusesUnknown: boolean;
  readonly #hosts: readonly (readonly [pattern: RegExp, tenant: string, rule: string])[];
  readonly #paths: readonly (readonly [pattern: RegExp, rule: string])[];
  readonly #consumers: ReadonlyMap<string, string>;
  readonly #renamed: ReadonlyMap<string, string>;

  constructor(specs: readonly TenantMapSpec[] = []) {
    const headers = specs.flatMap((spec) =>
      spec.headers.map((header) => `http.request.header.${header.toLowerCase()}`),
    );
    const attributes = [...new Set([...specs.flatMap((spec) => spec.attributes), ...headers])];
    this.attributes = attributes.slice(0, MOST_ATTRIBUTES);
    this.ignored = attributes.slice(MOST_ATTRIBUTES);
    this.refusesUnknown = specs.some(({ unknown }) => unknown === 'refuse');
    this.#hosts = specs.flatMap(({ hosts }) =>
      Object.entries(hosts).map(([host, tenant]) => [hostPattern(host), tenant, `host:${host}`] as const),
    );
    this.#paths = specs.flatMap(({ paths }) => paths.map((path) => [pathPattern(path), `path:${path}`] as const));
    this.#consumers = new Map(specs.flatMap(({ consumers }) => Object.entries(consumers)));
    this.#renamed = new Map(specs.flatMap(({ rename }) => Object.entries(rename)));
  }

  /** Whether hosts, paths or consumers can say anything. */
  get isAskable(): boolean {
    return this.#hosts.length > 0 || this.#paths.length > 0 || this.#consumers.size > 0;
  }

  /** Tenants by consumer, under the names that they go by, as they are stored. */
  get consumers(): ReadonlyMap<string, string> {
    return new Map([...this.#consumers].map(([consumer, tenant]) => [consumer, safeConsumer(this.renamed(tenant))]));
  }

  /** The name that a tenant goes by. */
  renamed(tenant: string): string {
    return this.#renamed.get(tenant) ?? tenant;
  }

  /** Finds a tenant where no attribute named one; null when no rule hits. */
  find(call: { readonly host?: string; readonly path?: string; readonly consumer?: string }): FoundTenant | null {
    const host = call.host?.slice(0, LONGEST_HOST).replace(/:\d+$/, '').toLowerCase();
    for (const [pattern, tenant, resolver] of host === undefined ? [] : this.#hosts) {
      const hit = pattern.exec(host!);
      if (hit) return { tenant: tenant === '*' ? (hit[1] ?? host!) : tenant, resolver };
    }
    for (const [pattern, resolver] of call.path === undefined ? [] : this.#paths) {
      const tenant = pattern.exec(call.path!.slice(0, LONGEST_PATH))?.[1];
      if (tenant) return { tenant, resolver };
    }
    const tenant = call.consumer === undefined ? undefined : this.#consumers.get(call.consumer);
    return tenant === undefined ? null : { tenant, resolver: 'consumer' };
  }
}

/** `*.shop.example` takes one label or more in the place of the star. */
function hostPattern(host: string): RegExp {
  return new RegExp(`^${host.toLowerCase().split('*').map(escaped).join('([a-z0-9.-]+)')}$`);
}

/** `/t/{tenant}/x`: other names in braces and `*` stand for any segment; what follows the pattern is open. */
function pathPattern(path: string): RegExp {
  const segments = path.split('/').filter((segment) => segment !== '');
  const parts = segments.map((segment) => {
    if (segment === '{tenant}') return '([^/?#]+)';
    return segment === '*' || /^\{[^}]*\}$/.test(segment) ? '[^/?#]+' : escaped(segment);
  });
  return new RegExp(`^/${parts.join('/')}(?:[/?#]|$)`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Reads the rules in force. */
export async function tenantRulesInForce(documents: DocumentStore): Promise<TenantRules> {
  const stored = [...(await newestOf(documents, 'TenantMap'))].sort((a, b) => (a.name < b.name ? -1 : 1));
  return new TenantRules(stored.map(({ body }) => JSON.parse(body) as TenantMapSpec));
}
