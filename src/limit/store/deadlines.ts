/** What is due when: a heap, the earliest first. */
export class Deadlines {
  readonly #heap: { readonly atUs: number; readonly key: string }[] = [];

  add(atUs: number, key: string): void {
    const heap = this.#heap;
    let place = heap.push({ atUs, key }) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (heap[above]!.atUs <= heap[place]!.atUs) break;
      this.#swap(place, above);
      place = above;
    }
  }

  /** Takes out the earliest that is due; null when nothing is. */
  next(nowUs: number): string | null {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.atUs > nowUs) return null;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first.key;
  }

  #sink(): void {
    const heap = this.#heap;
    for (let place = 0; ; ) {
      let least = place;
      for (const below of [2 * place + 1, 2 * place + 2])
        if (below < heap.length && heap[below]!.atUs < heap[least]!.atUs) least = below;
      if (least === place) return;
      this.#swap(place, least);
      place = least;
    }
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}
