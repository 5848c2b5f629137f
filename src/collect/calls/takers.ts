import { LINK_WORDS, type SpanTable } from '../table/span-table.ts';
import { compareWords } from './compare-words.ts';
import { type Forest, NOBODY } from './forest.ts';
import { spanLinkWords } from './request-ids.ts';
import { isLower } from './span-lookup.ts';

/** How many links are followed for one consumer; what lies behind more is unattributed. */
const MOST_LINKS_FOLLOWED = 1_000;

/** A link with the row that it stands on, which says in which namespace it leads. */
interface Link {
  readonly row: number;
  readonly words: Uint32Array;
  readonly at: number;
}

/** Finds out which calls spans under linked consumers work for. */
export class Takers {
  readonly #forest: Forest;
  readonly #table: SpanTable;
  readonly #known = new Map<number, readonly number[]>();
  /** For traces that links lead to: the lowest row of each span id. */
  readonly #bySpan = new Map<number, Map<string, number>>();

  constructor(forest: Forest) {
    this.#forest = forest;
    this.#table = forest.table;
  }

  /**
   * Takes  consumer: the row of a linked consumer.
   * Gives  call roots, each once, in the order of the smallest link that leads to each; -1 for what leads nowhere.
   * Holds  each consumer is followed once, so that circles of links end.
   */
  of(consumer: number): readonly number[] {
    const known = this.#known.get(consumer);
    if (known) return known;
    const takers = this.#follow(consumer);
    this.#known.set(consumer, takers);
    return takers;
  }

  #follow(consumer: number): readonly number[] {
    const { owner, isCall, onlyCall, index } = this.#forest;
    const takers = new Set<number>();
    const followed = new Set([consumer]);
    const waiting = this.#linksOf(consumer).reverse();
    for (let left = MOST_LINKS_FOLLOWED; waiting.length > 0; left--) {
      const found = left > 0 ? this.#find(waiting.pop()!) : NOBODY;
      if (left <= 0) waiting.length = 0;
      const above = found === NOBODY ? NOBODY : owner[found]!;
      if (found === NOBODY) takers.add(NOBODY);
      else if (above === NOBODY) takers.add(onlyCall[index.traceOf[found]!]!);
      else if (isCall[above] === 1) takers.add(above);
      else if (!followed.has(above)) {
        followed.add(above);
        // Depth first, so that what this link leads to stands before what the next one leads to.
        waiting.push(...this.#linksOf(above).reverse());
      }
    }
    return takers.size === 0 ? [NOBODY] : [...takers];
  }

  #linksOf(row: number): Link[] {
    const words = this.#table.links.get(row)!;
    const links = Array.from({ length: spanLinkWords(words) / LINK_WORDS }, (_, link) => ({
      row,
      words,
      at: link * LINK_WORDS,
    }));
    return links.sort((a, b) => compareWords(a.words, a.at, b.words, b.at, LINK_WORDS));
  }

  #find({ row, words, at }: Link): number {
    const trace = this.#forest.index.findId(words, at, this.#table.namespace[row]!);
    if (trace < 0) return NOBODY;
    return this.#spansOf(trace).get(`${words[at + 4]}.${words[at + 5]}`) ?? NOBODY;
  }

  #spansOf(trace: number): Map<string, number> {
    const known = this.#bySpan.get(trace);
    if (known) return known;
    const { ordered, orderedFrom, orderedTo } = this.#forest;
    const { span } = this.#table;
    const rows = new Map<string, number>();
    for (let place = orderedFrom[trace]!; place < orderedTo[trace]!; place++) {
      const row = ordered[place]!;
      const id = `${span[row * 2]}.${span[row * 2 + 1]}`;
      const other = rows.get(id);
      if (other === undefined || isLower(this.#table, row, other)) rows.set(id, row);
    }
    this.#bySpan.set(trace, rows);
    return rows;
  }
}
