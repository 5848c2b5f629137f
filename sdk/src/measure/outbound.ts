import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Call } from '../call.ts';
import { isOwnRequest } from '../http/post.ts';
import type { Ids } from '../spans/ids.ts';
import type { EndedOutbound } from '../spans/span-writer.ts';
import type { CallTracking } from './call-tracking.ts';
import type { Clock } from './clock.ts';

/** A request of undici, as far as its channels promise it. Node's fetch is undici. */
interface UndiciRequest {
  readonly origin: string | URL;
  readonly method: string;
  readonly path: string;
  /** Names and values in turns; a text with all of them in older versions. */
  readonly headers?: unknown;
  addHeader(name: string, value: string): void;
}

interface Answered {
  readonly request: object;
  readonly response: { readonly statusCode: number };
}

interface AnsweredHttp {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

interface Underway {
  readonly call: Call | null;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly method: string;
  readonly host: string;
  readonly operation: string;
  readonly startMs: number;
  status: number | null;
}

export interface OutboundConfig {
  readonly tracking: CallTracking;
  readonly ids: Ids;
  readonly clock: Clock;
  /** Of a host: whether it may learn the ids of traces. */
  readonly tellsTrace: (host: string) => boolean;
  readonly report: (ended: EndedOutbound) => void;
  readonly onProblem: (message: string) => void;
}

/** Of one call; what repeats a call that goes on for ever is not told apart for ever. */
const MOST_FAILED = 1_000;

/**
 * Sees requests to others, of fetch and undici and of node:http, and reports each when it has ended.
 *
 * From  diagnostics_channel: nobody's functions are replaced.
 */
export class Outbound {
  readonly #config: OutboundConfig;
  readonly #underway = new WeakMap<object, Underway>();
  readonly #listeners: readonly (readonly [name: string, listen: (message: unknown) => void])[];

  constructor(config: OutboundConfig) {
    this.#config = config;
    const all: readonly (readonly [string, (message: never) => void])[] = [
      ['undici:request:create', ({ request }: { request: UndiciRequest }) => this.#created(request)],
      ['undici:request:headers', (message: Answered) => this.#answered(message)],
      ['undici:request:trailers', ({ request }: { request: object }) => this.#end(request, false)],
      ['undici:request:error', ({ request }: { request: object }) => this.#end(request, true)],
      ['http.client.response.finish', (message: AnsweredHttp) => this.#answeredHttp(message)],
      ['http.client.request.start', ({ request }: { request: ClientRequest }) => this.#started(request)],
    ];
    this.#listeners = all.map(([name, listen]) => [name, this.#guarded(listen)] as const);
    for (const [name, listen] of this.#listeners) subscribe(name, listen);
  }

  /** What a listener of a channel throws would end the program. */
  #guarded(listen: (message: never) => void): (message: unknown) => void {
    return (message) => {
      try {
        listen(message as never);
      } catch (cause) {
        this.#config.onProblem(`a request to others cannot be told: ${(cause as Error | null)?.message}`);
      }
    };
  }

  close(): void {
    for (const [name, listen] of this.#listeners) unsubscribe(name, listen);
  }

  #created(request: UndiciRequest): void {
    const url = new URL(request.origin);
    const underway = this.#begin(request, request.method, url.host, request.path);
    const { traceId, spanId } = underway;
    if (this.#config.tellsTrace(url.host) && !namesTrace(request))
      request.addHeader('traceparent', `00-${traceId}-${spanId}-01`);
  }

  #answered({ request, response }: Answered): void {
    const underway = this.#underway.get(request);
    if (underway !== undefined) underway.status = response.statusCode;
  }

  #answeredHttp({ request, response }: AnsweredHttp): void {
    this.#answered({ request, response: { statusCode: response.statusCode ?? 0 } });
  }

  #started(request: ClientRequest): void {
    if (isOwnRequest(request)) return;
    this.#begin(request, request.method, String(request.getHeader('host') ?? request.host), request.path);
    // Other listeners would change what Node does with answers and errors that nobody waits for.
    const end = this.#guarded(() => this.#end(request, false));
    request.once('close', () => end(null));
  }

  #begin(request: object, method: string, host: string, path: string): Underway {
    const { tracking, ids, clock } = this.#config;
    tracking.sawOutbound();
    const call = tracking.current;
    const at = ids.take();
    const { pool } = ids;
    const operation = `${method} ${host}${path.split('?', 1)[0]}`;
    if (call?.failed?.has(operation)) call.retries += 1;
    const underway = {
      call,
      traceId: call?.traceId ?? pool.toString('hex', at, at + 16),
      spanId: pool.toString('hex', at + 8, at + 16),
      parentId: call?.spanId ?? '',
      method,
      host: host.replace(/:\d+$/, ''),
      operation,
      startMs: clock.now(),
      status: null,
    };
    this.#underway.set(request, underway);
    return underway;
  }

  #end(request: object, hasFailed: boolean): void {
    const underway = this.#underway.get(request);
    if (underway === undefined) return;
    this.#underway.delete(request);
    const { clock, report } = this.#config;
    const { call, status, operation, startMs } = underway;
    const isError = hasFailed || status === null || status >= 400;
    if (isError && call !== null) {
      call.failed ??= new Set();
      if (call.failed.size < MOST_FAILED) call.failed.add(operation);
    }
    report({ ...underway, isError, startMs: clock.timeOfDay(startMs), endMs: clock.timeOfDay(clock.now()) });
  }
}

/** Two of them are none: the program passes on one of its own. */
function namesTrace({ headers }: UndiciRequest): boolean {
  if (Array.isArray(headers))
    return headers.some((each, place) => place % 2 === 0 && /^traceparent$/i.test(String(each)));
  return typeof headers === 'string' && /^traceparent:/im.test(headers);
}
