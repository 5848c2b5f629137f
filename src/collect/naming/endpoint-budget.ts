export const OTHER_ENDPOINT = 'other';

/**
 * Keeps the number of endpoints of each tenant within bounds: what comes when a tenant has its fill is `other`.
 * Attackers and broken clients would otherwise make every report as long as their imagination.
 */
export class EndpointBudget {
  /** How many endpoints a tenant may have, `other` not counted. */
  limit: number;
  readonly #byTenant = new Map<string, Set<string>>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Gives endpoints their places, whether there is room or not: those that are stored keep theirs. */
  know(byTenant: ReadonlyMap<string, ReadonlySet<string>>): void {
    for (const [tenant, endpoints] of byTenant) {
      for (const endpoint of endpoints) if (endpoint !== OTHER_ENDPOINT) this.#of(tenant).add(endpoint);
    }
  }

  /** Whether a tenant's call may be counted at this endpoint, which it then has. */
  admits(tenant: string, endpoint: string): boolean {
    if (endpoint === OTHER_ENDPOINT) return true;
    const endpoints = this.#of(tenant);
    if (endpoints.has(endpoint)) return true;
    if (endpoints.size >= this.limit) return false;
    endpoints.add(endpoint);
    return true;
  }

  #of(tenant: string): Set<string> {
    const known = this.#byTenant.get(tenant);
    if (known !== undefined) return known;
    const endpoints = new Set<string>();
    this.#byTenant.set(tenant, endpoints);
    return endpoints;
  }
}
