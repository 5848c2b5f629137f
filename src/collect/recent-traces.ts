const BYTES_PER_ENTRY = 200;

/**
 * The rows of traces that were written lately, so that late spans need no look into the store.
 * Bounded by bytes; the traces touched longest ago go first. A missing entry is never wrong, only slower.
 */
export class RecentTraces {
  readonly #capacityBytes: number;
  readonly #rows = new Map<string, Buffer>();
  #sizeBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** The bodies of a trace's rows, one behind the other. */
  get(traceKey: string): Buffer | undefined {
    return this.#rows.get(traceKey);
  }

  set(traceKey: string, rows: Buffer): void {
    this.delete(traceKey);
    this.#rows.set(traceKey, rows);
    this.#sizeBytes += rows.length + BYTES_PER_ENTRY;
    for (const [oldest] of this.#rows) {
      if (this.#sizeBytes <= this.#capacityBytes) break;
      this.delete(oldest);
    }
  }

  delete(traceKey: string): void {
    const rows = this.#rows.get(traceKey);
    if (rows === undefined) return;
    this.#rows.delete(traceKey);
    this.#sizeBytes -= rows.length + BYTES_PER_ENTRY;
  }

  clear(): void {
    this.#rows.clear();
    this.#sizeBytes = 0;
  }
}
