import type { ProblemDetails } from './contract.ts';
import { ApiProblem, notJson, unreachable } from './problem.ts';

export type Params = Readonly<Record<string, string | undefined>>;

export function apiPath(resource: string, params: Params = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined) search.set(name, value);
  const text = search.toString();
  return `/api/v1/${resource}${text === '' ? '' : `?${text}`}`;
}

/**
 * Asks the API once.
 *
 * Gives  the parsed answer; its shape is the contract's promise and is not checked again here.
 * Fails  ApiProblem, with the server's problem details where it sent any.
 */
export async function getAnswer<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await answerTo(path, { signal, headers: { accept: 'application/json' } })) as T;
}

/** Sends something to the API. Fails  as getAnswer. */
export async function sendRequest(method: 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  return answerTo(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

async function answerTo(path: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(path, init).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  });
  const body = await parsedBody(response);
  if (!response.ok) throw isProblem(body) ? new ApiProblem(body) : notJson(response.status);
  return body;
}

async function parsedBody(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw notJson(response.status);
  }
}

function isProblem(body: unknown): body is ProblemDetails {
  return typeof body === 'object' && body !== null && 'code' in body && 'title' in body && 'detail' in body;
}
