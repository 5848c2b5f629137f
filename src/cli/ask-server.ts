import { Agent, type IncomingMessage, request as sendRequest } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { Failure, fail } from '../model/index.ts';
import type { Api } from '../serve/index.ts';

/** Sooner than the server closes an idle connection, so that no request is sent into one that is closing. */
const KEEP_IDLE_MS = 30_000;

/**
 * Sends requests to a running server and waits for the answer for as long as the connection stands: sharing out a year
 * may take an hour, and `fetch` gives up after five minutes.
 *
 * Fails  SERVER_UNREACHABLE when nobody listens, or the connection breaks before the whole answer is there.
 */
export function serverApi(): { readonly api: Api; readonly close: () => void } {
  // Only idle connections are closed by this time; a request that waits is left alone.
  const agent = new Agent({ keepAlive: true, timeout: KEEP_IDLE_MS });
  return { api: (request, sent) => ask(request, sent?.body, agent), close: () => agent.destroy() };
}

async function ask(request: Request, body: Uint8Array | undefined, agent: Agent): Promise<Response> {
  try {
    const answer = await exchange(request, body, agent);
    if (isExport(answer))
      return new Response(Readable.toWeb(answer) as ReadableStream, { headers: exportHeaders(answer) });
    const text = await buffer(answer);
    const { 'content-type': type = '', 'retry-after': retryAfter } = answer.headers;
    const headers = { 'content-type': type, ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }) };
    return new Response(text.length === 0 ? null : new Uint8Array(text), {
      status: answer.statusCode ?? 500,
      headers,
    });
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const { code = '' } = cause as NodeJS.ErrnoException;
    throw fail('SERVER_UNREACHABLE', { url: new URL(request.url).origin, reason: reasonOf(code) }, [], cause);
  }
}

/** Exports may be larger than memory; everything else is an answer of JSON. */
function isExport(answer: IncomingMessage): boolean {
  return answer.statusCode === 200 && /^(application\/x-ndjson|text\/)/.test(answer.headers['content-type'] ?? '');
}

function exportHeaders(answer: IncomingMessage): Record<string, string> {
  return { 'content-type': answer.headers['content-type'] ?? '' };
}

/** An answer may come before the body was sent whole: a body that is too large is refused at once. */
function exchange(request: Request, body: Uint8Array | undefined, agent: Agent): Promise<IncomingMessage> {
  return new Promise((answered, failed) => {
    const { method } = request;
    const sent = sendRequest(request.url, { method, agent, headers: Object.fromEntries(request.headers) });
    sent.once('response', answered);
    sent.once('error', failed);
    if (body !== undefined) sent.end(body);
    else if (request.body === null) sent.end();
    else pipeline(Readable.fromWeb(request.body as NodeReadableStream), sent).catch(failed);
  });
}

function reasonOf(code: string): string {
  if (code === 'ECONNREFUSED') return 'nobody listens there';
  return `the connection broke before the answer${code === '' ? '' : ` (${code})`}, and the work may go on`;
}
