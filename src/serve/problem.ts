import { HTTPException } from 'hono/http-exception';
import { Failure, type Problem } from '../model/index.ts';
import type { Answer } from './answer.ts';
import type { Log } from './house.ts';

export function problemResponse(cause: unknown, log: Log): Response {
  const { status, headers, body } = problemAnswer(cause, log);
  return new Response(body, { status, headers });
}

/** RFC 9457 problem details of whatever was thrown; a bug tells its caller nothing but that it is one. */
export function problemAnswer(cause: unknown, log: Log): Answer {
  const failure = asFailure(cause, log);
  const { status } = failure;
  const body = {
    type: `https://taximeter.dev/problems/${failure.code.toLowerCase().replaceAll('_', '-')}`,
    title: failure.message.split(';')[0],
    status,
    detail: failure.message,
    code: failure.code,
    whatToDo: failure.todo,
    ...(failure.problems.length > 0 ? { errors: failure.problems as Problem[] } : {}),
  };
  const headers: Record<string, string> = {
    ...{ 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    'x-content-type-options': 'nosniff',
  };
  if (status === 503 || status === 429) headers['retry-after'] = '5';
  return { status, headers, body: JSON.stringify(body) };
}

export function asFailure(cause: unknown, log: Log): Failure {
  if (cause instanceof Failure) {
    if (cause.status >= 500) tell(cause, log);
    return cause;
  }
  // The framework's own refusal of a body that is not what its type says.
  if (cause instanceof HTTPException && cause.status < 500) return new Failure('BODY_MALFORMED', {}, [], cause);
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new Failure('DISK_FULL', {}, [], cause);
  log.error('a fault in Taximeter', { cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) });
  return new Failure('INTERNAL', {}, [], cause);
}

const TOLD_EVERY_MS = 10_000;
/** Of each log and code: when it may be told again, and how often it was not. */
const told = new WeakMap<Log, Map<string, { againMs: number; untold: number }>>();

/** A full journal refuses every sender, thousands of times a minute: once in a while, with how often, says as much. */
function tell(failure: Failure, log: Log): void {
  const codes = told.get(log) ?? new Map<string, { againMs: number; untold: number }>();
  told.set(log, codes);
  const now = performance.now();
  const known = codes.get(failure.code);
  if (known !== undefined && now < known.againMs) {
    known.untold += 1;
    return;
  }
  codes.set(failure.code, { againMs: now + TOLD_EVERY_MS, untold: 0 });
  const { code, message, cause } = failure;
  const more = known === undefined || known.untold === 0 ? {} : { untold: known.untold };
  log.error(message, { code, cause: String(cause ?? ''), ...more });
}
