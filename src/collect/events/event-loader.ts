import { join } from 'node:path';
import type { ColumnStore } from '../../store/index.ts';
import type { SegmentContent } from '../journal/segment.ts';
import { storeName } from '../load/queries.ts';
import { RememberedIds } from '../load/remembered-ids.ts';
import { eventsBlock } from './events-block.ts';
import { type EventPlaces, eventsIn } from './meter-event.ts';
import { countEvents, hasEventBatch, readEventHashes, storedHashes } from './queries.ts';

const MILLIS_PER_DAY = 86_400_000;
/** A repeat that comes later than this counts again. */
const DAYS_REMEMBERED = 62;
const HASHES_PER_READ = 20_000_000;

/**
 * Brings events into the store, each once; of those with the same identity the first journalled stays.
 *
 * The order in which things become durable, and what a crash between them leaves:
 *   1. events of the batch     one block: the repeat finds the batch number and adds nothing. A batch that held only
 *                              repeats leaves no row, and leaves none when it is loaded again
 *   2. the segment is removed  by the Loader; before that 1 is repeated without effect
 * An insert that the server finishes after its client gave up carries the same token as its repeat, and counts once.
 */
export class EventLoader {
  readonly #columns: ColumnStore;
  readonly #nowMs: () => number;
  /** What may be stored. Its keys are ids of 128 bits, here hashes of events. */
  #remembered: RememberedIds | null = null;
  readonly #folder: string | undefined;

  constructor(columns: ColumnStore, nowMs: () => number, seenFolder?: string) {
    this.#columns = columns;
    this.#nowMs = nowMs;
    this.#folder = seenFolder;
  }

  /** Learns which events are stored. */
  async start(): Promise<void> {
    const [columns, sinceDay] = [this.#columns, this.#sinceDay];
    this.#remembered = await RememberedIds.open({
      path: this.#folder === undefined ? null : join(this.#folder, 'events'),
      store: await storeName(columns),
      ...{ sinceDay, today: this.#today },
      expected: () => countEvents(columns, sinceDay),
      async *readAfter(batch, expected) {
        const buckets = Math.max(1, Math.ceil(expected / HASHES_PER_READ));
        for (let bucket = 0; bucket < buckets; bucket++)
          yield wordsOf(await readEventHashes(columns, { batch, sinceDay }, bucket, buckets));
      },
    });
  }

  /** Writes down which events are stored; as `Loader.saveSeen`. */
  async saveSeen(batch: number, isLast: boolean): Promise<void> {
    await this.#remembered?.save(batch, isLast);
  }

  /** Loads a segment. What the store refuses for now is thrown, and the segment loaded again later. */
  async load(content: SegmentContent): Promise<void> {
    if (await hasEventBatch(this.#columns, content.id)) return;
    const events = await this.#fresh(content.payloads.flatMap((payload) => [...eventsIn(payload)]));
    if (events.length === 0) return;
    const common = { batch: content.id, receivedDay: content.receivedDay, storedMs: this.#nowMs() };
    await this.#columns.insertBlock('events', eventsBlock(events, common), `events-${content.id}`);
  }

  /** Leaves out what is stored already, or stands further up in the same batch. */
  async #fresh(arrived: readonly EventPlaces[]): Promise<EventPlaces[]> {
    const first = new Map<string, EventPlaces>();
    for (const event of arrived) {
      const hash = event.bytes.toString('hex', event.hash, event.hash + 16);
      if (!first.has(hash)) first.set(hash, event);
    }
    const words = wordsOf(Buffer.concat([...first.values()].map(({ bytes, hash }) => bytes.subarray(hash, hash + 16))));
    const perhaps = [...first.keys()].filter((_, place) => this.#remembered!.seen.has(words, place * 4));
    const stored = await storedHashes(this.#columns, this.#sinceDay, perhaps);
    // Before the insert, not after it: where its outcome stays unknown, the store must be asked the next time.
    for (let at = 0; at < words.length; at += 4) this.#remembered!.seen.add(words, at, this.#today);
    return [...first].filter(([hash]) => !stored.has(hash)).map(([, event]) => event);
  }

  get #today(): number {
    return Math.floor(this.#nowMs() / MILLIS_PER_DAY);
  }

  get #sinceDay(): number {
    return Math.max(0, this.#today - DAYS_REMEMBERED);
  }
}

/** Hashes one behind the other, as numbers. */
function wordsOf(bytes: Buffer): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
