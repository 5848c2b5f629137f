import { createHash } from 'node:crypto';
import { parseInstant } from '../../model/index.ts';
import { type Level, levels, type Subject } from '../subject.ts';
import { Calendar, calendarRule } from './calendar.ts';
import { durationUs } from './duration.ts';
import { matcher, weightOf } from './match.ts';
import { type PlanSpec, planAmount, planSinceMs } from './plan.ts';
import { type LimitPolicySpec, type LimitSpec, moneyUnits, tickUs } from './policy.ts';

export type Algorithm = 'rate' | 'fixed' | 'rolling' | 'calendar' | 'concurrency';

/** One limit, ready to be counted. Every number is whole and below 2^53. */
export interface CompiledLimit {
  readonly policy: CompiledPolicy;
  readonly id: string;
  /** Of the counters: the same as long as what was counted means the same. */
  readonly counterId: string;
  readonly algorithm: Algorithm;
  readonly spec: LimitSpec;
  /** Of a rate: its length in ticks. Of a window: its length in microseconds, of a calendar's 0. */
  readonly length: number;
  readonly tickUs: number;
  readonly parts: number;
  readonly partUs: number;
  readonly isMoney: boolean;
  /** No count of it, overdraft included, can reach 2^32: a store may keep it in half of the memory. */
  readonly isNarrow: boolean;
  readonly graceUs: number;
  readonly overdraftPercent: number;
  /** Null where the policy says nothing of unknown costs. */
  readonly assumedUnits: number | null;
  /** What a subject may, plan and overrides in force included. */
  readonly amountOf: (subject: Subject, nowUs: number) => Allowance;
  readonly calendarOf: (subject: Subject) => Calendar | null;
}

export interface Allowance {
  readonly amount: number;
  /** Of a rate: what fits at once. */
  readonly burst: number;
  /** Why it is another than the policy says; empty otherwise. */
  readonly override: string;
}

/** One version of a LimitPolicy, ready to be asked. */
export interface CompiledPolicy {
  readonly name: string;
  readonly version: number;
  readonly spec: LimitPolicySpec;
  readonly per: readonly Level[];
  readonly fromUs: number;
  readonly untilUs: number;
  readonly matches: (subject: Subject) => boolean;
  readonly weightOf: (endpoint: string) => number;
  readonly isEnforcedFor: (subject: Subject) => boolean;
  readonly limits: readonly CompiledLimit[];
}

/** A stored version of a document of this room. */
export interface PolicyVersion {
  readonly name: string;
  readonly version: number;
  readonly spec: LimitPolicySpec;
}

/** Makes policies ready. Takes  plans: the newest of each name. Policies keep their order. */
export function compilePolicies(
  versions: readonly PolicyVersion[],
  plans: ReadonlyMap<string, PlanSpec>,
): CompiledPolicy[] {
  return versions.map(({ name, version, spec }) => {
    const limits: CompiledLimit[] = [];
    const per = levels.filter((level) => spec.per.includes(level));
    const policy: CompiledPolicy = {
      ...{ name, version, spec, limits, per },
      fromUs: spec.from === undefined ? 0 : instantUs(spec.from),
      untilUs: spec.until === undefined ? Number.MAX_SAFE_INTEGER : instantUs(spec.until),
      matches: matcher(spec.match),
      weightOf: weightOf(spec.weights),
      isEnforcedFor: enforcement(name, spec, per),
    };
    for (const limit of spec.limits) limits.push(compileLimit(policy, limit, plans));
    return policy;
  });
}

function instantUs(text: string): number {
  return parseInstant(text) * 1000;
}

/** A share of the subjects is enforced, the same ones at every call; the others are told what would have been. */
function enforcement(name: string, spec: LimitPolicySpec, per: readonly Level[]): (subject: Subject) => boolean {
  const { mode, enforcePercent } = spec;
  if (mode === 'shadow' || enforcePercent === 0) return () => false;
  if (enforcePercent === 100) return () => true;
  return (subject) => {
    const key = JSON.stringify([name, ...per.map((level) => subject[level])]);
    return createHash('sha256').update(key).digest().readUInt32BE() % 100 < enforcePercent;
  };
}

