import type { Decision, Finding } from '../../limit/index.ts';
import { type Failure, type FailureCode, fail } from '../../model/index.ts';
import type { Answer } from '../answer.ts';
import { decisionText, figureOf, instant, nameOf } from './decision-text.ts';
import { type LimitHeaderKind, limitHeaders, retryAfterSeconds } from './rate-limit-headers.ts';

const DRAFT_PROBLEMS = 'https://iana.org/assignments/http-problem-types';

const failureOf: Record<Exclude<Decision['reason'], 'allowed'>, FailureCode> = {
  over_limit: 'LIMIT_EXCEEDED',
  cost_exceeds_limit: 'LIMIT_COST_TOO_LARGE',
  cost_unknown: 'LIMIT_COST_UNKNOWN',
  store_unavailable: 'LIMIT_STORE_UNAVAILABLE',
  store_full: 'LIMIT_KEYS_FULL',
  reservation_differs: 'RESERVATION_DIFFERS',
  reservation_over: 'RESERVATION_OVER',
};

/** Made once: whoever is refused most is refused again and again. */
const refusals = Object.fromEntries(
  Object.entries(failureOf).map(([reason, code]) => [reason, fail(code)]),
) as Readonly<Record<keyof typeof failureOf, Failure>>;

/** A decision as an answer: 200 when the call may pass, problem details when it may not. */
export function answerDecision(decision: Decision, kinds: readonly LimitHeaderKind[]): Answer {
  const headers = limitHeaders(decision, kinds);
  if (decision.isAllowed) return { status: 200, headers: Object.assign(headers, json), body: decisionText(decision) };
  const failure = refusals[decision.reason as keyof typeof failureOf];
  const answer = failed(failure, headers, {
    ...(failure.status === 429 ? { type: `${DRAFT_PROBLEMS}#quota-exceeded` } : {}),
    ...(failure.status === 503 ? { type: `${DRAFT_PROBLEMS}#temporary-reduced-capacity` } : {}),
    'violated-policies': violated(decision).map(nameOf),
  });
  return { ...answer, body: `${answer.body.slice(0, -1)},"decision":${decisionText(decision)}}` };
}

/** Headers of every answer that is no problem. */
export const json = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

function failed(failure: Failure, headers: Record<string, string>, more: object): Answer {
  const { code, status, message, todo } = failure;
  const type = `https://taximeter.dev/problems/${code.toLowerCase().replaceAll('_', '-')}`;
  const body = { type, title: message, status, detail: message, code, whatToDo: todo, ...more };
  return {
    status,
    headers: { ...headers, ...json, 'content-type': 'application/problem+json' },
    body: JSON.stringify(body),
  };
}

export function violated({ isAllowed, findings }: Decision): readonly Finding[] {
  return isAllowed ? [] : findings.filter(({ isEnforced, outcome }) => isEnforced && outcome.isOver);
}

/** A decision as it is shown: every limit that was looked at, and which of them decided. */
export function shownDecision(decision: Decision) {
  const { isAllowed, reason, granted, reservation, freesAtUs, wouldPass, binding, repeat } = decision;
  return {
    allowed: isAllowed,
    reason,
    granted,
    ...(reservation === null ? {} : { reservation }),
    ...(repeat === 'same' ? { repeated: true } : {}),
    wouldPass,
    retryAfterSeconds: retryAfterSeconds(decision),
    freesAt: freesAtUs > 0 ? instant(freesAtUs) : null,
    binding: binding === null ? null : nameOf(binding),
    limits: decision.findings.map((each) => shownFinding(each)),
  };
}

export function shownFinding(each: Finding) {
  const { limit, amount, ceiling, cost, outcome, isEnforced, zone, override, per } = each;
  const figure = (units: number) => figureOf(limit, units);
  return {
    policy: limit.policy.name,
    version: limit.policy.version,
    limit: limit.id,
    algorithm: limit.algorithm,
    unit: limit.spec.money?.currency ?? limit.spec.unit,
    per,
    amount: figure(amount),
    ...(ceiling === amount ? {} : { most: figure(ceiling) }),
    cost: figure(cost),
    before: figure(outcome.before),
    after: figure(outcome.after),
    remaining: figure(Math.max(0, ceiling - outcome.after)),
    fits: figure(outcome.fits),
    zone,
    enforced: isEnforced,
    freesAt: outcome.freesAtUs > 0 ? instant(outcome.freesAtUs) : null,
    resetsAt: instant(outcome.resetsAtUs),
    ...(override === '' ? {} : { override }),
  };
}
