import type { ProblemDetails } from './contract.ts';

/** What went wrong with a request, in the words of the server where it had any. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly details: ProblemDetails;

  constructor(details: ProblemDetails) {
    super(details.detail);
    this.details = details;
  }
}

export function problemFromUnknown(error: unknown): ProblemDetails {
  if (error instanceof ApiProblem) return error.details;
  const detail = error instanceof Error ? error.message : String(error);
  return { type: 'about:blank', title: 'The page failed', status: 0, detail, code: 'PAGE_FAILED' };
}

export function unreachable(): ApiProblem {
  return new ApiProblem({
    type: 'about:blank',
    title: 'The server cannot be reached',
    status: 0,
    detail: 'No answer came back. The server may have stopped, or the network in between is down.',
    code: 'SERVER_UNREACHABLE',
  });
}

/** A proxy's error page or a wrong address answers with something else than JSON; its text is not worth showing. */
export function notJson(status: number): ApiProblem {
  return new ApiProblem({
    type: 'about:blank',
    title: 'The answer is not from Taximeter',
    status,
    detail: `Something answered with status ${status}, but not in the API's format. A proxy in between may be in the way.`,
    code: 'ANSWER_NOT_JSON',
  });
}

/** Says what the reader can do next; the server's own detail says what happened. */
export function adviceFor(problem: ProblemDetails): string {
  if (problem.status === 401) return 'Sign in again, then retry.';
  if (problem.status === 403) return 'Ask an administrator for a role that may read these figures.';
  if (problem.status === 404) return 'Check the period and the address, then retry.';
  if (problem.status === 429) return 'Wait a moment, then retry.';
  if (problem.status >= 400 && problem.status < 500) return 'Change the period or the filter, then retry.';
  if (problem.code === 'SERVER_UNREACHABLE') return 'Check that "taximeter serve" is running, then retry.';
  return 'Retry; if it stays, run "taximeter doctor" and look at the server log.';
}

/** A second try helps only where the first may have met a restart or a full queue. */
export function isWorthRetrying(error: unknown): boolean {
  const { status } = problemFromUnknown(error);
  return status === 0 || status === 502 || status === 503 || status === 504;
}
