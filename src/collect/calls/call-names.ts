import { UNKNOWN_TENANT } from '../../model/index.ts';
import { OTHER_ENDPOINT } from '../naming/endpoint-budget.ts';
import { DerivedTexts } from '../table/derived-texts.ts';
import { PairNumbers } from '../table/pair-numbers.ts';
import type { SpanTable } from '../table/span-table.ts';
import type { CallRules } from './call-rules.ts';
import { compareWords } from './compare-words.ts';
import { type Forest, NOBODY } from './forest.ts';
import type { StoredVersion } from './stored-version.ts';

/**
 * Whose call it is and at which endpoint, by call root, as numbers of texts.
 * The root's own attributes say who calls, then its resource, then its descendants from the earliest on.
 */
export class CallNames {
  readonly tenant: Uint32Array;
  readonly endpoint: Uint32Array;
  readonly resolver: Uint32Array;
  /** Roots of what is no call because nobody is said to pay for it: 1. */
  readonly isRefused: Uint8Array;
  refusedCalls = 0;
  /** Calls that were put under `other` now: their tenant has its fill of endpoints. */
  overflowed = 0;
  readonly #rules: CallRules;
  /** Of a call that is stored, by row: the version that says so. What was decided about it stays. */
  readonly #stored: ReadonlyMap<number, StoredVersion>;
  /** What the budget said, by number of a pair of tenant and endpoint. */
  readonly #asked = new PairNumbers();
  readonly #admitted: (number | undefined)[] = [];
  readonly #forest: Forest;
  readonly #table: SpanTable;
  readonly #ofSpan: DerivedTexts;
  readonly #ofResource: DerivedTexts;
  readonly #ofDescendant: DerivedTexts;
  readonly #unknownTenant: number;
  readonly #unknownEndpoint: number;

  constructor(forest: Forest, rules: CallRules, stored: readonly StoredVersion[]) {
    const { table } = forest;
    this.#forest = forest;
    this.#table = table;
    this.tenant = new Uint32Array(table.rows);
    this.endpoint = new Uint32Array(table.rows);
    this.resolver = new Uint32Array(table.rows);
    this.isRefused = new Uint8Array(table.rows);
    this.#rules = rules;
    this.#stored = new Map(
      stored.flatMap((version) => (version.isCall === 1 ? [[forest.counted[version.row]!, version] as const] : [])),
    );
    this.#ofSpan = new DerivedTexts(table.texts, (key) => `span:${key}`);
    this.#ofResource = new DerivedTexts(table.texts, (key) => `resource:${key}`);
    this.#ofDescendant = new DerivedTexts(table.texts, (key) => `descendant:${key}`);
    this.#unknownTenant = table.texts.idOfString(UNKNOWN_TENANT);
    this.#unknownEndpoint = table.texts.idOfString('(unknown)');
    for (let row = 0; row < table.rows; row++) if (forest.isCall[row] === 1) this.#name(row);
  }

  #name(row: number): void {
    this.#findTenant(row);
    if (this.isRefused[row] === 0) this.endpoint[row] = this.#endpointOf(row);
  }

  /** The endpoint itself, or `other` where its tenant has its fill; what was decided before holds. */
  #endpointOf(row: number): number {
    const { endpoint } = this.#table;
    const own = endpoint[row] || this.#unknownEndpoint;
    const stored = this.#stored.get(row);
    if (stored !== undefined && stored.tenant === this.tenant[row] && endpoint[stored.row] === endpoint[row])
      return stored.endpoint;
    const admitted = this.#admittedTo(this.tenant[row]!, own);
    if (admitted !== own) this.overflowed += 1;
    return admitted;
  }

  #admittedTo(tenant: number, own: number): number {
    const asked = this.#asked.of(tenant, own);
    this.#admitted[asked] ??= this.#askBudget(tenant, own);
    return this.#admitted[asked]!;
  }

  #askBudget(tenant: number, endpoint: number): number {
    const { texts } = this.#table;
    const isIn = this.#rules.budget.admits(texts.string(tenant), texts.string(endpoint));
    return isIn ? endpoint : texts.idOfString(OTHER_ENDPOINT);
  }

  #findTenant(row: number): void {
    const { tenant, resolver, resourceTenant, resourceResolver } = this.#table;
    if (tenant[row] !== 0) this.#say(row, tenant[row]!, this.#ofSpan.of(resolver[row]!));
    else if (resourceTenant[row] !== 0)
      this.#say(row, resourceTenant[row]!, this.#ofResource.of(resourceResolver[row]!));
    else this.#sayDescendant(row, this.#earliestWithTenant(row));
  }

  #sayDescendant(row: number, said: number): void {
    const { tenant, resolver } = this.#table;
    if (said === NOBODY) this.#sayUnknown(row);
    else this.#say(row, tenant[said]!, this.#ofDescendant.of(resolver[said]!));
  }

  #sayUnknown(row: number): void {
    this.#say(row, this.#unknownTenant, 0);
    // What was nobody's call before such calls were refused stays one.
    if (!this.#rules.refusesUnknown || this.#stored.get(row)?.tenant === this.#unknownTenant) return;
    this.isRefused[row] = 1;
    this.refusedCalls += 1;
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
