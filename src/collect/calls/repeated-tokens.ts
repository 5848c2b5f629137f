import { measures } from '../table/span-table.ts';
import { type Forest, NOBODY } from './forest.ts';

const tokensIn = measures.indexOf('tokens_in');
const tokensOut = measures.indexOf('tokens_out');
const ANY = (1 << tokensIn) | (1 << tokensOut);
const IN = 1;
const OUT = 2;

/**
 * Finds spans that say tokens which a span below them says as well: frameworks repeat what their model client used.
 *
 * Takes  from, to: the places of a trace in the forest's order. repeats: by row, gets 1 for tokens in, 2 for tokens out.
 * Holds  of spans that stand above each other only the lowest counts.
 */
export function markRepeatedTokens(forest: Forest, from: number, to: number, repeats: Uint8Array): void {
  const { table, ordered, parent } = forest;
  if ((table.measured & ANY) === 0) return;
  let below: Map<number, number> | null = null;
  for (let place = from; place < to; place++) {
    const row = ordered[place]!;
    const own = tokensOf(forest, row);
    if (own === 0) continue;
    for (let above = parent[row]!; above !== NOBODY; above = parent[above]!) {
      below ??= new Map();
      const known = below.get(above) ?? 0;
      if ((known | own) === known) break;
      below.set(above, known | own);
    }
  }
  if (below === null) return;
  for (const [row, tokens] of below) repeats[row] = tokens & tokensOf(forest, row);
}

function tokensOf({ table }: Forest, row: number): number {
  const has = (which: number) => (table.measures[which]?.[row] ?? Number.NaN) >= 0;
  return (has(tokensIn) ? IN : 0) | (has(tokensOut) ? OUT : 0);
}
