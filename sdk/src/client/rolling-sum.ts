const PARTS = 64;

/**
 * What was used up in the last while, and whether more still fits.
 *
 * Holds  in no stretch of time as long as the window is more taken than fits: the oldest part counts in full until all of it is over.
 */
export class RollingSum {
  readonly #most: bigint;
  readonly #partMs: number;
  readonly #parts = new Array<bigint>(PARTS + 1).fill(0n);
  #newest = 0;
  #sum = 0n;

  /** Takes  most: in the window, in any whole unit. */
  constructor(most: bigint, windowMs: number) {
    this.#most = most;
    this.#partMs = Math.max(1, Math.ceil(windowMs / PARTS));
  }

  /** Gives  whether so much fits; then it is taken. */
  take(amount: bigint, nowMs: number): boolean {
    this.#follow(nowMs);
    if (this.#sum + amount > this.#most) return false;
    this.#add(amount, this.#newest);
    return true;
  }

  /** Corrects what was taken at a time: there, so that it does not make room once that is over. More than fits may be added: it has happened. */
  correct(amount: bigint, takenMs: number, nowMs: number): void {
    this.#follow(nowMs);
    const part = Math.min(Math.floor(takenMs / this.#partMs), this.#newest);
    if (this.#newest - part <= PARTS) this.#add(amount, part);
  }

  /** Milliseconds until something is given back; 0 when nothing is taken. */
  freesInMs(nowMs: number): number {
    this.#follow(nowMs);
    for (let age = PARTS; age >= 0; age--) {
      if ((this.#parts[this.#placeOf(this.#newest - age)] ?? 0n) <= 0n) continue;
      return (this.#newest - age + PARTS + 1) * this.#partMs - nowMs;
    }
    return 0;
  }

  #add(amount: bigint, part: number): void {
    const place = this.#placeOf(part);
    this.#parts[place] = (this.#parts[place] ?? 0n) + amount;
    this.#sum += amount;
  }

  /** A clock that was set back stays in the newest part. */
  #follow(nowMs: number): void {
    const part = Math.floor(nowMs / this.#partMs);
    if (part <= this.#newest) return;
    const passed = Math.min(part - this.#newest, PARTS + 1);
    for (let step = 1; step <= passed; step++) {
      const place = this.#placeOf(part - passed + step);
      this.#sum -= this.#parts[place] ?? 0n;
      this.#parts[place] = 0n;
    }
    this.#newest = part;
  }

  #placeOf(part: number): number {
    return ((part % (PARTS + 1)) + PARTS + 1) % (PARTS + 1);
  }
}
