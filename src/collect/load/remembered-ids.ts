import { readSeen, writeSeen } from './seen-file.ts';
import { SeenIds } from './seen-ids.ts';

/** So many new ids are read from the store again after a crash, or a sixteenth of all: few enough to start quickly. */
const LEAST_NEW = 500_000;

export interface RememberedDeps {
  /** Where it is written down; null for nowhere. */
  readonly path: string | null;
  /** Names the tables that the ids are in. */
  readonly store: string;
  /** How many ids to make room for when all are read. */
  readonly expected: () => Promise<number>;
  /** Gives ids of all batches after one, four words each, in parts that fit memory. */
  readonly readAfter: (batch: number, expected: number) => AsyncIterable<Uint32Array>;
  /** What was added last before this day is forgotten. */
  readonly sinceDay: number;
  readonly today: number;
}

/** Ids that the store has, known without asking it, and written down now and then. */
export class RememberedIds {
  readonly seen: SeenIds;
  readonly #deps: RememberedDeps;
  #written: number;

  private constructor(seen: SeenIds, deps: RememberedDeps, written: number) {
    this.seen = seen;
    this.#deps = deps;
    this.#written = written;
  }

  /** Reads what was written down, and the rest from the store. */
  static async open(deps: RememberedDeps): Promise<RememberedIds> {
    const file = deps.path === null ? null : await readSeen(deps.path);
    const isOurs = file !== null && file.store === deps.store;
    const expected = isOurs ? 0 : await deps.expected();
    const seen = isOurs ? file.seen : new SeenIds(Math.max(1_000_000, expected));
    seen.forgetBefore(deps.sinceDay);
    const written = isOurs ? seen.count : -LEAST_NEW;
    for await (const ids of deps.readAfter(isOurs ? file.batch : 0, expected))
      for (let at = 0; at < ids.length; at += 4) seen.add(ids, at, deps.today);
    return new RememberedIds(seen, deps, written);
  }

  /** Writes down what is known when that is worth it. Takes  batch: up to which nothing is missing. isLast: worth it for less. */
  async save(batch: number, isLast = false): Promise<void> {
    const { path, store } = this.#deps;
    const fresh = this.seen.count - this.#written;
    if (path === null || fresh < (isLast ? 1 : Math.max(LEAST_NEW, this.seen.count / 16))) return;
    const count = this.seen.count;
    await writeSeen(path, { seen: this.seen, batch, store });
    this.#written = count;
  }
}
