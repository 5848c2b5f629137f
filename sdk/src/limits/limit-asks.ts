import { handleAll } from 'cockatiel';
import type { Money, Reservation } from '../call.ts';
import { backoffMs } from '../http/backoff.ts';
import { Circuit, isBroken } from '../http/circuit.ts';
import type { Answer, Poster } from '../http/post.ts';
import { endsWithin } from '../http/timers.ts';
import { isName } from './names.ts';
import { passed, unavailable, unnameable, type Verdict, verdictOf } from './verdict.ts';

/** Who calls what, and what it may cost. Without an organisation a tenant is its own. */
export interface Ask {
  readonly tenant: string;
  readonly organisation?: string;
  readonly consumer?: string;
  readonly endpoint?: string;
  /** Units; 1 where it is left out. */
  readonly cost?: number;
  readonly money?: Money;
}

export interface LimitConfig {
  readonly poster: Poster;
  /** `check` counts at once; `reserve` holds until the call has ended, and then takes what it used. */
  readonly mode: 'check' | 'reserve';
  /** What happens to calls while Taximeter does not answer. */
  readonly onFailure: 'open' | 'closed';
  readonly timeoutMs: number;
  /** After this long a reservation that nobody ended is given back. */
  readonly ttlSeconds: number;
  readonly random: () => number;
  readonly onProblem: (message: string) => void;
}

/** What became of the asks. */
export interface LimitCounts {
  readonly allowed: number;
  readonly denied: number;
  /** Let through, or refused, because Taximeter did not answer. */
  readonly failedOpen: number;
  readonly failedClosed: number;
  /** Reservations whose end Taximeter did not hear of: they are given back after their time. */
  readonly unsettled: number;
}

const ASK_AGAIN_AFTER_MS = 1_000;
const FAILURES_UNTIL_PAUSE = 5;
const SETTLE_ATTEMPTS = 4;
const settleBackoff = { baseMs: 100, mostMs: 2_000 };

/** Asks Taximeter whether calls may pass, and tells it what they used. */
export class LimitAsks {
  readonly #config: LimitConfig;
  /** While Taximeter is away, calls do not wait for it one by one. */
  readonly #circuit = new Circuit(handleAll, FAILURES_UNTIL_PAUSE, ASK_AGAIN_AFTER_MS, () => performance.now());
  readonly #settling = new Set<Promise<void>>();
  readonly #counts = { allowed: 0, denied: 0, failedOpen: 0, failedClosed: 0, unsettled: 0 };

  constructor(config: LimitConfig) {
    this.#config = config;
  }

  get counts(): LimitCounts {
    return { ...this.#counts };
  }

  /** Takes  id: of the call; asking twice with it counts once. Gives  what to answer, and what was reserved. */
  async ask(ask: Ask, id: string): Promise<{ readonly verdict: Verdict; readonly reservation: Reservation | null }> {
    const { mode, ttlSeconds } = this.#config;
    const wrong = (['tenant', 'organisation', 'consumer', 'endpoint'] as const).find(
      (part) => !isName(ask[part] ?? ''),
    );
    if (wrong !== undefined) return this.#counted(unnameable(wrong));
    const isReserved = mode === 'reserve';
    const body = { ...ask, tenant: ask.tenant || '(unknown)', ...(isReserved ? { id, ttlSeconds } : {}) };
    // Behind one that tries whether Taximeter is back, all would wait as long as it does.
    if (this.#circuit.isTrying) return { verdict: this.#failed(null), reservation: null };
    try {
      const { answer, verdict } = await this.#circuit.execute(() => this.#decided(mode, body));
      const name = isReserved && verdict.isAllowed ? reservationOf(answer) : null;
      return this.#counted(verdict, name === null ? null : { name, units: ask.cost ?? 1 });
    } catch (cause) {
      return { verdict: this.#failed(cause as Error), reservation: null };
    }
  }

  /** Ends a reservation, behind the answer to the call. Takes  units: null for those that were reserved. */
  settle(reservation: Reservation, action: 'commit' | 'release', units: number | null, money: Money | null): void {
    const body = {
      reservation: reservation.name,
      ...(action === 'commit' && units !== null ? { cost: units } : {}),
      ...(action === 'commit' && money !== null ? { money } : {}),
    };
    const settled: Promise<void> = this.#settle(action, body).finally(() => this.#settling.delete(settled));
    this.#settling.add(settled);
  }

  /** Waits until Taximeter has heard of every reservation that ended, or that was given up. Gives  whether that was in time. */
  async settled(withinMs: number): Promise<boolean> {
    return this.#settling.size === 0 || endsWithin(Promise.all(this.#settling), withinMs);
  }

  async #decided(mode: string, body: object): Promise<{ answer: Answer; verdict: Verdict }> {
    const answer = await this.#post(mode, body);
    const verdict = verdictOf(answer);
    if (verdict === null) throw new Error(`Taximeter answered ${answer.status}`);
    if (verdict.status === 400) this.#config.onProblem(`Taximeter does not take an ask: it answered ${answer.status}`);
    return { answer, verdict };
  }

  #post(verb: string, body: object): Promise<Answer> {
    const bytes = Buffer.from(JSON.stringify(body));
    return this.#config.poster.post(`/api/v1/limits/${verb}`, 'application/json', bytes, this.#config.timeoutMs);
  }

  async #settle(action: 'commit' | 'release', body: object): Promise<void> {
    let why = '';
    for (let attempt = 0; attempt < SETTLE_ATTEMPTS; attempt++) {
      try {
        const { status } = await this.#post(action, body);
        if (status === 200) return;
        why = `Taximeter answered ${status}`;
        if (status < 500 && status !== 429) break;
      } catch (cause) {
        why = (cause as Error).message;
      }
      const waitMs = backoffMs(settleBackoff, attempt, this.#config.random());
      // Alone, it does not keep the program alive; whoever waits for it does.
      await new Promise((done) => setTimeout(done, waitMs).unref());
    }
    this.#counts.unsettled += 1;
    this.#config.onProblem(`a reservation was not ended by ${action}: ${why}`);
  }

  #counted(verdict: Verdict, reservation: Reservation | null = null) {
    this.#counts[verdict.isAllowed ? 'allowed' : 'denied'] += 1;
    return { verdict, reservation };
  }

  /** Takes  cause: null where it was not asked. */
  #failed(cause: Error | null): Verdict {
    const { onFailure, onProblem } = this.#config;
    if (cause !== null && !isBroken(cause)) onProblem(`a limit was not checked: ${cause.message}`);
    this.#counts[onFailure === 'open' ? 'failedOpen' : 'failedClosed'] += 1;
    return onFailure === 'open' ? passed : unavailable();
  }
}

function reservationOf({ body }: Answer): string | null {
  const { reservation } = JSON.parse(body.toString()) as { reservation?: unknown };
  return typeof reservation === 'string' ? reservation : null;
}
