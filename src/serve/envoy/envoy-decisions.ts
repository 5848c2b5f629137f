import { randomUUID } from 'node:crypto';
import { templatePath } from '../../collect/index.ts';
import { type Ask, type Decision, type Finding, isName, LARGEST_UNITS, subjectOf } from '../../limit/index.ts';
import { fail } from '../../model/index.ts';
import type { House } from '../house.ts';
import { answerDecision } from '../limits/limit-answer.ts';
import { limitHeaders } from '../limits/rate-limit-headers.ts';
import {
  CODE,
  type Descriptor,
  type DescriptorStatus,
  RPC,
  readCheckRequest,
  readRateLimitRequest,
  UNIT,
  writeCheckResponse,
  writeRateLimitResponse,
} from './messages.ts';

const MOST_DESCRIPTORS = 32;

/**
 * Answers RateLimitService/ShouldRateLimit. The entries `organisation`, `tenant`, `consumer`, `endpoint`, or `method` and `path`, say who calls what;
 * each descriptor is one ask, and all of them are taken or none.
 */
export async function shouldRateLimit(house: House, bytes: Uint8Array): Promise<Uint8Array> {
  const { descriptors, hits } = readRateLimitRequest(bytes);
  if (descriptors.length === 0 || descriptors.length > MOST_DESCRIPTORS)
    throw fail('PARAMETER_INVALID', { reason: `a request has 1 to ${MOST_DESCRIPTORS} descriptors` });
  const asks = descriptors.map((descriptor) => askOf(descriptor, hits));
  const decisions = await decideTogether(house, asks);
  const isAllowed = decisions.every((decision) => decision.isAllowed);
  const worst = decisions.find((decision) => !decision.isAllowed) ?? decisions[0]!;
  const code = isAllowed ? CODE.ok : CODE.overLimit;
  return writeRateLimitResponse(code, decisions.map(statusOf), limitHeaders(worst, house.limitHeaders));
}

function askOf({ entries, hits, isNegative }: Descriptor, requestHits: number): Ask {
  if (isNegative) throw fail('PARAMETER_INVALID', { reason: 'hits are not taken back here; release a reservation' });
  const { organisation = '', tenant = '(unknown)', consumer = '', endpoint = '' } = entries;
  const template = entries.path === undefined ? '' : `${entries.method ?? 'GET'} ${templatePath(entries.path)}`;
  const names = { organisation, tenant, consumer, endpoint: endpoint || template };
  // Without hits a request counts one. What is beyond whole numbers is too much for every limit.
  const units = Math.min(hits ?? (requestHits || 1), LARGEST_UNITS);
  return { subject: checked(names), units, money: null, least: 0, isPeek: false, hold: null };
}

function checked(names: { organisation: string; tenant: string; consumer: string; endpoint: string }) {
  const wrong = Object.entries(names).filter(([, name]) => !isName(name));
  const problems = wrong.map(([part]) => ({
    message: `${part}: must be at most 512 characters without control characters`,
  }));
  if (problems.length > 0) throw fail('PARAMETER_INVALID', {}, problems);
  return subjectOf(names);
}

/** Of several asks, none is taken unless all are: each is reserved, and what was reserved is given back. Nobody else knows of these reservations. */
async function decideTogether({ limiter }: House, asks: readonly Ask[]): Promise<Decision[]> {
  if (asks.length === 1) return [await limiter.decide(asks[0]!)];
  const hold = () => ({ id: randomUUID(), ttlUs: 30_000_000, fingerprint: '' });
  const decisions: Decision[] = [];
  const endAll = (action: 'commit' | 'release') =>
    Promise.allSettled(
      decisions
        .flatMap(({ reservation }) => reservation ?? [])
        .map((each) => limiter.settle(each, action, null, null, true)),
    );
  try {
    for (const ask of asks) decisions.push(await limiter.decide({ ...ask, hold: hold() }));
  } catch (cause) {
    // What was taken before would be missing for half a minute.
    await endAll('release');
    throw cause;
  }
  const isAllowed = decisions.every((decision) => decision.isAllowed);
  const failed = (await endAll(isAllowed ? 'commit' : 'release')).find(({ status }) => status === 'rejected');
  // What is not committed comes back by itself: then it must not pass either. What is not released does no harm.
  if (isAllowed && failed !== undefined) throw (failed as PromiseRejectedResult).reason;
  return decisions;
}

function statusOf(decision: Decision): DescriptorStatus {
  const { binding, isAllowed, nowUs } = decision;
  const code = isAllowed ? CODE.ok : CODE.overLimit;
  if (binding === null) return { code, limit: null, remaining: 0, resetUs: 0 };
  const { limit, amount, ceiling, outcome } = binding;
  const resetUs = Math.max(0, (isAllowed ? outcome.resetsAtUs : outcome.freesAtUs) - nowUs);
  const name = `${limit.policy.name}.${limit.id}`;
  const remaining = Math.max(0, ceiling - outcome.after);
  return { code, limit: { name, requests: amount, unit: unitOf(binding) }, remaining, resetUs };
}

/** Envoy has a word for these lengths only. */
function unitOf({ limit }: Finding): number {
  const seconds = { 1: UNIT.second, 60: UNIT.minute, 3600: UNIT.hour, 86400: UNIT.day };
  const calendars = { day: UNIT.day, month: UNIT.month, year: UNIT.year };
  const calendar = limit.spec.window?.calendar;
  if (calendar !== undefined) return calendars[calendar as keyof typeof calendars] ?? UNIT.unknown;
  return seconds[((limit.length * limit.tickUs) / 1e6) as keyof typeof seconds] ?? UNIT.unknown;
}

/**
 * Answers ext_authz, Authorization/Check. Who calls is said by the route's context extensions `tenant`, `organisation`, `consumer`, `endpoint`; each may also be
 * `header:NAME`, which is read from the request.
 */
export async function checkAuthorization(house: House, bytes: Uint8Array): Promise<Uint8Array> {
  const { method, path, headers, extensions } = readCheckRequest(bytes);
  const said = (name: string) => {
    const value = extensions[name] ?? '';
    return value.startsWith('header:') ? (headers[value.slice('header:'.length).toLowerCase()] ?? '') : value;
  };
  const names = {
    organisation: said('organisation'),
    tenant: said('tenant') || '(unknown)',
    consumer: said('consumer'),
    endpoint: said('endpoint') || `${method || 'GET'} ${templatePath(path)}`,
  };
  const subject = checked(names);
  const decision = await house.limiter.decide({ subject, units: 1, money: null, least: 0, isPeek: false, hold: null });
  const { status, headers: told, body } = answerDecision(decision, house.limitHeaders);
  const kept = Object.fromEntries(
    Object.entries(told).filter(([name]) => /^(x-)?ratelimit|^retry-after|^sforce/.test(name)),
  );
  if (decision.isAllowed) return writeCheckResponse(null, kept);
  const rpc = status === 429 ? RPC.resourceExhausted : RPC.permissionDenied;
  return writeCheckResponse({ rpc, http: status, body }, { ...kept, 'content-type': 'application/problem+json' });
}
