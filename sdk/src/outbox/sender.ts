import { backoffMs } from '../http/backoff.ts';
import type { Answer, Poster } from '../http/post.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import { endsWithin, LONGEST_TIMER_MS, timerMs } from '../http/timers.ts';
import type { Outbox } from './outbox.ts';
import type { OutboxFile } from './owned-folder.ts';
import { rejectedSpans } from './partial-success.ts';

export interface SenderConfig {
  readonly outbox: Outbox;
  readonly poster: Poster;
  /** How long spans are gathered before they are sent. */
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly backoff: { readonly baseMs: number; readonly mostMs: number };
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly onDelivered: (spans: number, rejected: number, why: string) => void;
  /** Of an attempt that will be repeated. */
  readonly onProblem: (message: string) => void;
}

const ADOPT_EVERY_MS = 60_000;
/** What senders of OTLP repeat; these besides, because an operator can mend them. */
const RETRIED = new Set([429, 502, 503, 504]);
const MENDABLE = new Set([401, 403, 404, 405, 407, 408, 500]);
const pause = (ms: number) => new Promise((done) => setTimeout(done, timerMs(ms)));

type Outcome = { readonly isDone: true } | { readonly isDone: false; readonly why: string; readonly atLeastMs: number };

/** Delivers the files of an outbox one after the other, the oldest first. */
export class Sender {
  readonly #config: SenderConfig;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #isClosed = false;
  #draining: Promise<void> | null = null;
  #drainUntilMs = 0;
  #failures = 0;
  #waitMs = 0;
  #adoptedMs: number;

  constructor(config: SenderConfig) {
    this.#config = config;
    this.#adoptedMs = config.nowMs();
    if (!config.outbox.isEmpty) this.wake();
  }

  /** Says that there is something to deliver. */
  wake(): void {
    if (this.#timer !== null || this.#running !== null || this.#isClosed || this.#draining !== null) return;
    this.#begin(Math.max(this.#waitMs, this.#config.everyMs));
  }

  /** Delivers what there is now. Gives  whether nothing is left. Several who ask at once wait for the same delivery, each as long as it likes. */
  async drain(withinMs: number): Promise<boolean> {
    const { outbox, nowMs } = this.#config;
    const untilMs = nowMs() + withinMs;
    this.#drainUntilMs = this.#draining === null ? untilMs : Math.max(this.#drainUntilMs, untilMs);
    this.#draining ??= this.#drainAll();
    await endsWithin(this.#draining, withinMs);
    return outbox.isEmpty;
  }

  async close(withinMs: number): Promise<boolean> {
    this.#isClosed = true;
    const isDelivered = await this.drain(withinMs);
    this.#config.outbox.close();
    return isDelivered;
  }

  async #drainAll(): Promise<void> {
    const { outbox, nowMs } = this.#config;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    try {
      await this.#running;
      for (outbox.seal(); !outbox.isEmpty && nowMs() < this.#drainUntilMs; outbox.seal()) {
        await this.#deliverAll();
        if (this.#waitMs > 0) await pause(Math.min(this.#waitMs, Math.max(0, this.#drainUntilMs - nowMs())));
      }
    } finally {
      // Not a turn later: whoever asks then must not wait for what has ended.
      this.#draining = null;
      if (!outbox.isEmpty) this.wake();
    }
  }

  #begin(afterMs: number): void {
    this.#timer = setTimeout(() => {
      // Retry-After may ask for a year.
      if (afterMs > LONGEST_TIMER_MS) return this.#begin(afterMs - LONGEST_TIMER_MS);
      this.#timer = null;
      this.#running = this.#turn().finally(() => {
        this.#running = null;
        if (!this.#config.outbox.isEmpty) this.wake();
      });
    }, timerMs(afterMs));
    this.#timer.unref();
  }

  async #turn(): Promise<void> {
    const { outbox, nowMs, onProblem } = this.#config;
    try {
      if (nowMs() - this.#adoptedMs >= ADOPT_EVERY_MS) {
        this.#adoptedMs = nowMs();
        outbox.adopt();
      }
      outbox.seal();
      await this.#deliverAll();
    } catch (cause) {
      onProblem(`the outbox cannot be looked through: ${(cause as Error).message}`);
    }
  }

  /** Delivers all files that are ended, or says how long to wait before the next attempt. */
  async #deliverAll(): Promise<void> {
    const { outbox, backoff, random, nowMs, onProblem } = this.#config;
    for (let file = outbox.oldest(); file !== null; file = outbox.oldest()) {
      const outcome = await this.#deliver(file);
      if (!outcome.isDone) {
        onProblem(outcome.why);
        this.#waitMs = Math.max(1, backoffMs(backoff, this.#failures++, random(), outcome.atLeastMs));
        return;
      }
      this.#failures = 0;
      if (this.#draining !== null && nowMs() >= this.#drainUntilMs) break;
    }
    this.#waitMs = 0;
  }

  async #deliver(file: OutboxFile): Promise<Outcome> {
    const { outbox, poster, timeoutMs } = this.#config;
    try {
      const content = await outbox.read(file);
      if (content === null || content.spans === 0) {
        outbox.remove(file);
        return { isDone: true };
      }
      // Requests of OTLP are lists, and protobuf joins lists that stand one behind the other.
      const body = Buffer.concat(content.payloads);
      return this.#took(
        file,
        content.spans,
        await poster.post('/v1/traces', 'application/x-protobuf', body, timeoutMs),
      );
    } catch (cause) {
      return { isDone: false, why: (cause as Error).message, atLeastMs: 0 };
    }
  }

  /** A file whose answer was lost is sent again: its spans keep their ids, so that they count once. */
  #took(file: OutboxFile, spans: number, { status, headers, body }: Answer): Outcome {
    const { outbox, nowMs, onDelivered } = this.#config;
    if (status >= 200 && status < 300) {
      const { rejected, why } = rejectedSpans(body);
      outbox.remove(file);
      onDelivered(spans - rejected, rejected, why);
      return { isDone: true };
    }
    if (RETRIED.has(status) || MENDABLE.has(status)) {
      const atLeastMs = retryAfterMs(headers['retry-after'], nowMs()) ?? 0;
      return { isDone: false, why: `Taximeter answered ${status}`, atLeastMs };
    }
    outbox.refuse(file, spans, `Taximeter answered ${status}`);
    return { isDone: true };
  }
}
