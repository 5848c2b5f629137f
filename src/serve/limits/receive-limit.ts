import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, sendAnswer } from '../answer.ts';
import type { House } from '../house.ts';
import { problemAnswer } from '../problem.ts';
import { answerAuthz, answerLimit, type LimitVerb } from './limit-requests.ts';

/** Answers what the lane left to the HTTP server. Limits are asked at every call of somebody's API, so these requests pass by the framework. */
export async function receiveLimit(
  house: House,
  verb: LimitVerb,
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

async function answer(house: House, response: ServerResponse, decide: () => Promise<Answer>): Promise<void> {
  try {
    sendAnswer(await decide(), response);
  } catch (cause) {
    sendAnswer(problemAnswer(cause, house.log), response);
  }
}
