import { CounterTable } from './counter-table.ts';
import { SubjectRows } from './subject-rows.ts';

/** What looking through a chunk of counters costs beside taking one over. */
const CHUNK = 100;

/**
 * Begins counters anew with those that say something, some at a time. The old ones go on deciding meanwhile: what changes in them is taken over
 * once more.
 *
 * Holds  when it is over, the new counters say what the old ones say. A step takes over so many, and those that changed since the last one.
 */
export class Sweep {
  readonly rows = new SubjectRows();
  readonly tables = new Map<string, CounterTable>();
  readonly #old: SubjectRows;
  readonly #work: Generator<number>;
  #changed = new Map<CounterTable, Set<number>>();

  /** Takes  tables: of the old counters; some may come while it lasts. nowUs: what is idle then is left behind. */
  constructor(old: SubjectRows, tables: ReadonlyMap<string, CounterTable>, nowUs: number) {
    this.#old = old;
    this.#work = this.#takeAll(tables, nowUs);
  }

  /** Must be told of every counter that changes. */
  changed(table: CounterTable, row: number): void {
    const known = this.#changed.get(table);
    if (known === undefined) this.#changed.set(table, new Set([row]));
    else known.add(row);
  }

  /** Gives  whether that was all. */
  step(most: number): boolean {
    const changed = this.#changed;
    this.#changed = new Map();
    for (const [table, rows] of changed) for (const row of rows) this.#take(table, row);
    for (let spent = 0; spent < most; ) {
      const { done, value } = this.#work.next();
      if (done) return true;
      spent += value;
    }
    return false;
  }

  *#takeAll(tables: ReadonlyMap<string, CounterTable>, nowUs: number): Generator<number> {
    for (const table of tables.values())
      for (const used of table.usedChunks(nowUs)) {
        yield CHUNK;
        for (const row of used) {
          this.#take(table, row);
          yield 1;
        }
      }
  }

  #take(table: CounterTable, row: number): void {
    const { limit } = table;
    let own = this.tables.get(limit.counterId);
    if (own === undefined) {
      own = new CounterTable(limit, this.rows.pathOf(limit.policy.per));
      this.tables.set(limit.counterId, own);
    }
    own.put(this.rows.add(own.path, this.#old.subjectOf(table.path, row)), table.record([], row));
  }
}
