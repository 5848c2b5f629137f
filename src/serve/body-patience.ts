import type { IncomingMessage } from 'node:http';

/**
 * Ends requests whose bodies are not there in time: whoever sends one byte by byte would hold its memory for days.
 * One timer watches over all of them, because nearly every body is there at once.
 */
export class BodyPatience {
  readonly #withinMs: number;
  /** Since when, the longest first. */
  readonly #waiting = new Map<IncomingMessage, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  watch(request: IncomingMessage): void {
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
    if (coding === undefined && (length === undefined || length === '0')) return;
    this.#waiting.set(request, performance.now());
    request.once('close', () => this.#waiting.delete(request));
    this.#timer ??= this.#next(this.#withinMs);
  }

  #next(afterMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#endLate(), afterMs).unref();
  }

  #endLate(): void {
    this.#timer = null;
    const now = performance.now();
    for (const [request, since] of this.#waiting) {
      const leftMs = since + this.#withinMs - now;
      if (leftMs > 0) {
        this.#timer = this.#next(leftMs);
        return;
      }
      this.#waiting.delete(request);
      if (!request.complete) request.destroy();
    }
  }
}
