import { UNKNOWN_TENANT } from '../../model/index.ts';
import { DerivedTexts } from '../table/derived-texts.ts';
import type { SpanTable } from '../table/span-table.ts';
import { compareWords } from './compare-words.ts';
import { type Forest, NOBODY } from './forest.ts';

/**
 * Whose call it is and at which endpoint, by call root, as numbers of texts.
 * The root's own attributes say who calls, then its resource, then its descendants from the earliest on.
 */
export class CallNames {
  readonly tenant: Uint32Array;
  readonly endpoint: Uint32Array;
  readonly resolver: Uint32Array;
  readonly #forest: Forest;
  readonly #table: SpanTable;
  readonly #ofSpan: DerivedTexts;
  readonly #ofResource: DerivedTexts;
  readonly #ofDescendant: DerivedTexts;
  readonly #unknownTenant: number;
  readonly #unknownEndpoint: number;

  constructor(forest: Forest) {
    const { table } = forest;
    this.#forest = forest;
    this.#table = table;
    this.tenant = new Uint32Array(table.rows);
    this.endpoint = new Uint32Array(table.rows);
    this.resolver = new Uint32Array(table.rows);
    this.#ofSpan = new DerivedTexts(table.texts, (key) => `span:${key}`);
    this.#ofResource = new DerivedTexts(table.texts, (key) => `resource:${key}`);
    this.#ofDescendant = new DerivedTexts(table.texts, (key) => `descendant:${key}`);
    this.#unknownTenant = table.texts.idOfString(UNKNOWN_TENANT);
    this.#unknownEndpoint = table.texts.idOfString('(unknown)');
    for (let row = 0; row < table.rows; row++) if (forest.isCall[row] === 1) this.#name(row);
  }

  #name(row: number): void {
    const { tenant, resolver, resourceTenant, resourceResolver, endpoint } = this.#table;
    this.endpoint[row] = endpoint[row] || this.#unknownEndpoint;
    if (tenant[row] !== 0) this.#say(row, tenant[row]!, this.#ofSpan.of(resolver[row]!));
    else if (resourceTenant[row] !== 0)
      this.#say(row, resourceTenant[row]!, this.#ofResource.of(resourceResolver[row]!));
    else this.#sayDescendant(row, this.#earliestWithTenant(row));
  }

  #sayDescendant(row: number, said: number): void {
    const { tenant, resolver } = this.#table;
    if (said === NOBODY) this.#say(row, this.#unknownTenant, 0);
    else this.#say(row, tenant[said]!, this.#ofDescendant.of(resolver[said]!));
  }

  #say(row: number, tenant: number, resolver: number): void {
    this.tenant[row] = tenant;
    this.resolver[row] = resolver;
  }

  #earliestWithTenant(root: number): number {
    const { firstChild, nextSibling } = this.#forest;
    let earliest = NOBODY;
    const stack = [root];
    for (let above = stack.pop(); above !== undefined; above = stack.pop()) {
      for (let row = firstChild[above]!; row !== NOBODY; row = nextSibling[row]!) {
        if (this.#table.tenant[row] !== 0 && (earliest === NOBODY || isBefore(this.#table, row, earliest)))
          earliest = row;
        if (firstChild[row] !== NOBODY) stack.push(row);
      }
    }
    return earliest;
  }
}

/** By time, then by span id, then by kind. */
function isBefore({ start, span, kind }: SpanTable, a: number, b: number): boolean {
  if (start[a * 2 + 1] !== start[b * 2 + 1]) return start[a * 2 + 1]! < start[b * 2 + 1]!;
  if (start[a * 2] !== start[b * 2]) return start[a * 2]! < start[b * 2]!;
  const order = compareWords(span, a * 2, span, b * 2, 2);
  return order === 0 ? kind[a]! < kind[b]! : order < 0;
}
