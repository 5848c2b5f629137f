import type { ColumnStore } from '../../store/index.ts';
import type { SegmentContent } from '../journal/segment.ts';
import { SeenTraces } from '../load/seen.ts';
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
  #seen = new SeenTraces();

  constructor(columns: ColumnStore, nowMs: () => number) {
    this.#columns = columns;
    this.#nowMs = nowMs;
  }

  /** Learns which events are stored. */
  async start(): Promise<void> {
    const rows = await countEvents(this.#columns, this.#sinceDay);
    this.#seen = new SeenTraces(Math.max(1_000_000, rows));
    const buckets = Math.max(1, Math.ceil(rows / HASHES_PER_READ));
    for (let bucket = 0; bucket < buckets; bucket++) {
      const words = wordsOf(await readEventHashes(this.#columns, this.#sinceDay, bucket, buckets));
      for (let at = 0; at < words.length; at += 4) this.#seen.add(words, at);
    }
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
    const perhaps = [...first.keys()].filter((_, place) => this.#seen.has(words, place * 4));
    const stored = await storedHashes(this.#columns, this.#sinceDay, perhaps);
    // Before the insert, not after it: where its outcome stays unknown, the store must be asked the next time.
    for (let at = 0; at < words.length; at += 4) this.#seen.add(words, at);
    return [...first].filter(([hash]) => !stored.has(hash)).map(([, event]) => event);
  }

  get #sinceDay(): number {
    return Math.max(0, Math.floor(this.#nowMs() / MILLIS_PER_DAY) - DAYS_REMEMBERED);
  }
}

/** Hashes one behind the other, as numbers. */
function wordsOf(bytes: Buffer): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
