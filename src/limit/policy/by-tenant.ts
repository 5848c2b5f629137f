import type { Made } from '../demand.ts';
import type { CompiledPolicy } from './compile.ts';

/** Policies that may concern somebody, in their order, with what was made for the asks before. */
export interface Candidates {
  readonly policies: readonly CompiledPolicy[];
  readonly made: Made;
}

/**
 * Says which policies may concern a tenant, so that a policy for each of a thousand customers costs the others nothing.
 *
 * Holds  what is left out does not match; the order stays.
 */
export class PoliciesByTenant {
  readonly #all: readonly CompiledPolicy[];
  readonly #general: Candidates;
  /** Of tenants that are named: null until somebody asks. */
  readonly #named = new Map<string, Candidates | null>();

  constructor(policies: readonly CompiledPolicy[]) {
    this.#all = policies;
    this.#general = candidates(policies.filter((policy) => namesOf(policy) === null));
    for (const policy of policies) for (const name of namesOf(policy) ?? []) this.#named.set(name, null);
  }

  of(tenant: string): Candidates {
    if (this.#named.size === 0) return this.#general;
    const known = this.#named.get(tenant);
    if (known === undefined) return this.#general;
    if (known !== null) return known;
    const own = candidates(this.#all.filter((policy) => namesOf(policy)?.includes(tenant) ?? true));
    this.#named.set(tenant, own);
    return own;
  }
}

function candidates(policies: readonly CompiledPolicy[]): Candidates {
  return { policies, made: { lines: [], ofLimits: [] } };
}

/** The tenants that a policy is for; null where it does not name each of them. */
function namesOf({ spec }: CompiledPolicy): readonly string[] | null {
  const { tenants } = spec.match;
  return tenants === undefined || tenants.some((glob) => glob.includes('*')) ? null : tenants;
}
