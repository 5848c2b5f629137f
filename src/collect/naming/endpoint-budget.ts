export const OTHER_ENDPOINT = 'other';

/**
 * Keeps the number of endpoints of each tenant within bounds: what comes when a tenant has its fill is `other`.
 * Attackers and broken clients would otherwise make every report as long as their imagination.
 */
export class EndpointBudget {
  readonly #limit: number;
  readonly #byTenant: Map<string, Set<string>>;
  /** How many calls came too late for an endpoint of their own. */
  overflowed = 0;

  /** Takes  known: the endpoints that are stored, by tenant; they keep their place. */
  constructor(limit: number, known: ReadonlyMap<string, ReadonlySet<string>> = new Map()) {
    this.#limit = limit;
    this.#byTenant = new Map([...known].map(([tenant, endpoints]) => [tenant, new Set(endpoints)]));
  }

  /** Whether a tenant's call may be counted at this endpoint, which it then has. */
  admits(tenant: string, endpoint: string): boolean {
    const endpoints = this.#byTenant.get(tenant) ?? new Set();
    if (endpoints.has(endpoint)) return true;
    if (endpoints.size >= this.#limit) {
      this.overflowed += 1;
      return false;
    }
    endpoints.add(endpoint);
    this.#byTenant.set(tenant, endpoints);
    return true;
  }
}
