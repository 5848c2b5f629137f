import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ColumnStore } from '../store/index.ts';
import { chargeColumns } from './charge-block.ts';
import { SEGMENT_ROWS, type Segment } from './spool.ts';

/**
 * Writes the rows of a spool to table `charges`. Nobody sees them yet.
 *
 * Takes  segments to write, any order; folder: for files put together; monthOf: the partition that a segment belongs to.
 * Holds  a file never has more than SEGMENT_ROWS rows and never crosses a partition: one file, one block, one part.
 */
export async function loadCharges(
  columns: ColumnStore,
  segments: readonly Segment[],
  folder: string,
  monthOf: (segment: Segment) => string,
): Promise<void> {
  for (const [index, batch] of batchesOf(segments, monthOf).entries()) {
    const [first] = batch;
    const path = batch.length === 1 ? first!.path : join(folder, `${index}.load`);
    if (batch.length > 1) await concatenate(batch, path);
    await columns.insertFile('charges', { columns: chargeColumns }, path);
  }
}

/** Puts small segments of the same month together: many accounts would otherwise become as many inserts. Pure. */
export function batchesOf(segments: readonly Segment[], monthOf: (segment: Segment) => string): Segment[][] {
  const sorted = segments.map((segment) => ({ segment, month: monthOf(segment) }));
  sorted.sort((a, b) => (a.month < b.month ? -1 : a.month > b.month ? 1 : 0));
  const batches: Segment[][] = [];
  let rows = SEGMENT_ROWS;
  let month: string | undefined;
  for (const each of sorted) {
    rows += each.segment.rows;
    if (each.month === month && rows <= SEGMENT_ROWS) {
      batches.at(-1)!.push(each.segment);
      continue;
    }
    batches.push([each.segment]);
    rows = each.segment.rows;
    month = each.month;
  }
  return batches;
}

/** Blocks stand one after another in a file, so files of blocks are joined byte by byte. */
async function concatenate(batch: readonly Segment[], path: string): Promise<void> {
  for (const segment of batch) {
    await pipeline(createReadStream(segment.path), createWriteStream(path, { flags: 'a' }));
  }
}
