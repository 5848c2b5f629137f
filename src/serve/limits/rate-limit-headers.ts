import type { Decision, Finding } from '../../limit/index.ts';

/** Which headers an answer has: the drafts of RateLimit in their order, what was usual before, Salesforce's, or none. */
export const limitHeaderKinds = ['draft-11', 'draft-next', 'draft-6', 'legacy', 'sforce', 'off'] as const;
export type LimitHeaderKind = (typeof limitHeaderKinds)[number];

/** Integers of structured fields have 15 digits. From  RFC 9651, 3.3.1. */
const LARGEST_INTEGER = 999_999_999_999_999;

type Headers = Record<string, string>;

/**
 * Says what is left, in the header fields that were asked for. Money has no place in them.
 *
 * Holds  names come from documents, whose names are plain; nothing that a caller sent goes into a header.
 * From   draft-ietf-httpapi-ratelimit-headers-11, and its next version; draft 06; RFC 9110 for Retry-After.
 */
export function limitHeaders(decision: Decision, kinds: readonly LimitHeaderKind[]): Headers {
  const headers: Headers = {};
  const counted = decision.findings.filter(
    ({ isEnforced, limit }) => isEnforced && !limit.isMoney && limit.algorithm !== 'concurrency',
  );
  const decisive = decision.binding;
  const binding = counted.find((each) => each === decisive) ?? counted[0];
  if (binding !== undefined)
    for (const kind of kinds) Object.assign(headers, writers[kind](counted, binding, decision.nowUs));
  const retryAfter = retryAfterSeconds(decision);
  if (retryAfter !== null) headers['retry-after'] = String(retryAfter);
  return headers;
}

/** Whole seconds, never before the call would pass; null when it passes or waiting does not help. */
export function retryAfterSeconds({ isAllowed, freesAtUs, nowUs }: Decision): number | null {
  return isAllowed || freesAtUs <= 0 ? null : Math.max(1, Math.ceil((freesAtUs - nowUs) / 1_000_000));
}

const writers: Record<LimitHeaderKind, (all: readonly Finding[], one: Finding, nowUs: number) => Headers> = {
  'draft-11': (all, one, nowUs) => ({
    'ratelimit-policy': all.map(quota).join(', '),
    ratelimit: `${name(one)};r=${left(one)};t=${resetSeconds(one, nowUs)}`,
  }),
  'draft-next': (all, one, nowUs) => ({
    'ratelimit-policy': all.map(quota).join(', '),
    ratelimit: `${name(one)};a=${left(one)};w=${resetSeconds(one, nowUs)}`,
  }),
  'draft-6': (all, one, nowUs) => ({
    'ratelimit-policy': all.map((each) => `${integer(each.amount)};w=${windowSeconds(each)}`).join(', '),
    'ratelimit-limit': String(integer(one.amount)),
    'ratelimit-remaining': String(left(one)),
    'ratelimit-reset': String(resetSeconds(one, nowUs)),
  }),
  legacy: (_, one, nowUs) => ({
    'x-ratelimit-limit': String(integer(one.amount)),
    'x-ratelimit-remaining': String(left(one)),
    'x-ratelimit-reset': String(Math.ceil(Math.max(one.outcome.resetsAtUs, nowUs) / 1_000_000)),
  }),
  sforce: (_, one) => ({ 'sforce-limit-info': `api-usage=${integer(one.outcome.after)}/${integer(one.amount)}` }),
  off: () => ({}),
};

function name({ limit }: Finding): string {
  return `"${limit.policy.name}.${limit.id}"`;
}

/** What a limit says of itself is mostly the same for everybody. */
const quotas = new WeakMap<Finding['limit'], { readonly ceiling: number; readonly text: string }>();

function quota(each: Finding): string {
  const { limit, ceiling } = each;
  const known = quotas.get(limit);
  if (known?.ceiling === ceiling) return known.text;
  const text = `${name(each)};q=${integer(ceiling)};w=${windowSeconds(each)};qu="${limit.spec.unit}"`;
  quotas.set(limit, { ceiling, text });
  return text;
}

function left({ ceiling, outcome }: Finding): number {
  return integer(Math.max(0, ceiling - outcome.after));
}

/** The length of a window; of a calendar's, which changes, its most. */
function windowSeconds({ limit }: Finding): number {
  const { length, tickUs, spec } = limit;
  if (limit.algorithm !== 'calendar') return Math.max(1, Math.ceil((length * tickUs) / 1_000_000));
  const { calendar, every } = spec.window!;
  const unit = calendar === 'anniversary' ? every : calendar!;
  return { day: 86_400, week: 604_800, month: 2_678_400, year: 31_622_400 }[unit];
}

function resetSeconds({ outcome }: Finding, nowUs: number): number {
  return integer(Math.max(0, Math.ceil((outcome.resetsAtUs - nowUs) / 1_000_000)));
}

function integer(value: number): number {
  return Math.min(Math.max(0, Math.floor(value)), LARGEST_INTEGER);
}
