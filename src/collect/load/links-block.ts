import { Block } from '../../store/index.ts';
import { LINK_WORDS, type SpanTable } from '../table/span-table.ts';

/** Rows for the table `links`: which trace's work hangs on which other trace, each pair once. Gives the targets, too. */
export function linksBlock(table: SpanTable, batch: number): { block: Block; targets: readonly Uint32Array[] } {
  const pairs = new Map<string, { readonly row: number; readonly target: Uint32Array }>();
  for (const [row, links] of table.links) {
    const source = table.trace.subarray(row * 4, row * 4 + 4);
    for (let at = 0; at < links.length; at += LINK_WORDS) {
      const target = links.subarray(at, at + 4);
      if (target.every((word, place) => word === source[place])) continue;
      pairs.set(`${table.namespace[row]}.${source.join('.')}.${target.join('.')}`, { row, target });
    }
  }
  const found = [...pairs.values()];
  const block = new Block(found.length);
  const [targets, sources] = [new Uint32Array(found.length * 4), new Uint32Array(found.length * 4)];
  found.forEach(({ row, target }, at) => {
    targets.set(target, at * 4);
    sources.set(table.trace.subarray(row * 4, row * 4 + 4), at * 4);
  });
  block.fixed('batch', 'UInt64', new BigUint64Array(found.length).fill(BigInt(batch)));
  block.texts(
    'namespace',
    table.texts,
    Uint32Array.from(found, ({ row }) => table.namespace[row]!),
  );
  block.fixed('target', 'FixedString(16)', targets);
  block.fixed('source', 'FixedString(16)', sources);
  return { block, targets: found.map(({ target }) => target) };
}
