import { formatInstant, parseInstant } from '../../model/index.ts';
import type { CompiledLimit, CompiledPolicy } from '../policy/compile.ts';
import { covers, mayMeet } from '../policy/covers.ts';
import { durationUs } from '../policy/duration.ts';
import { moneyUnits } from '../policy/policy.ts';

export const noteKinds = [
  ...(['plan_unknown', 'forbids', 'not_in_force', 'shadow', 'override_expired', 'override_never_applies'] as const),
  ...(['override_hidden', 'burst_above_window', 'never_binds', 'counted_twice', 'warns_late', 'cost_unknown'] as const),
] as const;

/** Something that cannot be meant, or that surprises. */
export interface Note {
  readonly kind: (typeof noteKinds)[number];
  readonly policy: string;
  /** Empty where it is about the whole policy. */
  readonly limit: string;
  readonly words: string;
}

/** What policies do not say themselves. */
export interface Facts {
  /** Names of the plans that there are. */
  readonly plans: ReadonlySet<string>;
  /** Currencies in which costs of calls are known. */
  readonly ratedCurrencies: ReadonlySet<string>;
  readonly nowUs: number;
}

/** Finds what of policies cannot be meant. Pure. */
export function notesOf(policies: readonly CompiledPolicy[], facts: Facts): Note[] {
  const limits = policies.flatMap((policy) => policy.limits);
  return [
    ...policies.flatMap((policy) => [...ofPolicy(policy, facts), ...ofOverrides(policy, facts.nowUs)]),
    ...limits.flatMap((limit) => [...ofLimit(limit, facts)]),
    ...ofPairs(policies),
  ];
}

/** Policies are held against each other first: of many for one customer each, hardly any concern the same calls. */
function ofPairs(policies: readonly CompiledPolicy[]): Note[] {
  const places = new Map(policies.flatMap(({ limits }) => limits).map((limit, place) => [limit, place]));
  return policies.flatMap((policy) => {
    const wider = policies.filter((other) => isWider(other, policy)).flatMap(({ limits }) => limits);
    return policy.limits.flatMap((limit) => [...ofOthers(limit, wider, places)]);
  });
}

/** Whether one counts whatever another one counts, is in force whenever that is, and enforced for everybody by its plain amounts. */
function isWider(wide: CompiledPolicy, { spec, per, fromUs, untilUs }: CompiledPolicy): boolean {
  const { mode, enforcePercent, overrides, match } = wide.spec;
  const isWhole = mode === 'enforce' && enforcePercent === 100 && overrides.length === 0 && spec.overrides.length === 0;
  if (!isWhole || wide.fromUs > fromUs || wide.untilUs < untilUs) return false;
  return isSubset(wide.per, per) && covers(match, spec.match);
}

function note(kind: Note['kind'], { name }: CompiledPolicy, limit: string, words: string): Note {
  return { kind, policy: name, limit, words };
}

function day(us: number): string {
  return formatInstant(us / 1000);
}

function* ofPolicy(policy: CompiledPolicy, { nowUs }: Facts): Generator<Note> {
  const { spec, fromUs, untilUs } = policy;
  if (nowUs < fromUs)
    yield note('not_in_force', policy, '', `begins at ${day(fromUs)}; until then nothing of it counts`);
  if (nowUs >= untilUs) yield note('not_in_force', policy, '', `ended at ${day(untilUs)}; it can be taken away`);
  if (fromUs >= untilUs) yield note('not_in_force', policy, '', 'ends before it begins: it is never in force');
  if (spec.mode === 'shadow' || spec.enforcePercent === 0)
    yield note('shadow', policy, '', 'only watches: it refuses nobody');
  else if (spec.enforcePercent < 100)
    yield note(
      'shadow',
      policy,
      '',
      `refuses for ${spec.enforcePercent} % of those counted, always the same; the others it only watches`,
    );
}

function* ofOverrides(policy: CompiledPolicy, nowUs: number): Generator<Note> {
  const { overrides, match } = policy.spec;
  for (const [place, { reason, until, limits, match: own, from }] of overrides.entries()) {
    const which = `the override "${reason.slice(0, 60)}"`;
    const untilUs = parseInstant(until) * 1000;
    if (untilUs <= nowUs)
      yield note('override_expired', policy, '', `${which} ended at ${day(untilUs)} and can be taken away`);
    if (!mayMeet(match, own))
      yield note('override_never_applies', policy, '', `${which} is for names that the policy does not concern`);
    const before = overrides.slice(0, place).find((earlier) => {
      const isAsLong = parseInstant(earlier.until) * 1000 >= untilUs;
      const isAsEarly =
        earlier.from === undefined || (from !== undefined && parseInstant(earlier.from) <= parseInstant(from));
      return (
        isAsLong && isAsEarly && covers(earlier.match, own) && Object.keys(limits).every((id) => id in earlier.limits)
      );
    });
    if (before !== undefined)
      yield note(
        'override_hidden',
        policy,
        '',
        `${which} never counts: "${before.reason.slice(0, 60)}" stands before it and fits whatever it fits`,
      );
  }
}

function* ofLimit(limit: CompiledLimit, { plans, ratedCurrencies }: Facts): Generator<Note> {
  const { policy, spec, id } = limit;
  const plan = typeof spec.amount === 'object' ? spec.amount.plan : null;
  if (plan !== null && !plans.has(plan))
    yield note('plan_unknown', policy, id, `there is no plan ${plan}: nothing passes`);
  if (plainAmount(limit) === 0) yield note('forbids', policy, id, 'allows 0: nothing passes');
  if (spec.warnAt.length > 0 && Math.min(...spec.warnAt) === 100)
    yield note('warns_late', policy, id, 'warns at 100 %: when nothing is left');
  if (spec.money !== undefined && spec.money.assumedCost === undefined && !ratedCurrencies.has(spec.money.currency))
    yield note(
      ...(['cost_unknown', policy, id] as const),
      `no rates in ${spec.money.currency} are known: a call that does not bring its cost is refused, unless there is an assumedCost`,
    );
  const assumed = limit.assumedUnits;
  const amount = plainAmount(limit);
  if (assumed !== null && amount !== null && assumed > amount)
    yield note('forbids', policy, id, 'its assumedCost is more than its amount: a call of unknown cost never passes');
}

