import { Block } from '../../store/index.ts';
import type { Changes } from '../calls/versions.ts';
import type { Work } from '../calls/work.ts';
import { ExactSums } from './exact-sums.ts';
import { groupRows } from './group-rows.ts';
import { type CountedCalls, minuteGroups, minuteSums } from './minute-columns.ts';

/** A minute has 2^11 times this many nanoseconds. */
const MINUTE_PARTS = 29_296_875;
const SECONDS_PER_MINUTE = 60;

/**
 * Counts the calls of a batch by minute, with the marker that says that the batch is counted.
 *
 * Holds  what is added is what `countStored` makes of the rows that the batch stores.
 */
export function minutesBlock(work: Work, changes: Changes, batch: number): Block {
  const calls = countedCalls(work, changes);
  const minute = minutesOf(calls);
  const columns = minuteGroups.map(({ texts }) => texts(calls));
  const { of, first } = groupRows([minute, ...columns], calls.rows);
  const [groups, block] = [first.length, new Block(first.length + 1)];
  // The marker is the last row.
  const marker = new BigUint64Array(block.rows);
  marker[groups] = BigInt(batch);
  block.fixed('marker', 'UInt64', marker);
  const seconds = gathered(minute, first);
  for (let group = 0; group < groups; group++) seconds[group]! *= SECONDS_PER_MINUTE;
  block.fixed('minute', "DateTime('UTC')", seconds);
  minuteGroups.forEach(({ column }, place) => {
    block.texts(column, work.forest.table.texts, gathered(columns[place]!, first));
  });
  for (const { column, of: quantity } of minuteSums) {
    const sums = new ExactSums(block.rows);
    for (let at = 0; at < calls.rows; at++) {
      const value = quantity(calls, at);
      sums.add(of[at]!, calls.sign[at]! < 0 ? -value : value);
    }
    if (column === 'calls') sums.add(groups, 1);
    // What is nowhere above zero is the engine's to fill in.
    if (!sums.isZero) sums.addTo(block, column);
  }
  return block;
}

/** Of each group the value of its first row; of the marker, behind them, 0. */
function gathered(column: Uint32Array, first: Uint32Array): Uint32Array<ArrayBuffer> {
  const values = new Uint32Array(first.length + 1);
  for (let group = 0; group < first.length; group++) values[group] = column[first[group]!]!;
  return values;
}

/** Exact: without its last 11 bits, which no minute begins within, a time fits a double. */
function minutesOf({ table, row, rows }: CountedCalls): Uint32Array {
  const minutes = new Uint32Array(rows);
  for (let at = 0; at < rows; at++) {
    const place = row[at]! * 2;
    minutes[at] = (table.start[place + 1]! * 2 ** 21 + (table.start[place]! >>> 11)) / MINUTE_PARTS;
  }
  return minutes;
}

function countedCalls(work: Work, { added, outdated }: Changes): CountedCalls {
  const { forest, names } = work;
  const { table } = forest;
  const most = added.length + outdated.length;
  const [row, sign, share] = [new Int32Array(most), new Int8Array(most), new Float64Array(most)];
  const [tenant, endpoint, consumer] = [new Uint32Array(most), new Uint32Array(most), new Uint32Array(most)];
  let rows = 0;
  for (let at = 0; at < added.length; at++) {
    const entry = added[at]!;
    const root = work.root[entry]!;
    if (root !== work.row[entry]) continue;
    row[rows] = root;
    sign[rows] = 1;
    share[rows] = work.share[entry]!;
    tenant[rows] = names.tenant[root]!;
    endpoint[rows] = names.endpoint[root]!;
    consumer[rows++] = table.consumer[root]!;
  }
  for (const version of outdated) {
    if (version.isCall === 0) continue;
    row[rows] = version.row;
    sign[rows] = -1;
    share[rows] = version.share;
    tenant[rows] = version.tenant;
    endpoint[rows] = version.endpoint;
    consumer[rows++] = version.consumer;
  }
  return { table, rows, row, sign, share, tenant, endpoint, consumer };
}
