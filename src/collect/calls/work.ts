import { splitWeight } from '../weight.ts';
import { CallNames } from './call-names.ts';
import { type CallRules, everyCall } from './call-rules.ts';
import { type Forest, NOBODY } from './forest.ts';
import type { StoredVersion } from './stored-version.ts';
import { Takers } from './takers.ts';
import { WorkMeasure } from './work-measure.ts';

/** Rows that splits of one batch may make. */
const MOST_SPLIT_ROWS = 1_000_000;

/**
 * What is true of the traces of a batch: one entry per span and taker, trace by trace.
 *
 * Gives  for each entry its row, the root of the call that it is work of (-1: nobody's), and its share of the row's weight in millionths.
 * Holds  the shares of a span's takers add up to the span's weight.
 */
export class Work {
  readonly forest: Forest;
  readonly names: CallNames;
  readonly measure: WorkMeasure;
  entries = 0;
  /** Entries of spans that were split over several calls, and how many spans were not because there were too many. */
  splitRows = 0;
  cutSplits = 0;
  row: Int32Array;
  root: Int32Array;
  share: Float64Array;
  /** Of each trace its entries; only of those that were decided. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly #takers: Takers;

  constructor(forest: Forest, rules: CallRules = everyCall(), stored: readonly StoredVersion[] = []) {
    const { rows } = forest.table;
    this.forest = forest;
    this.names = new CallNames(forest, rules, stored);
    this.measure = new WorkMeasure(forest);
    this.row = new Int32Array(rows);
    this.root = new Int32Array(rows);
    this.share = new Float64Array(rows);
    this.from = new Int32Array(forest.index.traces);
    this.to = new Int32Array(forest.index.traces);
    this.#takers = new Takers(forest);
  }

  /** Measures every span of a trace and gives its work to its takers. */
  decide(trace: number): void {
    const { forest } = this;
    const { ordered, orderedFrom, orderedTo, owner, isCall, onlyCall } = forest;
    this.from[trace] = this.entries;
    this.measure.compare(orderedFrom[trace]!, orderedTo[trace]!);
    for (let place = orderedFrom[trace]!; place < orderedTo[trace]!; place++) {
      const row = ordered[place]!;
      this.measure.measure(row);
      const above = owner[row]!;
      if (above === NOBODY) this.#add(row, onlyCall[trace]!, this.#weightOf(row));
      else if (isCall[above] === 1) this.#add(row, above, this.#weightOf(row));
      else this.#split(row, this.#accepted(this.#takers.of(above)));
    }
    this.to[trace] = this.entries;
  }

  #split(row: number, takers: readonly number[]): void {
    // Beyond what memory can hold nobody is charged: that shows as unattributed, and a batch ends.
    if (this.splitRows + takers.length > MOST_SPLIT_ROWS) {
      this.cutSplits += 1;
      this.#add(row, NOBODY, this.#weightOf(row));
      return;
    }
    this.splitRows += takers.length;
    const shares = splitWeight(this.#weightOf(row), takers.length);
    takers.forEach((root, place) => {
      this.#add(row, root, shares[place]!);
    });
  }

  /** Links that lead to refused calls lead to nobody, like others that do: together they are one taker. */
  #accepted(takers: readonly number[]): readonly number[] {
    const { isRefused, refusedCalls } = this.names;
    if (refusedCalls === 0) return takers;
    return [...new Set(takers.map((root) => (root !== NOBODY && isRefused[root] === 1 ? NOBODY : root)))];
  }

  #weightOf(row: number): number {
    const { weight } = this.forest.table;
    return weight[row * 2]! + weight[row * 2 + 1]! * 2 ** 32;
  }

  #add(row: number, root: number, share: number): void {
    if (this.entries === this.row.length) this.#grow();
    this.row[this.entries] = row;
    this.root[this.entries] = root !== NOBODY && this.names.isRefused[root] === 1 ? NOBODY : root;
    this.share[this.entries++] = share;
  }

  #grow(): void {
    const length = Math.max(64, this.entries * 2);
    const [row, root, share] = [new Int32Array(length), new Int32Array(length), new Float64Array(length)];
    row.set(this.row);
    root.set(this.root);
    share.set(this.share);
    this.row = row;
    this.root = root;
    this.share = share;
  }
}
