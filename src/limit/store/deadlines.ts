export interface Deadline {
  readonly key: string;
  readonly atUs: number;
}

interface Placed {
  readonly key: string;
  atUs: number;
  /** Where it is in the heap. */
  place: number;
}

/** What is due when: a heap, the earliest first. Each knows its place, so that one that moves leaves nothing behind. */
export class Deadlines {
  readonly #heap: Placed[] = [];

  add(atUs: number, key: string): Deadline {
    const placed = { atUs, key, place: this.#heap.length };
    this.#heap.push(placed);
    this.#rise(placed.place);
    return placed;
  }

  /** Makes one due at another time. It must not have been taken out. */
  move(deadline: Deadline, atUs: number): void {
    const placed = deadline as Placed;
    placed.atUs = atUs;
    this.#rise(placed.place);
    this.#sink(placed.place);
  }

  /** Takes one out before it is due. It must not have been taken out. */
  remove(deadline: Deadline): void {
    const heap = this.#heap;
    const { place } = deadline as Placed;
    this.#swap(place, heap.length - 1);
    heap.pop();
    if (place === heap.length) return;
    this.#rise(place);
    this.#sink(place);
  }

  /** Takes out the earliest that is due; null when nothing is. */
  next(nowUs: number): string | null {
    const first = this.#heap[0];
    if (first === undefined || first.atUs > nowUs) return null;
    this.remove(first);
    return first.key;
  }

  #rise(from: number): void {
    const heap = this.#heap;
    for (let place = from; place > 0; ) {
      const above = (place - 1) >> 1;
      if (heap[above]!.atUs <= heap[place]!.atUs) break;
      this.#swap(place, above);
      place = above;
    }
  }

  #sink(from: number): void {
    const heap = this.#heap;
    for (let place = from; ; ) {
      let least = place;
      for (const below of [2 * place + 1, 2 * place + 2])
        if (below < heap.length && heap[below]!.atUs < heap[least]!.atUs) least = below;
      if (least === place) return;
      this.#swap(place, least);
      place = least;
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
    heap[a]!.place = a;
    heap[b]!.place = b;
  }
}
