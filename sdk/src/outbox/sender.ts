import { backoffMs } from '../http/backoff.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import { endsWithin, LONGEST_TIMER_MS, timerMs } from '../http/timers.ts';
import type { Carried, Courier, Part, Rest } from './carry.ts';
import type { Outbox } from './outbox.ts';
import type { OutboxFile } from './owned-folder.ts';
import { rejectedSpans } from './partial-success.ts';

export interface SenderConfig {
  readonly outbox: Outbox;
  readonly courier: Courier;
  /** How long spans are gathered before they are sent. */
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly backoff: { readonly baseMs: number; readonly mostMs: number };
  /** The time of day, for dates that others name. */
  readonly nowMs: () => number;
  /** A clock that nobody sets. */
  readonly passedMs: () => number;
  readonly random: () => number;
  readonly onDelivered: (spans: number, rejected: number, why: string) => void;
  /** Of an attempt that will be repeated. */
  readonly onProblem: (message: string) => void;
}

const ADOPT_EVERY_MS = 60_000;
const TOO_LARGE = 413;
const whole: Part = { from: 0, most: Number.MAX_SAFE_INTEGER };
const pause = (ms: number) => new Promise((done) => setTimeout(done, timerMs(ms)));

type Answered = Extract<Carried, { kind: 'answered' }>;
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
  /** What Retry-After asked for: whoever flushes waits for it, too. */
  #notBeforeMs = 0;
  /** How far the file that is being delivered has come. */
  #file = '';
  #part = whole;
  #adoptedMs: number;

  constructor(config: SenderConfig) {
    this.#config = config;
    this.#adoptedMs = config.passedMs();
    if (!config.outbox.isEmpty) this.wake();
  }

  /** Says that there is something to deliver. */
  wake(): void {
    if (this.#timer !== null || this.#running !== null || this.#isClosed || this.#draining !== null) return;
    this.#begin(Math.max(this.#waitMs, this.#config.everyMs));
  }

  /** Delivers what there is now. Gives  whether nothing is left. Several who ask at once wait for the same delivery, each as long as it likes. */
  async drain(withinMs: number): Promise<boolean> {
    const { outbox, passedMs } = this.#config;
    const untilMs = passedMs() + withinMs;
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
    const { outbox, passedMs } = this.#config;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    try {
      await this.#running;
      this.#waitMs = Math.max(0, this.#notBeforeMs - passedMs());
      for (await outbox.seal(); !outbox.isEmpty && passedMs() < this.#drainUntilMs; await outbox.seal()) {
        // To wait for that would be in vain.
        if (this.#notBeforeMs > this.#drainUntilMs) break;
        if (this.#waitMs > 0) await pause(Math.min(this.#waitMs, this.#drainUntilMs - passedMs()));
        if (passedMs() < this.#notBeforeMs || passedMs() >= this.#drainUntilMs) break;
        await this.#deliverAll();
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
    const { outbox, passedMs, onProblem } = this.#config;
    try {
      if (passedMs() - this.#adoptedMs >= ADOPT_EVERY_MS) {
        this.#adoptedMs = passedMs();
        outbox.adopt();
      }
      await outbox.seal();
      await this.#deliverAll();
    } catch (cause) {
      onProblem(`the outbox cannot be looked through: ${(cause as Error).message}`);
    }
  }

  /** Delivers all files that are ended, or says how long to wait before the next attempt. */
  async #deliverAll(): Promise<void> {
    const { outbox, backoff, random, passedMs, onProblem } = this.#config;
    for (let file = outbox.oldest(); file !== null; file = outbox.oldest()) {
      const outcome = await this.#deliver(file);
      if (!outcome.isDone) {
        onProblem(outcome.why);
        this.#notBeforeMs = passedMs() + outcome.atLeastMs;
        this.#waitMs = Math.max(1, backoffMs(backoff, this.#failures++, random(), outcome.atLeastMs));
        return;
      }
      this.#failures = 0;
      if (this.#draining !== null && passedMs() >= this.#drainUntilMs) break;
    }
    this.#waitMs = 0;
  }

  /** Sends a file, in as many requests as its receiver wants. */
  async #deliver(file: OutboxFile): Promise<Outcome> {
    const { outbox, courier, timeoutMs } = this.#config;
    if (this.#file !== file.path) [this.#file, this.#part] = [file.path, whole];
    for (;;) {
      const carried = await courier.carry(file.path, this.#part, timeoutMs);
      if (carried.kind === 'failed') return { isDone: false, why: carried.why, atLeastMs: 0 };
      if (carried.kind === 'gone') outbox.forgetGone(file);
      if (carried.kind === 'unreadable') outbox.forgetUnreadable(file, carried.why);
      if (carried.kind === 'gone' || carried.kind === 'unreadable') return { isDone: true };
      if (carried.kind === 'answered') {
        const { status, frames, spans } = carried;
        if (status === TOO_LARGE && frames > 1) {
          this.#part = { from: this.#part.from, most: Math.ceil(frames / 2) };
          continue;
        }
        const outcome = this.#heard(carried);
        if (!outcome.isDone) return outcome;
        if (status >= 300) outbox.giveUp('refused', spans, `Taximeter answered ${status}`);
        this.#part = { from: this.#part.from + frames, most: this.#part.most };
      }
      if (carried.kind === 'answered' && carried.rest.frames > 0) continue;
      return this.#finish(file, carried.rest);
    }
  }

  /** What is torn is told once, when the rest of its file is through. */
  #finish(file: OutboxFile, { tornBytes, allSpans }: Rest): Outcome {
    const { outbox } = this.#config;
    if (tornBytes > 0) outbox.giveUp('damaged', null, `${tornBytes} bytes behind ${allSpans} whole spans`);
    outbox.remove(file);
    return { isDone: true };
  }

  /** A file whose answer was lost is sent again: its spans keep their ids, so that they count once. */
  #heard({ status, type, retryAfter, body, spans }: Answered): Outcome {
    const { nowMs, onDelivered } = this.#config;
    if (status >= 200 && status < 300 && !type.startsWith('text/')) {
      const { rejected, why } = rejectedSpans(Buffer.from(body));
      const refused = Math.min(spans, rejected);
      onDelivered(spans - refused, refused, why);
      return { isDone: true };
    }
    if (isRefusal(status)) return { isDone: true };
    const atLeastMs = retryAfterMs(retryAfter, nowMs()) ?? 0;
    // A page is no answer to spans: somebody on the way asks for a sign-in, or speaks for a server that is not there.
    const why = status < 300 ? `the answer is ${type}, which Taximeter does not say` : `Taximeter answered ${status}`;
    return { isDone: false, why, atLeastMs };
  }
}

/** 4xx that say something about the way to Taximeter, its token or its load, and not about what was sent: somebody can mend them. */
const MENDABLE = new Set([401, 402, 403, 404, 405, 407, 408, 409, 421, 423, 425, 426, 429, 451]);

/** Whether the same would be refused again. Redirects and all of 5xx are mended sooner or later; until then the outbox keeps what it can. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && !MENDABLE.has(status);
}
