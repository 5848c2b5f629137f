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
  addHeader(name: string, value: string): void;
}

interface Answered {
  readonly request: object;
  readonly response: { readonly statusCode: number };
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
}

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
    this.#listeners = [
      ['undici:request:create', (message) => this.#created((message as { request: UndiciRequest }).request)],
      ['undici:request:headers', (message) => this.#answered(message as Answered)],
      ['undici:request:trailers', (message) => this.#end((message as { request: object }).request, false)],
      ['undici:request:error', (message) => this.#end((message as { request: object }).request, true)],
      ['http.client.request.start', (message) => this.#started((message as { request: ClientRequest }).request)],
    ];
    for (const [name, listen] of this.#listeners) subscribe(name, listen);
  }

  close(): void {
    for (const [name, listen] of this.#listeners) unsubscribe(name, listen);
  }

  #created(request: UndiciRequest): void {
    const url = new URL(request.origin);
    const underway = this.#begin(request, request.method, url.host, request.path);
    const { traceId, spanId } = underway;
    if (this.#config.tellsTrace(url.host)) request.addHeader('traceparent', `00-${traceId}-${spanId}-01`);
  }

  #answered({ request, response }: Answered): void {
    const underway = this.#underway.get(request);
    if (underway !== undefined) underway.status = response.statusCode;
  }

  #started(request: ClientRequest): void {
    if (isOwnRequest(request)) return;
    this.#begin(request, request.method, String(request.getHeader('host') ?? request.host), request.path);
    request.once('response', ({ statusCode }: IncomingMessage) =>
      this.#answered({ request, response: { statusCode: statusCode ?? 0 } }),
    );
    request.once('error', () => this.#end(request, true));
    request.once('close', () => this.#end(request, false));
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
      call.failed.add(operation);
    }
    report({ ...underway, isError, startMs: clock.timeOfDay(startMs), endMs: clock.timeOfDay(clock.now()) });
  }
}
