import { type PlanSpec, planEdition, readPlans } from '../../limit/index.ts';
import { fail, UNKNOWN_TENANT } from '../../model/index.ts';
import { tenantsWithCalls } from '../../usage/index.ts';
import type { House } from '../house.ts';

/** A choice of calls without its plans, and the tenants that are on these; undefined where none are named. */
export interface PlanChoice {
  readonly where: string;
  readonly onPlan: readonly string[] | undefined;
}

const PLAN = /^\s*plan\s*:/;

/**
 * Takes plans out of a choice: `plan:crm/enterprise|crm/developer;status:2xx`. They are documents of today: a tenant that changed its edition is on the new
 * one for all of its calls.
 *
 * Gives  tenants of the editions; of a default edition also those with calls that the plan does not name.
 * Fails  PARAMETER_INVALID for a plan or an edition that there is not.
 */
export async function planChoice(house: House, where: string): Promise<PlanChoice> {
  const parts = where.split(';');
  const ofPlans = parts.filter((part) => PLAN.test(part));
  if (ofPlans.length === 0) return { where, onPlan: undefined };
  if (ofPlans.length > 1)
    throw fail('PARAMETER_INVALID', { reason: 'plan stands twice in the choice; write its values with |' });
  const plans = await readPlans(house.store.documents);
  const onPlan = new Set<string>();
  for (const value of ofPlans[0]!.replace(PLAN, '').split('|'))
    for (const tenant of await tenantsOn(house, plans, value.trim())) onPlan.add(tenant);
  return { where: parts.filter((part) => !PLAN.test(part)).join(';'), onPlan: [...onPlan] };
}

async function tenantsOn(
  { store }: House,
  plans: ReadonlyMap<string, PlanSpec>,
  asked: string,
): Promise<readonly string[]> {
  const slash = asked.indexOf('/');
  const [name, edition] = [asked.slice(0, Math.max(slash, 0)), asked.slice(slash + 1)];
  const plan = plans.get(name);
  if (plan === undefined || !Object.hasOwn(plan.editions, edition)) {
    const known = [...plans].flatMap(([each, { editions }]) => Object.keys(editions).map((one) => `${each}/${one}`));
    throw fail('PARAMETER_INVALID', { plan: asked.slice(0, 60), known: known.join(',').slice(0, 300) || 'none' });
  }
  const named = Object.keys(plan.tenants).filter((tenant) => planEdition(plan, tenant) === edition);
  if (plan.defaultEdition !== edition) return named;
  const seen = await tenantsWithCalls(store.columns);
  return [...named, ...seen.filter((tenant) => tenant !== UNKNOWN_TENANT && !Object.hasOwn(plan.tenants, tenant))];
}
