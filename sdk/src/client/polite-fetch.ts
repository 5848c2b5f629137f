import { BrokenCircuitError, ConsecutiveBreaker, circuitBreaker, handleWhenResult } from 'cockatiel';
import { type BackoffConfig, backoffMs } from '../http/backoff.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import { timerMs } from '../http/timers.ts';
import { attoFromDecimal } from './decimal.ts';
import { PoliteRefusal } from './polite-refusal.ts';
import { remainingOf } from './rate-limit-fields.ts';
import { RetryBudget, type RetryBudgetConfig } from './retry-budget.ts';
import { RollingSum } from './rolling-sum.ts';
import { VendorQuota } from './vendor-quota.ts';

type Fetch = typeof fetch;

export interface PoliteOptions {
  /** What sends; the global fetch. */
  readonly fetch?: Fetch;
  /** How often a request is tried, the first time included; 4. */
  readonly attempts?: number;
  /** Between attempts; 250 ms doubled each time, at most 20 s. */
  readonly backoff?: BackoffConfig;
  /** Longer than this nothing is waited for: the answer, or the refusal, comes back instead; 30000. */
  readonly longestWaitMs?: number;
  /** How many retries there may be for each success; a tenth, and 10 at first. */
  readonly retryBudget?: RetryBudgetConfig;
  /** After so many failures in a row a host is left alone for a while; 5, and 10000 ms. */
  readonly circuit?: { readonly failures: number; readonly openMs: number };
  /** How many of the vendor's quota are left for others; 0. */
  readonly keep?: number;
  /** What the vendor's contract allows, where its answers do not say it. */
  readonly quota?: { readonly requests: number; readonly windowMs: number };
  /** What may be spent, and what a request costs, in decimal text of one currency. */
  readonly spend?: SpendOptions;
  readonly nowMs?: () => number;
  readonly random?: () => number;
  readonly pause?: (ms: number, signal: AbortSignal | null) => Promise<void>;
}

export interface SpendOptions {
  readonly cap: string;
  readonly windowMs: number;
  /** What a request may cost at most; it is taken before it is sent, for each attempt. */
  readonly price: (request: Request) => string;
  /** What it did cost, as its answer shows. Left out: its price. */
  readonly actual?: (response: Response) => string;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504]);
/** What says that the host is in trouble; 429 says that we are. */
const isFailing = ({ status }: { readonly status: number }) => status >= 500;

/** What is known of a host. */
interface Host {
  readonly quota: VendorQuota;
  readonly circuit: ReturnType<typeof circuitOf>;
}

type Named = Host & { readonly name: string };
/** Thrown through the circuit, which takes it for no failure of the host. */
const HAS_SHUT = new Error('the quota has shut');

/**
 * Makes a fetch that keeps to the limits of others, and to its own.
 *
 * Gives  answers as fetch does. A request that must not be sent now is waited for, or refused with a PoliteRefusal.
 * Holds  a request is repeated only when that is safe (RFC 9110, 9.2.2: an idempotent method, or an Idempotency-Key) and its body can be sent again; never before
 *        Retry-After; never more often than the budget of retries allows. What is spent in a window never exceeds the cap by prices.
 */
export function politeFetch(options: PoliteOptions = {}): Fetch {
  const client = new PoliteClient(options);
  return (input, init) => client.fetch(input, init);
}

class PoliteClient {
  readonly #options: PoliteOptions;
  readonly #fetch: Fetch;
  readonly #hosts = new Map<string, Host>();
  readonly #budget: RetryBudget;
  readonly #own: RollingSum | null;
  readonly #spent: RollingSum | null;
  readonly #nowMs: () => number;
  readonly #random: () => number;
  readonly #pause: (ms: number, signal: AbortSignal | null) => Promise<void>;

  constructor(options: PoliteOptions) {
    const { quota, spend } = options;
    this.#options = options;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#budget = new RetryBudget(options.retryBudget ?? { perSuccess: 0.1, most: 10 });
    this.#own = quota === undefined ? null : new RollingSum(BigInt(quota.requests), quota.windowMs);
    this.#spent = spend === undefined ? null : new RollingSum(attoFromDecimal(spend.cap), spend.windowMs);
    this.#nowMs = options.nowMs ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#pause = options.pause ?? pause;
  }

  async fetch(input: Parameters<Fetch>[0], init: Parameters<Fetch>[1]): Promise<Response> {
    const request = new Request(input, init);
    const host = this.#hostOf(new URL(request.url).host);
    const most = isRepeatable(request, input, init) ? (this.#options.attempts ?? 4) : 1;
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#attempt(host, attempt + 1 < most ? request.clone() : request);
      const waitMs = attempt + 1 < most ? this.#waitMs(outcome, attempt) : null;
      if (waitMs === null) return given(outcome);
      if ('response' in outcome) await outcome.response.body?.cancel();
      await this.#pause(waitMs, request.signal);
    }
  }

  /** How long to wait before the next attempt; null where there must be none. */
  #waitMs(outcome: Outcome, attempt: number): number | null {
    if ('response' in outcome && !RETRIED.has(outcome.response.status)) return null;
    if ('error' in outcome && !isRetriedError(outcome.error)) return null;
    const asked = 'response' in outcome ? outcome.retryAfterMs : 0;
    const { backoff = { baseMs: 250, mostMs: 20_000 }, longestWaitMs = 30_000 } = this.#options;
    const waitMs = backoffMs(backoff, attempt, this.#random(), asked);
    return waitMs > longestWaitMs || !this.#budget.take() ? null : waitMs;
  }

