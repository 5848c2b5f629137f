/** Stretches of time relative to some start, in whole nanoseconds that fit a double exactly; used again and again. */
export class Intervals {
  #starts = new Float64Array(64);
  #ends = new Float64Array(64);
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  add(start: number, end: number): void {
    if (this.#count === this.#starts.length) this.#grow();
    const [starts, ends] = [this.#starts, this.#ends];
    starts[this.#count] = start;
    ends[this.#count++] = end;
  }

  /**
   * Measures how long a span was busy itself: its time without the time that the intervals, its direct children, cover.
   *
   * Takes  durationNs: the span's own length; negative when its end lies before its start.
   * Gives  nanoseconds, 0 to durationNs.
   * Holds  an interval outside the span, or one that ends before it starts, changes nothing; their order does not matter.
   */
  busyNanos(durationNs: number): number {
    if (durationNs <= 0) return 0;
    if (this.#count > SORTED_BY_HAND) this.#sortMany();
    else this.#sort();
    let covered = 0;
    let reached = 0;
    for (let at = 0; at < this.#count; at++) {
      const start = Math.max(this.#starts[at]!, reached);
      const end = Math.min(this.#ends[at]!, durationNs);
      if (end <= start) continue;
      covered += end - start;
      reached = end;
    }
    return durationNs - covered;
  }

  #sort(): void {
    const [starts, ends] = [this.#starts, this.#ends];
    for (let at = 1; at < this.#count; at++) {
      const [start, end] = [starts[at]!, ends[at]!];
      let place = at;
      for (; place > 0 && starts[place - 1]! > start; place--) {
        starts[place] = starts[place - 1]!;
        ends[place] = ends[place - 1]!;
      }
      starts[place] = start;
      ends[place] = end;
    }
  }

  #sortMany(): void {
    const order = Array.from({ length: this.#count }, (_, at) => at).sort(
      (a, b) => this.#starts[a]! - this.#starts[b]!,
    );
    const [starts, ends] = [order.map((at) => this.#starts[at]!), order.map((at) => this.#ends[at]!)];
    this.#starts.set(starts);
    this.#ends.set(ends);
  }

  #grow(): void {
    const [starts, ends] = [new Float64Array(this.#count * 2), new Float64Array(this.#count * 2)];
    starts.set(this.#starts);
    ends.set(this.#ends);
    this.#starts = starts;
    this.#ends = ends;
  }
}

const SORTED_BY_HAND = 32;
