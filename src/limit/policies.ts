import { type DocumentStore, newestOf } from '../store/index.ts';
import { type CompiledPolicy, compilePolicies, type PolicyVersion } from './policy/compile.ts';
import { type PlanSpec, planSpec } from './policy/plan.ts';
import { limitPolicySpec } from './policy/policy.ts';

/** Reads the newest version of every LimitPolicy and Plan. Gives  policies from the widest level to the narrowest, then by name. */
export async function readPolicies(documents: DocumentStore): Promise<CompiledPolicy[]> {
  const versions = (await newestOf(documents, 'LimitPolicy')).map(({ name, version, body }) => {
    return { name, version, spec: limitPolicySpec.parse(JSON.parse(body)) };
  });
  return compilePolicies(inOrder(versions), await readPlans(documents));
}

/** Reads the newest version of every Plan, by name. */
export async function readPlans(documents: DocumentStore): Promise<Map<string, PlanSpec>> {
  const plans = new Map<string, PlanSpec>();
  for (const { name, body } of await newestOf(documents, 'Plan')) plans.set(name, planSpec.parse(JSON.parse(body)));
  return plans;
}

/** From the widest level to the narrowest, then by name. */
export function inOrder(versions: readonly PolicyVersion[]): PolicyVersion[] {
  return [...versions].sort((a, b) => a.spec.per.length - b.spec.per.length || (a.name < b.name ? -1 : 1));
}
