export type { Ask, Decision, Finding, RatedCost } from './decision.ts';
export { checkSettled, Limiter, type RatedCostOf, TTL_US } from './limit.ts';
export { readPolicies } from './policies.ts';
export { type CompiledPolicy, compilePolicies } from './policy/compile.ts';
export { planSpec } from './policy/plan.ts';
export { LARGEST_UNITS, limitPolicySpec } from './policy/policy.ts';
export type { CounterStore } from './store/counter-store.ts';
export { MemoryStore } from './store/memory-store.ts';
export { isName, LONGEST_NAME, type Subject, subjectOf } from './subject.ts';