function compileLimit(policy: CompiledPolicy, spec: LimitSpec, plans: ReadonlyMap<string, PlanSpec>): CompiledLimit {
  const { rate, window, money, overdraft } = spec;
  const algorithm = algorithmOf(spec);
  const perUs = rate ? durationUs(rate.per) : durationUs(window?.fixed ?? window?.rolling ?? '');
  const tick = rate ? tickUs(perUs) : 1;
  const length = perUs / tick;
  const parts = algorithm === 'rolling' ? (window?.parts ?? 96) : 0;
  const isNarrow = typeof spec.amount === 'number' && largestAmount(policy.spec, spec) * 11 < 2 ** 31;
  const shape = [algorithm, length, parts, isNarrow, money?.decimals ?? '', money?.currency ?? '', ...policy.per];
  const calendars = algorithm === 'calendar' ? [window?.calendar, window?.zone, window?.anchor, window?.every] : [];
  return {
    ...{ policy, spec, algorithm, length, parts, isNarrow, id: spec.id, tickUs: tick, isMoney: money !== undefined },
    counterId: [policy.name, spec.id, ...shape, ...calendars].join('|'),
    partUs: parts === 0 ? 0 : Math.ceil(length / parts),
    graceUs: overdraft?.grace === undefined ? 0 : durationUs(overdraft.grace),
    overdraftPercent: overdraft?.percent ?? 0,
    assumedUnits: money?.assumedCost === undefined ? null : moneyUnits(money.assumedCost, money.decimals),
    amountOf: allowances(policy, spec, plans),
    calendarOf: algorithm === 'calendar' ? calendarsOf(spec, plans) : () => null,
  };
}

function largestAmount(policy: LimitPolicySpec, { id, amount }: LimitSpec): number {
  return Math.max(Number(amount), ...policy.overrides.map(({ limits }) => Number(limits[id] ?? 0)));
}

function algorithmOf({ rate, concurrency, window }: LimitSpec): Algorithm {
  if (rate) return 'rate';
  if (concurrency) return 'concurrency';
  if (window?.fixed !== undefined) return 'fixed';
  return window?.rolling === undefined ? 'calendar' : 'rolling';
}

function allowances(policy: CompiledPolicy, limit: LimitSpec, plans: ReadonlyMap<string, PlanSpec>) {
  const decimals = limit.money?.decimals ?? 0;
  const units = (amount: number | string) => (typeof amount === 'number' ? amount : moneyUnits(amount, decimals));
  const allowance = (amount: number, override: string): Allowance => {
    // An override of a rate keeps the proportion of its burst.
    const base = typeof limit.amount === 'number' ? limit.amount : amount;
    const burst = limit.rate?.burst ?? base;
    return { amount, override, burst: amount === base ? burst : Math.max(1, Math.floor((burst / base) * amount)) };
  };
  const plan = typeof limit.amount === 'object' ? limit.amount.plan : null;
  const base = typeof limit.amount === 'object' ? null : allowance(units(limit.amount), '');
  const overrides = policy.spec.overrides
    .filter(({ limits }) => Object.hasOwn(limits, limit.id))
    .map(({ match, limits, from, until, reason }) => ({
      matches: matcher(match),
      fromUs: from === undefined ? 0 : instantUs(from),
      untilUs: instantUs(until),
      allowance: allowance(units(limits[limit.id]!), reason),
    }));
  return (subject: Subject, nowUs: number): Allowance => {
    for (const each of overrides)
      if (nowUs >= each.fromUs && nowUs < each.untilUs && each.matches(subject)) return each.allowance;
    if (base !== null) return base;
    const spec = plans.get(plan!);
    return allowance(spec === undefined ? 0 : planAmount(spec, subject.tenant || subject.organisation), '');
  };
}

function calendarsOf(limit: LimitSpec, plans: ReadonlyMap<string, PlanSpec>): (subject: Subject) => Calendar {
  const window = limit.window!;
  if (window.calendar !== 'anniversary') {
    const calendar = new Calendar(calendarRule(window, null));
    return () => calendar;
  }
  const plan = typeof limit.amount === 'object' ? plans.get(limit.amount.plan) : undefined;
  const bySince = new Map<string, Calendar>();
  return (subject) => {
    const rule = calendarRule(window, plan ? planSinceMs(plan, subject.tenant || subject.organisation) : null);
    const key = `${rule.month}-${rule.day}`;
    const known = bySince.get(key) ?? new Calendar(rule);
    bySince.set(key, known);
    return known;
  };
}
