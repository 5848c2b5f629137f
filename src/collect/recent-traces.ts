const BYTES_PER_ENTRY = 200;

/** Rows of one trace inside of a batch's bytes. */
export interface RowsInBatch {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * The rows of traces that were written lately, so that late spans need no look into the store.
 * Bounded by bytes; the traces touched longest ago go first. A missing entry is never wrong, only slower.
 */
export class RecentTraces {
  readonly #capacityBytes: number;
  readonly #rows = new Map<string, RowsInBatch>();
  #sizeBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** A trace's rows with their versions, one behind the other. */
  get(traceKey: string): RowsInBatch | undefined {
    return this.#rows.get(traceKey);
  }

  set(traceKey: string, rows: RowsInBatch): void {
    this.delete(traceKey);
    this.#rows.set(traceKey, rows);
    this.#sizeBytes += sizeOf(rows);
    for (const [oldest] of this.#rows) {
      if (this.#sizeBytes <= this.#capacityBytes) break;
      this.delete(oldest);
    }
  }

  delete(traceKey: string): void {
    const rows = this.#rows.get(traceKey);
    if (rows === undefined) return;
    this.#rows.delete(traceKey);
    this.#sizeBytes -= sizeOf(rows);
  }

  clear(): void {
    this.#rows.clear();
    this.#sizeBytes = 0;
  }
}

function sizeOf(rows: RowsInBatch): number {
  return rows.end - rows.start + BYTES_PER_ENTRY;
}
