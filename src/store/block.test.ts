import { expect, it } from 'vitest';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { Block, packTexts } from './block.ts';
import { openStore } from './store.ts';
import { Texts } from './texts.ts';

it('a block arrives as it was built, in one part', async () => {
  const folder = tempFolder('block');
  const store = await openStore({ folder: folder.path });
  try {
    await store.columns.command(
      `CREATE TABLE built (n UInt64, id FixedString(4), t LowCardinality(String), s String, c String, r UInt16, w LowCardinality(String), maybe Nullable(UInt64), links Array(FixedString(2)), named Map(LowCardinality(String), String))
       ENGINE = MergeTree ORDER BY n`,
    );
    const rows = 70_000;
    const block = new Block(rows);
    const numbers = BigUint64Array.from({ length: rows }, (_, row) => BigInt(row));
    block.fixed('n', 'UInt64', numbers);
    block.constant('id', 'FixedString(4)', Buffer.from('abcd'));
    const texts = manyTexts(rows);
    block.texts(
      't',
      texts,
      Uint32Array.from({ length: rows }, (_, row) => row % 3),
    );
    block.texts(
      's',
      texts,
      Uint32Array.from({ length: rows }, (_, row) => row),
    );
    block.text('c', 'same');
    const runs = [3, 0, 69_997];
    block.runs(
      'r',
      'UInt16',
      runs.map((length, run) => ({ value: Uint8Array.of(run, 1), rows: length })),
    );
    block.textRuns(
      'w',
      ['first', 'never', ''].map((value, run) => ({ value, rows: runs[run]! })),
    );
    block.nullable(
      'maybe',
      'UInt64',
      Uint8Array.from({ length: rows }, (_, row) => row % 2),
      numbers,
    );
    block.lists(
      'links',
      'FixedString(2)',
      Array.from({ length: rows }, (_, row) => (row === 0 ? 0 : 2)),
      Buffer.from('wxyz'),
    );
    // Every row but the first one: its own text, and one of two that are the same.
    block.namedTexts(
      'named',
      Array.from({ length: rows }, (_, row) => row * 2),
      ['own', 'twice'],
      Uint32Array.from({ length: 2 * rows - 2 }, (_, item) => (item % 2) + 1),
      { count: rows + 2, bytes: behindLengths([...Array.from({ length: rows }, (_, i) => `v${i}`), 'same', 'same']) },
      Uint32Array.from({ length: 2 * rows - 2 }, (_, item) =>
        item % 2 === 0 ? item / 2 + 1 : rows + (((item - 1) / 2) % 2),
      ),
    );
    await store.columns.insertBlock('built', block, 'built-1');
    const [answer] = await store.columns.query(
      `SELECT count() AS rows, sum(n) AS total, uniqExact(_part) AS parts, uniqExact(s) AS different, min(id) AS id, max(c) AS same,
        countIf(s = if(n = 0, '', concat('text ', toString(n)))) AS right, countIf(t = if(n % 3 = 0, '', concat('text ', toString(n % 3)))) AS low,
        countIf(r = if(n < 3, 256, 258)) AS run, countIf(w = if(n < 3, 'first', '')) AS words,
        sum(maybe) AS even, count(maybe) AS known, groupArrayIf(links, n < 2) AS links,
        countIf(named = map('own', concat('v', toString(n)), 'twice', 'same')) AS maps, groupArrayIf(named, n = 0) AS none FROM built`,
    );
    expect(answer).toEqual({
      ...{
        rows: '70000',
        total: '2449965000',
        parts: '1',
        different: '70000',
        id: 'abcd',
        same: 'same',
        right: '70000',
      },
      ...{ run: '70000', words: '70000' },
      ...{ low: '70000', even: '1224965000', known: '35000', links: [[], ['wx', 'yz']] },
      ...{ maps: '69999', none: [{}] },
    });
  } finally {
    await store.close();
    folder.remove();
  }
});

it('packs equal columns alike, whatever the numbers of their texts are', () => {
  const pack = (numbered: readonly string[], column: readonly string[]) => {
    const texts = new Texts();
    for (const text of numbered) texts.idOfString(text);
    return packTexts(
      texts,
      Uint32Array.from(column, (text) => texts.idOfString(text)),
    );
  };
  const packed = pack([], ['b', '', 'é', 'b']);
  expect(pack(['é', 'c', 'b'], ['b', '', 'é', 'b'])).toEqual(packed);
  expect([...packed.keys]).toEqual([1, 0, 2, 1]);
  expect(Buffer.from(packed.entries).toString()).toBe('\0\x01b\x02é');
});

/** Short texts as a dictionary has them; the first one is the empty text. */
function behindLengths([, ...texts]: readonly string[]): Buffer {
  return Buffer.concat(['', ...texts].flatMap((text) => [Buffer.of(text.length), Buffer.from(text)]));
}

function manyTexts(count: number) {
  const bytes = Buffer.from(Array.from({ length: count - 1 }, (_, i) => `text ${i + 1}`).join(''));
  const ends = [0];
  for (let id = 1; id < count; id++) ends.push(ends[id - 1]! + `text ${id}`.length);
  return { count, bytes, startOf: (id: number) => (id === 0 ? 0 : ends[id - 1]!), endOf: (id: number) => ends[id]! };
}
