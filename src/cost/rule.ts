import type { Driver } from '../model/index.ts';
import { globMatches } from './check-pools.ts';
import type { CostModelSpec } from './cost-model.ts';
import { type IdlePolicy, type Pool, type PoolDriver, type Step, scaledDecimal, stepsOf } from './pool.ts';
import type { Quantity } from './queries.ts';

/** How a pool shares what it has: a pool of a model with what it stands in relation to. */
export interface Rule {
  readonly id: string;
  readonly kind: 'direct' | 'indirect';
  readonly steps: readonly Step[];
  /** Null where everything is passed on. */
  readonly driver: PoolDriver | null;
  /** The measured quantity that is read for it: a driver's name, or of fees the name of their sum. */
  readonly quantity: string;
  /** The sum that fees of calls are shared by; null of all other rules. */
  readonly fees: Quantity | null;
  readonly services: readonly string[] | undefined;
  readonly weights: TakerWeights | null;
  readonly idle: IdlePolicy;
  readonly into: { readonly rules: readonly Rule[]; readonly by: NonNullable<Pool['into']>['by'] } | null;
}

/** What a tenant's and an endpoint's work counts for, as whole numbers of one scale. */
export interface TakerWeights {
  /** What one is worth. */
  readonly one: bigint;
  readonly ofTenant: (tenant: string) => bigint;
  readonly ofEndpoint: (endpoint: string) => bigint;
}

const made = new WeakMap<CostModelSpec, ReadonlyMap<string, Rule>>();

/** The rules of a model, by pool. */
export function rulesOf(spec: CostModelSpec): ReadonlyMap<string, Rule> {
  const known = made.get(spec);
  if (known) return known;
  const rules = new Map<string, Rule>();
  const pools = new Map(spec.pools.map((pool) => [pool.id, pool]));
  const ruleOf = (pool: Pool): Rule => {
    const before = rules.get(pool.id);
    if (before) return before;
    const { into } = pool;
    const rule = {
      ...ruleAlone(pool, spec.idle ?? 'show'),
      into: into ? { rules: into.pools.map((id) => ruleOf(pools.get(id)!)), by: into.by } : null,
    };
    rules.set(pool.id, rule);
    return rule;
  };
  for (const pool of spec.pools) ruleOf(pool);
  made.set(spec, rules);
  return rules;
}

/** A pool that passes nothing on to others, as a rule. */
export function ruleAlone(pool: Pool, idle: IdlePolicy = 'show'): Rule {
  const driver = pool.into || pool.fees ? null : (pool.driver ?? null);
  return {
    id: pool.id,
    kind: pool.kind,
    steps: stepsOf(pool),
    driver,
    quantity: driver === 'even' ? 'calls' : (driver ?? ''),
    fees: null,
    // Which services' fees count is a part of their sum.
    services: pool.fees ? undefined : pool.services,
    weights: pool.weights ? weightsOf(pool.weights) : null,
    idle: pool.idle ?? idle,
    into: null,
  };
}

/** All rules that an amount may come to, this one first and each after those that pass to it. */
export function reach(rule: Rule): Rule[] {
  const seen = new Set<Rule>();
  const order: Rule[] = [];
  const visit = (at: Rule) => {
    if (seen.has(at)) return;
    seen.add(at);
    for (const next of at.into?.rules ?? []) visit(next);
    order.unshift(at);
  };
  visit(rule);
  return order;
}

/** The drivers that must be read of the work to follow a rule. */
export function driversOf(rule: Rule): Driver[] {
  const drivers = reach(rule).flatMap(({ driver, quantity, steps, into }) => [
    ...(driver === null ? [] : [quantity as Driver]),
    ...steps.flatMap(({ by }) => (typeof by === 'object' && 'driver' in by ? [by.driver] : [])),
    ...(into && typeof into.by === 'string' && into.by !== 'even' ? [into.by] : []),
  ]);
  return [...new Set(drivers)];
}

/** Whether the work must be told apart by service to follow a rule. */
export function needsServices(rule: Rule): boolean {
  return reach(rule).some(
    ({ steps, services }) => services !== undefined || steps.some(({ over }) => over === 'service'),
  );
}

function weightsOf({ tenants = {}, endpoints = {} }: NonNullable<Pool['weights']>): TakerWeights {
  const micro = [...Object.values(tenants), ...Object.values(endpoints)].map((factor) => scaledDecimal(factor, 6));
  // The smaller the common scale, the more room is left for quantities.
  const scale = micro.reduce(greatestDivisor, 1_000_000n);
  const finder = (factors: Readonly<Record<string, string>>) => {
    const exact = new Map(Object.entries(factors).map(([name, factor]) => [name, scaledDecimal(factor, 6) / scale]));
    const globs = [...exact].filter(([name]) => name.includes('*'));
    return (name: string) =>
      exact.get(name) ?? globs.find(([glob]) => globMatches(glob, name))?.[1] ?? 1_000_000n / scale;
  };
  return { one: 1_000_000n / scale, ofTenant: finder(tenants), ofEndpoint: finder(endpoints) };
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestDivisor(b, a % b);
}
