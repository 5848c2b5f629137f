import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from '../http/post.ts';

/** Whether a call may pass, and what its caller is told. */
export interface Verdict {
  readonly isAllowed: boolean;
  readonly status: number;
  /** Of the limits, for answers that pass, too. */
  readonly headers: Readonly<Record<string, string>>;
  /** Problem details; empty where the call may pass. */
  readonly body: string;
}

/** Headers that tell a caller about limits. No other header of Taximeter's answer goes to callers. */
const PASSED_ON = [
  'retry-after',
  'ratelimit',
  'ratelimit-policy',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'sforce-limit-info',
];
const VALUE = /^[\x20-\x7e]{0,2048}$/;
/** These of the 4xx are about the way to Taximeter, its token or its load, and would meet every other ask as well. */
const NOT_OF_THE_ASK = new Set([401, 403, 404, 405, 407, 408, 425, 429]);
const DRAFT_PROBLEMS = 'https://iana.org/assignments/http-problem-types';
export const PROBLEM_TYPE = 'application/problem+json';

export const passed: Verdict = { isAllowed: true, status: 200, headers: {}, body: '' };

/**
 * Reads Taximeter's answer.
 *
 * Gives  null when it is no decision, but says that there can be none now. What Taximeter cannot be asked at all is refused: it is wrong by itself, and says
 *        nothing of others.
 * Holds  only what Taximeter says itself lets a call pass: a sign-in page, or a proxy that answers for it, says 200 as well.
 */
export function verdictOf({ status, headers, body }: Answer): Verdict | null {
  const problem = objectOf(body);
  if (status === 200) return problem.allowed === true ? { ...passed, headers: passedOn(headers) } : null;
  const isDecision = typeof problem.decision === 'object';
  if (!isDecision && isOfTheAsk(status)) return unaskable();
  if (!isDecision || (status !== 429 && status !== 403 && status !== 503)) return null;
  return { isAllowed: false, status, headers: passedOn(headers), body: problemBody(problem, status) };
}

/** What a caller is told while Taximeter does not answer and nothing may pass without it. */
export function unavailable(): Verdict {
  return refusal(503, `${DRAFT_PROBLEMS}#temporary-reduced-capacity`, 'limits cannot be checked at the moment', {
    'retry-after': '1',
  });
}

/** What a caller is told whose name cannot be one. */
export function unnameable(part: string): Verdict {
  return refusal(400, 'about:blank', `the ${part} is longer than 512 characters, or holds control characters`, {});
}

/** What a caller is told for whom something was asked that Taximeter does not take, such as a cost that is no whole number. */
function unaskable(): Verdict {
  return refusal(400, 'about:blank', 'limits cannot be checked for what this call asks', {});
}

function isOfTheAsk(status: number): boolean {
  return status >= 400 && status < 500 && !NOT_OF_THE_ASK.has(status);
}

function refusal(status: number, type: string, title: string, headers: Readonly<Record<string, string>>): Verdict {
  return { isAllowed: false, status, headers, body: JSON.stringify({ type, title, status }) };
}

/** The limits and figures of an organisation are not for everybody who calls: its names of what is violated are. */
function problemBody(
  { type, title, detail, 'violated-policies': violated }: Record<string, unknown>,
  status: number,
): string {
  return JSON.stringify({ type, title, status, detail, 'violated-policies': violated });
}

function passedOn(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = headers[name];
    // What cannot be a header would end the answer, or the program.
    if (typeof value === 'string' && VALUE.test(value)) kept[name] = value;
  }
  return kept;
}

function objectOf(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
