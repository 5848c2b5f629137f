import { formatMoney } from '../../model/index.ts';
import type { CompiledLimit } from '../policy/compile.ts';
import type { Subject } from '../subject.ts';

/** Says what a limit allows. Takes  subject: whom, with plan and overrides; null: by the document alone. */
export function wordsOf(limit: CompiledLimit, subject: Subject | null, nowUs: number): string {
  const { spec } = limit;
  const per = limit.policy.per.length === 0 ? 'all together' : `each ${limit.policy.per.join(' and ')}`;
  const allowance = subject === null ? null : limit.amountOf(subject, nowUs);
  const override = allowance && allowance.override !== '' ? ` (override: ${allowance.override})` : '';
  return `${per}: ${amountWords(limit, allowance?.amount ?? null)} ${windowWords(limit, allowance?.burst ?? null)}${overdraftWords(spec)}${override}`;
}

function amountWords({ spec }: CompiledLimit, amount: number | null): string {
  const { money, unit } = spec;
  if (amount === null && typeof spec.amount === 'object') return `what the plan ${spec.amount.plan} says`;
  if (money === undefined) return `${amount ?? spec.amount} ${unit}`;
  const text = amount === null ? String(spec.amount) : formatMoney(BigInt(amount) * 10n ** BigInt(18 - money.decimals));
  return `${text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')} ${money.currency}`;
}

function windowWords({ spec, algorithm }: CompiledLimit, burst: number | null): string {
  const { rate, window } = spec;
  if (rate) return `in ${rate.per}, spread evenly, ${burst ?? rate.burst ?? spec.amount} at once`;
  if (algorithm === 'concurrency') return 'at once';
  if (window?.fixed) return `in windows of ${window.fixed} side by side`;
  if (window?.rolling) return `in any ${window.rolling}`;
  const every =
    window?.calendar === 'anniversary' ? `${window.every} counted from the day in the plan` : window?.calendar;
  const anchor = window?.anchor === undefined ? '' : ` from ${window.anchor} on`;
  return `a calendar ${every}${anchor} (${window?.zone})`;
}

function overdraftWords({ overdraft }: CompiledLimit['spec']): string {
  if (overdraft === undefined) return '';
  const grace = overdraft.grace === undefined ? '' : ` for ${overdraft.grace}`;
  return `, and ${overdraft.percent} % more${grace}`;
}