/** Pairs: of limits that count the same things, one may make another meaningless. Takes  wider: limits of policies that are wider. */
function* ofOthers(
  limit: CompiledLimit,
  wider: readonly CompiledLimit[],
  places: ReadonlyMap<CompiledLimit, number>,
): Generator<Note> {
  const { policy, id } = limit;
  for (const other of wider) {
    if (other === limit || !countsAlike(limit, other)) continue;
    const name = other.policy === policy ? other.id : `${other.policy.name}.${other.id}`;
    const burst = burstOf(limit);
    const isAfter = places.get(limit)! > places.get(other)!;
    const [own, others] = [plainAmount(limit), plainAmount(other)];
    if (own === null || others === null) continue;
    if (burst !== null && other.algorithm !== 'rate' && burst > mostOf(other, others))
      yield note(
        'burst_above_window',
        policy,
        id,
        `its burst of ${burst} is more than ${name} allows in all its length (${others})`,
      );
    const isSame =
      isSameWindow(limit, other) &&
      isSubset(policy.per, other.policy.per) &&
      covers(policy.spec.match, other.policy.spec.match);
    if (isSame) {
      if (isAfter)
        yield note(
          'counted_twice',
          policy,
          id,
          `counts the same calls in the same windows as ${name}: the smaller of both decides`,
        );
    }
    if (isStricter(other, others, limit, own) && !(isSame && own === others && !isAfter))
      yield note(
        'never_binds',
        policy,
        id,
        `can never be what refuses: ${name} is reached before it, or at the same time`,
      );
  }
}

/** Counted in the same units, each call as much. */
function countsAlike(a: CompiledLimit, b: CompiledLimit): boolean {
  if (a.algorithm === 'concurrency' || b.algorithm === 'concurrency') return false;
  if (a.spec.money?.currency !== b.spec.money?.currency || a.spec.unit !== b.spec.unit) return false;
  if (a.spec.money?.decimals !== b.spec.money?.decimals) return false;
  return JSON.stringify(a.policy.spec.weights) === JSON.stringify(b.policy.spec.weights);
}

function isSubset(few: readonly string[], many: readonly string[]): boolean {
  return few.every((level) => many.includes(level));
}

function burstOf({ spec, algorithm }: CompiledLimit): number | null {
  return algorithm === 'rate' ? (spec.rate!.burst ?? Number(spec.amount)) : null;
}

/** What a limit allows by its document alone, in its smallest units; null where a plan says it. */
function plainAmount({ spec }: CompiledLimit): number | null {
  if (typeof spec.amount === 'object') return null;
  return typeof spec.amount === 'number' ? spec.amount : moneyUnits(spec.amount, spec.money!.decimals);
}

function mostOf({ overdraftPercent }: CompiledLimit, amount: number): number {
  return amount + Math.floor((amount * overdraftPercent) / 100);
}

/** Hours of calendar windows, with an hour less or more for summer time. */
const leastHours = { day: 23, week: 167, month: 671, year: 8_759 } as const;
const mostHours = { day: 25, week: 169, month: 745, year: 8_785 } as const;
const HOUR_US = 3_600_000_000;

/** The shortest and the longest that a window can be. */
function lengths({ algorithm, spec }: CompiledLimit): { least: number; most: number } {
  if (algorithm === 'calendar') {
    const { calendar, every } = spec.window!;
    const unit = calendar === 'anniversary' ? every : calendar!;
    return { least: leastHours[unit] * HOUR_US, most: mostHours[unit] * HOUR_US };
  }
  const us = durationUs(spec.rate?.per ?? spec.window?.fixed ?? spec.window?.rolling ?? '');
  return { least: us, most: us };
}

function isSameWindow(a: CompiledLimit, b: CompiledLimit): boolean {
  const key = ({ algorithm, spec }: CompiledLimit) => JSON.stringify([algorithm, spec.rate?.per, spec.window]);
  return key(a) === key(b);
}

/** Whether whatever passes a limit passes another one too. */
function isStricter(strict: CompiledLimit, amount: number, loose: CompiledLimit, others: number): boolean {
  const [most, least] = [mostOf(strict, amount), others];
  if (strict.algorithm === 'rate') {
    const burst = burstOf(strict)!;
    const { most: per } = lengths(strict);
    if (loose.algorithm === 'rate') {
      const isSlower = amount * lengths(loose).most <= others * per;
      return burst <= burstOf(loose)! && isSlower;
    }
    // What a rate lets pass in a whole window at most.
    return burst + (amount * lengths(loose).most) / per <= least;
  }
  // Of what was let pass longer ago than the window, the rate remembers nothing any more.
  if (loose.algorithm === 'rate') {
    const isDrained = (others * lengths(strict).least) / lengths(loose).most >= most;
    return strict.algorithm === 'rolling' && most <= burstOf(loose)! && isDrained;
  }
  if (isSameWindow(strict, loose)) return most <= least;
  // A rolling window bounds every stretch of its length, so also each window that is no longer.
  return strict.algorithm === 'rolling' && lengths(loose).most <= lengths(strict).least && most <= least;
}
