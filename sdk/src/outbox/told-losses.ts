import { timerMs } from '../http/timers.ts';
import type { Loss, LossReason } from './outbox.ts';

/**
 * Tells of losses: of the first of a reason at once, of those that follow it together, now and then. A disk that is full loses spans many times a second, and a
 * program that writes each into a log fills what is left of it.
 *
 * Holds  what is told adds up to what was lost, once `flush` was called.
 */
export class ToldLosses {
  readonly #tell: (loss: Loss) => void;
  readonly #everyMs: number;
  readonly #gathered = new Map<LossReason, Loss | null>();
  #timer: NodeJS.Timeout | null = null;

  constructor(everyMs: number, tell: (loss: Loss) => void) {
    this.#everyMs = everyMs;
    this.#tell = tell;
  }

  add(loss: Loss): void {
    const before = this.#gathered.get(loss.reason);
    // How many a damaged file held is not known: that does not add up.
    if (before === undefined || loss.spans === null) this.#tell(loss);
    if (loss.spans === null) return;
    this.#gathered.set(loss.reason, before === undefined ? null : sum(before, loss));
    this.#timer ??= setTimeout(() => this.#next(), timerMs(this.#everyMs)).unref();
  }

  /** Tells of what was gathered. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const gathered = [...this.#gathered.values()];
    this.#gathered.clear();
    for (const loss of gathered) if (loss !== null) this.#tell(loss);
  }

  /** Goes on gathering what is still being lost. */
  #next(): void {
    this.#timer = null;
    for (const [reason, loss] of [...this.#gathered]) {
      if (loss === null) this.#gathered.delete(reason);
      else this.#gathered.set(reason, null);
      if (loss !== null) this.#tell(loss);
    }
    if (this.#gathered.size > 0) this.#timer ??= setTimeout(() => this.#next(), timerMs(this.#everyMs)).unref();
  }
}

function sum(before: Loss | null, { reason, spans, detail }: Loss): Loss {
  return { reason, spans: (before?.spans ?? 0) + (spans ?? 0), detail };
}
