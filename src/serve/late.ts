/**
 * Ends what is not there in time. One timer watches over all, because nearly everything is there at once and there is much of it.
 *
 * Holds  nothing is ended before its time; what is deleted is not ended.
 */
export class Late<Waiting> {
  readonly #withinMs: number;
  readonly #end: (waiting: Waiting) => void;
  /** Since when, the longest first. */
  readonly #waiting = new Map<Waiting, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(withinMs: number, end: (waiting: Waiting) => void) {
    this.#withinMs = withinMs;
    this.#end = end;
  }

  add(waiting: Waiting): void {
    this.#waiting.set(waiting, performance.now());
    this.#timer ??= this.#next(this.#withinMs);
  }

  delete(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  #next(afterMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#endLate(), afterMs).unref();
  }

  #endLate(): void {
    this.#timer = null;
    const now = performance.now();
    for (const [waiting, since] of this.#waiting) {
      const leftMs = since + this.#withinMs - now;
      if (leftMs > 0) {
        this.#timer = this.#next(leftMs);
        return;
      }
      this.#waiting.delete(waiting);
      this.#end(waiting);
    }
  }
}