  async #attempt(host: Named, request: Request): Promise<Outcome> {
    for (;;) {
      const waitMs = this.#waitForTurnMs(host);
      if (waitMs > 0) {
        await this.#pause(waitMs, request.signal);
        continue;
      }
      const outcome = await this.#send(host, request);
      if (outcome !== null) return outcome;
    }
  }

  /** Sends within the turn of the event loop in which it is called, unless the circuit waits. Gives  null where the quota has shut meanwhile. */
  async #send(host: Named, request: Request): Promise<Outcome | null> {
    const taken = this.#take(host.name, request);
    let sent = 0;
    try {
      const response = await host.circuit.execute(() => {
        // While a circuit tries out whether a host is back, others wait in it, and go on all at once.
        if (host.quota.opensAtMs(this.#nowMs()) > this.#nowMs()) throw HAS_SHUT;
        sent = host.quota.send();
        return this.#fetch(request);
      });
      return this.#heard(host, sent, response, taken);
    } catch (error) {
      if (sent === 0) this.#giveBack(taken);
      else host.quota.hear(sent, null, 0, this.#nowMs());
      if (error === HAS_SHUT) return null;
      if (error instanceof BrokenCircuitError) throw new PoliteRefusal('circuit_open', host.name, null);
      return { error: error as Error };
    }
  }

  #heard({ quota }: Host, sent: number, response: Response, { price, atMs }: Taken): Outcome {
    const nowMs = this.#nowMs();
    const { headers, status } = response;
    const asked = retryAfterMs(headers.get('retry-after'), nowMs) ?? 0;
    const remaining = remainingOf((name) => headers.get(name), nowMs);
    quota.hear(sent, remaining, status >= 400 ? nowMs + asked : 0, nowMs);
    if (status < 400) this.#budget.succeeded();
    const { actual } = this.#options.spend ?? {};
    if (actual !== undefined) this.#spent?.correct(attoFromDecimal(actual(response)) - price, atMs, nowMs);
    return { response, retryAfterMs: asked };
  }

  /**
   * How long to wait until the vendor's quota opens, where that is soon; 0: it is open.
   *
   * Holds  nothing is waited for between this answer and the request: of many that start at once each must see what the others took.
   */
  #waitForTurnMs({ quota, name }: Named): number {
    const { longestWaitMs = 30_000, backoff = { baseMs: 250, mostMs: 20_000 } } = this.#options;
    const nowMs = this.#nowMs();
    const opensAtMs = quota.opensAtMs(nowMs);
    if (opensAtMs <= nowMs) return 0;
    if (opensAtMs - nowMs > longestWaitMs) throw new PoliteRefusal('vendor_quota', name, opensAtMs);
    // All who wait for the same moment come one after the other.
    return backoffMs(backoff, 0, this.#random(), opensAtMs - nowMs);
  }

  /** Takes a request out of the own quota, and what it may cost out of the cap: both or nothing. */
  #take(host: string, request: Request): Taken {
    const atMs = this.#nowMs();
    const price = this.#options.spend === undefined ? 0n : attoFromDecimal(this.#options.spend.price(request));
    if (this.#spent?.take(price, atMs) === false)
      throw new PoliteRefusal('spend_cap', host, atMs + this.#spent.freesInMs(atMs));
    if (this.#own?.take(1n, atMs) !== false) return { price, atMs };
    this.#spent?.correct(-price, atMs, atMs);
    throw new PoliteRefusal('own_quota', host, atMs + this.#own.freesInMs(atMs));
  }

  /** Of a request that was not sent after all. */
  #giveBack({ price, atMs }: Taken): void {
    this.#spent?.correct(-price, atMs, this.#nowMs());
    this.#own?.correct(-1n, atMs, this.#nowMs());
  }

  #hostOf(name: string): Named {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = { quota: new VendorQuota(this.#options.keep ?? 0), circuit: circuitOf(this.#options.circuit) };
      this.#hosts.set(name, host);
    }
    return { ...host, name };
  }
}

/** What was taken for a request before it was sent, and when. */
interface Taken {
  readonly price: bigint;
  readonly atMs: number;
}

type Outcome = { readonly response: Response; readonly retryAfterMs: number } | { readonly error: Error };

function given(outcome: Outcome): Response {
  if ('error' in outcome) throw outcome.error;
  return outcome.response;
}

function circuitOf({ failures, openMs }: NonNullable<PoliteOptions['circuit']> = { failures: 5, openMs: 10_000 }) {
  const failing = handleWhenResult((result) => isFailing(result as Response)).orWhen((error) => isRetriedError(error));
  return circuitBreaker(failing, { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failures) });
}

/** Whoever breaks off wants no other attempt; a request that is wrong stays wrong. fetch tells of broken connections by a TypeError with a cause. */
function isRetriedError(error: Error): boolean {
  return error.name !== 'AbortError' && error.name !== 'TimeoutError' && error.cause !== undefined;
}

function isRepeatable(request: Request, input: Parameters<Fetch>[0], init: Parameters<Fetch>[1]): boolean {
  const isSafe = IDEMPOTENT.has(request.method) || request.headers.has('idempotency-key');
  const body: unknown = init?.body ?? (input instanceof Request ? input.body : null);
  return isSafe && !(body instanceof ReadableStream);
}

function pause(ms: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((done, failed) => {
    if (signal?.aborted) return failed(signal.reason as Error);
    const stop = () => {
      clearTimeout(timer);
      failed(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      done();
    }, timerMs(ms));
    signal?.addEventListener('abort', stop, { once: true });
  });
}
