import type { Remaining } from './rate-limit-fields.ts';

/** How often those look again who wait for the answer to the one that went ahead. */
const LOOK_AGAIN_MS = 50;

/**
 * What a vendor said is left, less what was sent since.
 *
 * Holds  after an answer that says that r are left, at most r - keep more are sent until its reset. After it one goes ahead, and the others follow when its
 *        answer has said how many may.
 */
export class VendorQuota {
  readonly #keep: number;
  #sent = 0;
  #heardOf = 0;
  #left = Number.POSITIVE_INFINITY;
  #resetAtMs = 0;
  #notBeforeMs = 0;
  /** The number of the one that went ahead; 0 for none. */
  #ahead = 0;

  /** Takes  keep: how many are left for others who share the quota. */
  constructor(keep: number) {
    this.#keep = keep;
  }

  /** When the next request may be sent; not after nowMs: at once. */
  opensAtMs(nowMs: number): number {
    if (nowMs < this.#notBeforeMs) return this.#notBeforeMs;
    if (!this.#isUsedUp) return nowMs;
    if (nowMs < this.#resetAtMs) return this.#resetAtMs;
    return this.#ahead === 0 ? nowMs : nowMs + LOOK_AGAIN_MS;
  }

  /** Counts a request. Gives  its number, for its answer. */
  send(): number {
    this.#sent += 1;
    if (this.#isUsedUp) this.#ahead = this.#sent;
    this.#left -= 1;
    return this.#sent;
  }

  /**
   * Hears how request `number` ended.
   *
   * Takes  remaining: what its answer said; null when it said nothing, or none came. notBeforeMs: what Retry-After asked for.
   */
  hear(number: number, remaining: Remaining | null, notBeforeMs: number, nowMs: number): void {
    this.#notBeforeMs = Math.max(this.#notBeforeMs, notBeforeMs);
    if (number === this.#ahead) this.#ahead = 0;
    // Answers may overtake each other: what an older request was told is out of date.
    if (remaining === null || number < this.#heardOf) return;
    this.#heardOf = number;
    // Requests that were sent after this one may be counted by the vendor already, or not: that they are not is the careful guess.
    this.#left = remaining.left - (this.#sent - number);
    this.#resetAtMs = nowMs + remaining.resetMs;
  }

  get #isUsedUp(): boolean {
    return this.#left <= this.#keep;
  }
}
