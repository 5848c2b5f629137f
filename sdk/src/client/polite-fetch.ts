import { handleWhenResult } from 'cockatiel';
import { type BackoffConfig, backoffMs } from '../http/backoff.ts';
import { Circuit, isBroken } from '../http/circuit.ts';
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
  /** The time of day; Date.now, and for windows a clock that nobody sets. */
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
  readonly circuit: Circuit;
}

type Named = Host & { readonly name: string };
/** Thrown through the circuit, which takes it for no failure of the host. */
const HAS_SHUT = new Error('the quota has shut');
/** Who asks thousands of hosts, such as a crawler, keeps no memory of each for ever. */
const MOST_HOSTS = 5_000;

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
  /** Quotas and caps go by a clock that nobody sets: put forward, it would open them all. */
  readonly #nowMs: () => number;
  readonly #timeOfDayMs: () => number;
  readonly #random: () => number;
  readonly #pause: (ms: number, signal: AbortSignal | null) => Promise<void>;

  constructor(options: PoliteOptions) {
    const { quota, spend } = options;
    this.#options = options;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#budget = new RetryBudget(options.retryBudget ?? { perSuccess: 0.1, most: 10 });
    this.#own = quota === undefined ? null : new RollingSum(BigInt(quota.requests), quota.windowMs);
    this.#spent = spend === undefined ? null : new RollingSum(attoFromDecimal(spend.cap), spend.windowMs);
    this.#nowMs = options.nowMs ?? (() => performance.timeOrigin + performance.now());
    this.#timeOfDayMs = options.nowMs ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#pause = options.pause ?? pause;
  }

  async fetch(input: Parameters<Fetch>[0], init: Parameters<Fetch>[1]): Promise<Response> {
    const request = new Request(input, init);
    const host = this.#hostOf(new URL(request.url).host);
    const most = isRepeatable(request, input, init) ? (this.#options.attempts ?? 4) : 1;
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#attempt(host, attempt + 1 < most ? request.clone() : request);
      const mayRepeat = attempt + 1 < most && !request.signal.aborted;
      const waitMs = mayRepeat ? this.#waitMs(outcome, attempt) : null;
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
    const untilMs = this.#nowMs() + (this.#options.longestWaitMs ?? 30_000);
    for (;;) {
      const waitMs = this.#waitForTurnMs(host, untilMs);
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
        // Nobody waits for what comes behind another one's try any more.
        request.signal.throwIfAborted();
        sent = host.quota.send();
        return this.#fetch(request).catch((error: unknown) => {
          // Whoever breaks off says nothing of the host, whatever words are used for it.
          throw request.signal.aborted ? new BrokenOff(error) : error;
        });
      });
      return this.#heard(host, sent, response, taken);
    } catch (error) {
      if (sent === 0) this.#giveBack(taken);
      else host.quota.hear(sent, null, 0, this.#nowMs());
      if (error === HAS_SHUT) return null;
      if (isBroken(error)) throw new PoliteRefusal('circuit_open', host.name, null);
      return { error: error instanceof BrokenOff ? error.reason : error };
    }
  }

  #heard({ quota }: Host, sent: number, response: Response, { price, atMs }: Taken): Outcome {
    const nowMs = this.#nowMs();
    const { headers, status } = response;
    const asked = retryAfterMs(headers.get('retry-after'), this.#timeOfDayMs()) ?? 0;
    const remaining = remainingOf((name) => headers.get(name), this.#timeOfDayMs());
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
  #waitForTurnMs({ quota, name }: Named, untilMs: number): number {
    const { backoff = { baseMs: 250, mostMs: 20_000 } } = this.#options;
    const nowMs = this.#nowMs();
    const opensAtMs = quota.opensAtMs(nowMs);
    if (opensAtMs <= nowMs) return 0;
    if (opensAtMs > untilMs) throw new PoliteRefusal('vendor_quota', name, this.#dateOf(opensAtMs));
    // All who wait for the same moment come one after the other.
    return backoffMs(backoff, 0, this.#random(), opensAtMs - nowMs);
  }

  /** Takes a request out of the own quota, and what it may cost out of the cap: both or nothing. */
  #take(host: string, request: Request): Taken {
    const atMs = this.#nowMs();
    const price = this.#options.spend === undefined ? 0n : attoFromDecimal(this.#options.spend.price(request));
    if (this.#spent?.take(price, atMs) === false)
      throw new PoliteRefusal('spend_cap', host, this.#dateOf(atMs + this.#spent.freesInMs(atMs)));
    if (this.#own?.take(1n, atMs) !== false) return { price, atMs };
    this.#spent?.correct(-price, atMs, atMs);
    throw new PoliteRefusal('own_quota', host, this.#dateOf(atMs + this.#own.freesInMs(atMs)));
  }

  /** Of a request that was not sent after all. */
  #giveBack({ price, atMs }: Taken): void {
    this.#spent?.correct(-price, atMs, this.#nowMs());
    this.#own?.correct(-1n, atMs, this.#nowMs());
  }

  #dateOf(ms: number): number {
    return Math.ceil(ms - this.#nowMs() + this.#timeOfDayMs());
  }

  #hostOf(name: string): Named {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      if (this.#hosts.size >= MOST_HOSTS) this.#forgetHost();
      host = { quota: new VendorQuota(this.#options.keep ?? 0), circuit: this.#newCircuit() };
      this.#hosts.set(name, host);
    }
    return { ...host, name };
  }

  /** The oldest one that nothing is known against. */
  #forgetHost(): void {
    const nowMs = this.#nowMs();
    for (const [name, { quota, circuit }] of this.#hosts) {
      if (quota.opensAtMs(nowMs) > nowMs || !circuit.isClosed) continue;
      this.#hosts.delete(name);
      return;
    }
  }

  #newCircuit(): Circuit {
    const { failures, openMs } = this.#options.circuit ?? { failures: 5, openMs: 10_000 };
    const failing = handleWhenResult((result) => isFailing(result as Response)).orWhen((error) =>
      isRetriedError(error),
    );
    return new Circuit(failing, failures, openMs, this.#nowMs);
  }
}

/** What was taken for a request before it was sent, and when. */
interface Taken {
  readonly price: bigint;
  readonly atMs: number;
}

type Outcome = { readonly response: Response; readonly retryAfterMs: number } | { readonly error: unknown };

/** Carries what a request was broken off with through the circuit. */
class BrokenOff extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super('broken off');
    this.reason = reason;
  }
}

function given(outcome: Outcome): Response {
  if ('error' in outcome) throw outcome.error;
  return outcome.response;
}

/** Whoever breaks off wants no other attempt; a request that is wrong stays wrong. fetch tells of broken connections by a TypeError with a cause. */
function isRetriedError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof BrokenOff) return false;
  return error.name !== 'AbortError' && error.name !== 'TimeoutError' && error.cause !== undefined;
}

function isRepeatable(request: Request, input: Parameters<Fetch>[0], init: Parameters<Fetch>[1]): boolean {
  const isSafe = IDEMPOTENT.has(request.method) || request.headers.has('idempotency-key');
  return isSafe && isWhole(init?.body ?? (input instanceof Request ? input.body : null));
}

/** Whether all of a body is there already. To send a stream again, all of it would have to be kept, however long it is. */
function isWhole(body: unknown): boolean {
  if (body === null || typeof body === 'string') return true;
  return (
    [ArrayBuffer, Blob, FormData, URLSearchParams].some((kind) => body instanceof kind) || ArrayBuffer.isView(body)
  );
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
