import type { Ask, AskedLine, RatedCost } from './decision.ts';
import type { Allowance, CompiledLimit, CompiledPolicy } from './policy/compile.ts';
import { attoUnits } from './policy/policy.ts';
import type { Line } from './store/counter-store.ts';
import type { Subject } from './subject.ts';

/** A cost that no limit allows, and that is still exact. */
const TOO_MUCH = Number.MAX_SAFE_INTEGER;

/** What was made for the asks before: most want the same of the same limits, whoever asks, and then nothing is made anew. */
export interface Made {
  lines: readonly AskedLine[];
  /** The last line of each limit, in the order of the policies. */
  readonly ofLimits: AskedLine[];
}

/**
 * Gives every counter that an ask touches, from the widest level to the narrowest.
 *
 * Takes  ratedCostOf: what a subject's call costs by the rates, in a currency; null when nobody knows. made: of the same policies.
 * Gives  the lines, or the limit whose cost nobody can tell: unknown is never 0.
 */
export function linesOf(
  policies: readonly CompiledPolicy[],
  ask: Ask,
  ratedCostOf: (subject: Subject, currency: string) => RatedCost | null,
  nowUs: number,
  made: Made = { lines: [], ofLimits: [] },
): { readonly lines: readonly AskedLine[] } | { readonly unknownCost: CompiledLimit } {
  const { subject, units } = ask;
  // Who only wants to see what was used need not know what a call costs.
  const isLook = ask.isPeek && units === 0;
  const last = made.lines;
  // Null as long as the lines are those of last time.
  let lines: AskedLine[] | null = null;
  let count = 0;
  let before = 0;
  for (const policy of policies) {
    const { limits } = policy;
    const first = before;
    before += limits.length;
    if (nowUs < policy.fromUs || nowUs >= policy.untilUs || !policy.matches(subject)) continue;
    const weight = policy.weightOf(subject.endpoint);
    const isEnforced = policy.isEnforcedFor(subject);
    for (let i = 0; i < limits.length; i++) {
      const limit = limits[i]!;
      const unitCost = limit.algorithm === 'concurrency' ? 1 : weight;
      const cost = limit.isMoney ? (isLook ? 0 : moneyCost(limit, ask, ratedCostOf)) : capped(units * unitCost);
      if (cost === null && isEnforced) return { unknownCost: limit };
      if (cost === null) continue;
      const line = askedLine(made.ofLimits[first + i], limit, subject, nowUs, unitCost, cost, isEnforced);
      made.ofLimits[first + i] = line;
      if (lines === null && last[count] !== line) lines = last.slice(0, count);
      lines?.push(line);
      count++;
    }
  }
  if (lines === null && count < last.length) lines = last.slice(0, count);
  if (lines !== null) made.lines = lines;
  return made;
}

/** Gives the line of a limit: the last one, when it says the same. */
function askedLine(
  last: AskedLine | undefined,
  limit: CompiledLimit,
  subject: Subject,
  nowUs: number,
  unitCost: number,
  cost: number,
  isEnforced: boolean,
): AskedLine {
  const allowance = limit.amountOf(subject, nowUs);
  const calendar = limit.calendarOf(subject);
  const ceiling = ceilingOf(limit, allowance);
  const { amount, override } = allowance;
  const isSame =
    last !== undefined &&
    last.amount === amount &&
    last.ceiling === ceiling &&
    last.cost === cost &&
    last.unitCost === unitCost &&
    last.isEnforced === isEnforced &&
    last.calendar === calendar &&
    last.override === override;
  if (isSame) return last;
  return { limit, amount, ceiling, unitCost, cost, isMoney: limit.isMoney, isEnforced, calendar, override };
}

/** The counter of one limit, to be looked at or set: nothing is taken. */
export function lineOf(limit: CompiledLimit, subject: Subject, nowUs: number): Line {
  const allowance = limit.amountOf(subject, nowUs);
  const { amount } = allowance;
  const cost = { unitCost: 1, cost: 0, isMoney: limit.isMoney, isEnforced: false };
  return { limit, amount, ceiling: ceilingOf(limit, allowance), ...cost, calendar: limit.calendarOf(subject) };
}

function ceilingOf({ algorithm, overdraftPercent }: CompiledLimit, { amount, burst }: Allowance): number {
  if (algorithm === 'rate') return burst;
  return overdraftPercent === 0 ? amount : amount + Math.floor((amount * overdraftPercent) / 100);
}

function capped(cost: number): number {
  return Math.min(cost, TOO_MUCH);
}

function moneyCost(
  limit: CompiledLimit,
  { money, subject }: Ask,
  ratedCostOf: (subject: Subject, currency: string) => RatedCost | null,
): number | null {
  const { currency, decimals } = limit.spec.money!;
  const cost = money ?? ratedCostOf(subject, currency);
  if (cost === null || cost.currency !== currency) return limit.assumedUnits;
  return capped(attoUnits(cost.amountAtto, decimals));
}
