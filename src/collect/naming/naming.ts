import { EndpointRules } from './endpoint-map.ts';
import { TenantRules } from './tenant-map.ts';

/** How calls are named: what operators say about tenants and endpoints. */
export interface Naming {
  readonly tenants: TenantRules;
  readonly endpoints: EndpointRules;
}

/** What holds where no document says anything. */
export function newNaming(tenants = new TenantRules(), endpoints = new EndpointRules()): Naming {
  return { tenants, endpoints };
}
