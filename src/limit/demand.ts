import type { Ask, AskedLine, RatedCost } from './decision.ts';
import type { Allowance, CompiledLimit, CompiledPolicy } from './policy/compile.ts';
import { attoUnits } from './policy/policy.ts';
import type { Line } from './store/counter-store.ts';
import type { Subject } from './subject.ts';

/** A cost that no limit allows, and that is still exact. */
const TOO_MUCH = Number.MAX_SAFE_INTEGER;

/**
 * Gives every counter that an ask touches, from the widest level to the narrowest.
 *
 * Takes  rated: what the subject's call costs by the rates, in a currency; null when nobody knows.
 * Gives  the lines, or the limit whose cost nobody can tell: unknown is never 0.
 */
export function linesOf(
  policies: readonly CompiledPolicy[],
  ask: Ask,
  rated: (currency: string) => RatedCost | null,
  nowUs: number,
): { readonly lines: AskedLine[] } | { readonly unknownCost: CompiledLimit } {
  const lines: AskedLine[] = [];
  const { subject, units } = ask;
  // Who only wants to see what was used need not know what a call costs.
  const isLook = ask.isPeek && units === 0;
  for (const policy of policies) {
    if (nowUs < policy.fromUs || nowUs >= policy.untilUs || !policy.matches(subject)) continue;
    const weight = policy.weightOf(subject.endpoint);
    const isEnforced = policy.isEnforcedFor(subject);
    for (const limit of policy.limits) {
      const isMoney = limit.spec.money !== undefined;
      const unitCost = limit.algorithm === 'concurrency' ? 1 : weight;
      const cost = isMoney
        ? isLook
          ? 0
          : moneyCost(limit, ask.money ?? rated(limit.spec.money!.currency))
        : capped(units * unitCost);
      if (cost === null) {
        if (isEnforced) return { unknownCost: limit };
        continue;
      }
      const allowance = limit.amountOf(subject, nowUs);
      lines.push({
        limit,
        subject,
        amount: allowance.amount,
        ceiling: ceilingOf(limit, allowance),
        unitCost,
        cost,
        isMoney,
        isEnforced,
        calendar: limit.calendarOf(subject),
        override: allowance.override,
      });
    }
  }
  return { lines };
}

/** The counter of one limit, to be looked at or set: nothing is taken. */
export function lineOf(limit: CompiledLimit, subject: Subject, nowUs: number): Line {
  const allowance = limit.amountOf(subject, nowUs);
  const { amount } = allowance;
  const cost = { unitCost: 1, cost: 0, isMoney: limit.spec.money !== undefined, isEnforced: false };
  return { limit, subject, amount, ceiling: ceilingOf(limit, allowance), ...cost, calendar: limit.calendarOf(subject) };
}

function ceilingOf({ algorithm, overdraftPercent }: CompiledLimit, { amount, burst }: Allowance): number {
  if (algorithm === 'rate') return burst;
  return overdraftPercent === 0 ? amount : amount + Math.floor((amount * overdraftPercent) / 100);
}

function capped(cost: number): number {
  return Math.min(cost, TOO_MUCH);
}

function moneyCost(limit: CompiledLimit, cost: RatedCost | null): number | null {
  const { currency, decimals } = limit.spec.money!;
  if (cost === null || cost.currency !== currency) return limit.assumedUnits;
  return capped(attoUnits(cost.amountAtto, decimals));
}
