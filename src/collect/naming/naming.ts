import { EndpointBudget } from './endpoint-budget.ts';
import { EndpointRules } from './endpoint-map.ts';
import { TenantRules } from './tenant-map.ts';

/** How calls are named: what operators say about tenants and endpoints, and how many endpoints there may be. */
export interface Naming {
  readonly tenants: TenantRules;
  readonly endpoints: EndpointRules;
  readonly budget: EndpointBudget;
}

/** What holds where no document says anything. */
export function newNaming(
  tenants = new TenantRules(),
  endpoints = new EndpointRules(),
  known?: ReadonlyMap<string, ReadonlySet<string>>,
): Naming {
  return { tenants, endpoints, budget: new EndpointBudget(endpoints.limit, known) };
}
