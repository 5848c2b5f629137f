import { join } from 'node:path';
import type { ColumnStore } from '../../store/index.ts';
import { countWorkRows, readLinkTargets, readTraceIds, storeName } from './queries.ts';
import { RememberedIds } from './remembered-ids.ts';
import type { SeenIds } from './seen-ids.ts';

const MILLIS_PER_DAY = 86_400_000;
/** A repeat that comes later than this counts again. */
const DAYS_REMEMBERED = 62;

/** Which traces are stored, and to which ones links lead: only these can have dependents. */
export class StoredTraces {
  readonly #traces: RememberedIds;
  readonly #targets: RememberedIds;

  private constructor(traces: RememberedIds, targets: RememberedIds) {
    this.#traces = traces;
    this.#targets = targets;
  }

  /** Takes  seenFolder: where it was written down; absent for nowhere. */
  static async open(columns: ColumnStore, nowMs: number, seenFolder: string | undefined): Promise<StoredTraces> {
    const today = Math.floor(nowMs / MILLIS_PER_DAY);
    const sinceDay = Math.max(0, today - DAYS_REMEMBERED);
    const path = (name: string) => (seenFolder === undefined ? null : join(seenFolder, name));
    const shared = { store: await storeName(columns), today };
    const traces = await RememberedIds.open({
      ...{ ...shared, path: path('traces'), sinceDay },
      expected: async () => Math.floor((await countWorkRows(columns)) / 4),
      async *readAfter(batch, expected) {
        const buckets = Math.max(1, Math.ceil(expected / 5_000_000));
        for (let bucket = 0; bucket < buckets; bucket++)
          yield wordsOf(await readTraceIds(columns, { batch, sinceDay }, bucket, buckets));
      },
    });
    const targets = await RememberedIds.open({
      ...{ ...shared, path: path('targets'), sinceDay: 0 },
      expected: async () => 10_000,
      async *readAfter(batch) {
        yield wordsOf(await readLinkTargets(columns, batch));
      },
    });
    return new StoredTraces(traces, targets);
  }

  get seen(): SeenIds {
    return this.#traces.seen;
  }

  /** Null where no link was ever stored: then there is nothing to ask the store for. */
  get linkTargets(): SeenIds | null {
    const { seen } = this.#targets;
    return seen.count === 0 ? null : seen;
  }

  addTarget(words: Uint32Array, at: number): void {
    this.#targets.seen.add(words, at);
  }

  /** Writes it down. Takes  batch: up to which nothing waits any more. isLast: the process ends. */
  async save(batch: number, isLast: boolean): Promise<void> {
    await this.#traces.save(batch, isLast);
    await this.#targets.save(batch, isLast);
  }
}

/** Ids as the engine gives them, one behind the other. */
function wordsOf(bytes: Buffer): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
