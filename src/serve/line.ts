/** A place in a line, until it is left. */
export interface Place {
  /** Resolves when it is its turn. */
  readonly turn: Promise<void>;
  readonly leave: () => void;
}

/**
 * Lets a few in at a time; the others wait in their order.
 *
 * Holds  whoever leaves, before or after the turn came, lets the next one in; never more are in than may be.
 */
export class Line {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** Gives a place; null when too many wait already. */
  join(): Place | null {
    let come: () => void = () => undefined;
    const turn = new Promise<void>((done) => {
      come = done;
    });
    let hasLeft = false;
    const leave = () => {
      if (hasLeft) return;
      hasLeft = true;
      if (!this.#waiting.delete(come)) this.#next();
    };
    if (this.#inside < this.#most) {
      this.#inside += 1;
      come();
    } else if (this.#waiting.size < this.#mostWaiting) this.#waiting.add(come);
    else return null;
    return { turn, leave };
  }

  #next(): void {
    const [come] = this.#waiting;
    if (come === undefined) {
      this.#inside -= 1;
      return;
    }
    this.#waiting.delete(come);
    come();
  }
}
