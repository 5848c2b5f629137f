import type { IncomingHttpHeaders } from 'node:http';
import { templatePath } from '../../collect/index.ts';
import { checkSettled, type Decision, isName, LARGEST_UNITS, subjectOf } from '../../limit/index.ts';
import { fail } from '../../model/index.ts';
import type { Answer } from '../answer.ts';
import type { House } from '../house.ts';
import { decisionText } from './decision-text.ts';
import { answerDecision, json } from './limit-answer.ts';
import { asksOf, moneyOf, parsed, settleBody } from './limit-asks.ts';

export const LIMIT_PATHS = ['check', 'reserve', 'commit', 'release'] as const;
export const AUTHZ_PATH = '/authz';

export type LimitVerb = (typeof LIMIT_PATHS)[number];

const verbs = new Map(LIMIT_PATHS.map((verb) => [`/api/v1/limits/${verb}`, verb]));

/** Whether a path is one of the four verbs. */
export function limitVerb(path: string): LimitVerb | null {
  return verbs.get(path) ?? null;
}

/** Answers one of the four verbs. Fails  as its body, or its reservation, is wrong. */
export function answerLimit(house: House, verb: LimitVerb, body: Buffer): Answer | Promise<Answer> {
  const { limiter } = house;
  if (verb === 'commit' || verb === 'release') return settle(house, verb, body);
  const { asks, isList } = asksOf(body, verb === 'reserve');
  if (isList) return limiter.decideAll(asks).then(answerDecisions);
  return whenDecided(limiter.decide(asks[0]!), (decision) => answerDecision(decision, house.limitHeaders));
}

function whenDecided(
  decision: Decision | Promise<Decision>,
  answer: (decision: Decision) => Answer,
): Answer | Promise<Answer> {
  return decision instanceof Promise ? decision.then(answer) : answer(decision);
}

function answerDecisions(decisions: readonly Decision[]): Answer {
  return answered(`{"decisions":[${decisions.map(decisionText).join(',')}]}`);
}

async function settle({ limiter }: House, action: 'commit' | 'release', bytes: Buffer): Promise<Answer> {
  const { reservation, cost, money } = parsed(bytes, settleBody);
  if (action === 'release' && (cost !== undefined || money !== undefined))
    throw fail('PARAMETER_INVALID', { reason: 'release gives everything back; cost and money belong to commit' });
  const settled = await limiter.settle(reservation, action, cost ?? null, moneyOf(money));
  const isRepeat = checkSettled(settled) === 'already';
  return answered(JSON.stringify({ reservation, settled: action, repeated: isRepeat }));
}

function answered(body: string): Answer {
  return { status: 200, headers: json, body };
}

/**
 * Answers a gateway that asks before it lets a request pass: nginx auth_request, Traefik ForwardAuth, Caddy forward_auth, APISIX forward-auth.
 *
 * Takes  headers: X-Taximeter-Tenant, -Organisation, -Consumer, -Endpoint, -Cost, that the gateway sets; X-Forwarded-Method and -Uri,
 *        or X-Original-Method and -Uri, where no endpoint is given. query: `deny=403` for nginx, which knows no other refusal.
 * Gives  200, or the refusal's status, with the headers of the limit and without a body.
 */
export function answerAuthz(house: House, headers: IncomingHttpHeaders, query: string): Answer | Promise<Answer> {
  return whenDecided(decideAuthz(house, headers), (decision) => {
    const answer = answerDecision(decision, house.limitHeaders);
    const deny = new URLSearchParams(query).get('deny');
    const status = answer.status !== 200 && deny === '403' ? 403 : answer.status;
    const told: Record<string, string> = decision.isAllowed ? {} : { 'x-taximeter-reason': decision.reason };
    return { ...answer, status, headers: { ...answer.headers, ...told }, body: decision.isAllowed ? '' : answer.body };
  });
}

function decideAuthz(house: House, headers: IncomingHttpHeaders): Decision | Promise<Decision> {
  const text = (name: string): string => {
    const value = headers[name];
    return utf8(typeof value === 'string' ? value : '');
  };
  const method = text('x-forwarded-method') || text('x-original-method');
  const uri = text('x-forwarded-uri') || text('x-original-uri');
  const endpoint = text('x-taximeter-endpoint') || (uri === '' ? '' : `${method || 'GET'} ${templatePath(uri)}`);
  const names = {
    organisation: text('x-taximeter-organisation'),
    tenant: text('x-taximeter-tenant') || '(unknown)',
    consumer: text('x-taximeter-consumer'),
    endpoint,
  };
  const wrong = Object.entries(names).filter(([, name]) => !isName(name));
  const cost = text('x-taximeter-cost') || '1';
  const units = /^\d{1,16}$/.test(cost) ? Number(cost) : -1;
  const problems = [
    ...(text('x-taximeter-endpoint') === '' ? saidTwice(text) : []),
    ...wrong.map(([part]) => ({ message: `${part}: must be at most 512 characters without control characters` })),
    ...(units < 0 || units > LARGEST_UNITS ? [{ message: 'x-taximeter-cost: must be a whole number' }] : []),
  ];
  if (problems.length > 0) throw fail('PARAMETER_INVALID', {}, problems);
  const subject = subjectOf(names);
  return house.limiter.decide({ subject, units, money: null, least: 0, isPeek: false, hold: null });
}

/** A gateway says what was called in one way. Said in two that differ, one of them is the client's own word. */
function saidTwice(text: (name: string) => string): { message: string }[] {
  return ['method', 'uri'].flatMap((part) => {
    const [forwarded, original] = [text(`x-forwarded-${part}`), text(`x-original-${part}`)];
    if (forwarded === '' || original === '' || forwarded === original) return [];
    return [
      { message: `x-forwarded-${part}, x-original-${part}: differ; let the gateway take away the one it does not set` },
    ];
  });
}

/** Node reads headers as Latin-1. */
function utf8(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'latin1').toString('utf8');
}
