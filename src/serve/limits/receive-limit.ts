import type { IncomingMessage, ServerResponse } from 'node:http';
import type { House } from '../house.ts';
import { problemResponse } from '../problem.ts';
import type { LimitAnswer } from './limit-answer.ts';
import { answerAuthz, answerLimit, type LIMIT_PATHS } from './limit-requests.ts';

/** Answers what the lane left to the HTTP server. Limits are asked at every call of somebody's API, so these requests pass by the framework. */
export async function receiveLimit(
  house: House,
  verb: (typeof LIMIT_PATHS)[number],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  await answer(house, response, async () => {
    const announced = Number(request.headers['content-length'] ?? 0);
    const { bytes, giveBack } = await house.bodies.receive(request, announced);
    try {
      return await answerLimit(house, verb, bytes);
    } finally {
      giveBack();
    }
  });
  if (!request.complete) request.resume();
}

export async function receiveAuthz(house: House, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = '' } = request;
  const query = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
  await answer(house, response, async () => answerAuthz(house, request.headers, query));
  if (!request.complete) request.resume();
}

async function answer(house: House, response: ServerResponse, decide: () => Promise<LimitAnswer>): Promise<void> {
  try {
    const { status, headers, body } = await decide();
    if (response.destroyed) return;
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  } catch (cause) {
    const problem = problemResponse(cause, house.log);
    if (response.destroyed) return;
    const text = await problem.text();
    const headers = { ...Object.fromEntries(problem.headers), 'content-length': Buffer.byteLength(text) };
    response.writeHead(problem.status, headers);
    response.end(text);
  }
}
