import { Block, type ColumnStore, RowReader, Texts } from '../../store/index.ts';
import { minuteGroups, minuteSums } from './minute-columns.ts';
import { readMinutes, uncountedBatches } from './queries.ts';

const BYTES_PER_SUM = 16;

/**
 * Counts the batches whose work is stored but which a crash or an outage left uncounted, each with its marker in one block.
 * It is inserted the way `minutesBlock` is and under the same name, so that of the two only one takes effect, however late.
 */
export async function countStored(columns: ColumnStore): Promise<void> {
  for (const batch of await uncountedBatches(columns)) {
    const block = storedMinutes(await readMinutes(columns, batch), batch);
    await columns.insertBlock('usage_minute', block, `usage_minute-${batch}`);
  }
}

function storedMinutes(answer: Buffer, batch: number): Block {
  const groups = RowReader.countRows(answer, minuteGroups.length, (1 + minuteSums.length) * BYTES_PER_SUM);
  const [texts, reader, block] = [new Texts(), new RowReader(answer), new Block(groups + 1)];
  const columns = minuteGroups.map(() => new Uint32Array(block.rows));
  const sums = [null, ...minuteSums].map(() => new Uint32Array(block.rows * 4));
  for (let group = 0; group < groups; group++) {
    for (const column of columns) column[group] = reader.text(texts);
    for (const sum of sums) reader.words128(sum, group);
  }
  const marker = new BigUint64Array(block.rows);
  marker[groups] = BigInt(batch);
  block.fixed('marker', 'UInt64', marker);
  const [minute, ...others] = sums;
  block.fixed(
    'minute',
    "DateTime('UTC')",
    Uint32Array.from({ length: block.rows }, (_, group) => minute![group * 4]!),
  );
  minuteGroups.forEach(({ column }, place) => {
    block.texts(column, texts, columns[place]!);
  });
  minuteSums.forEach(({ column }, place) => {
    if (column === 'calls') others[place]![groups * 4] = 1;
    block.fixed(column, 'Int128', others[place]!);
  });
  return block;
}
