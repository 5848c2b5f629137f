import type { RowWriter } from '../store/index.ts';
import type { Cell } from './cell.ts';

/**
 * Writes the cells of row after row. Most cells of a row are those of the row before: where some stand beside each other again, what
 * was written of them then is copied as one piece.
 */
export class CellRuns {
  readonly #form: 'entry' | 'value';
  readonly #last: Cell[] = [];
  /** Where each of the last row's cells begins in what it was written to, and where the last one ends. */
  #starts: number[] = [];
  #next: number[] = [];

  /** Takes  form: whether a cell is written with its column or without. */
  constructor(form: 'entry' | 'value') {
    this.#form = form;
  }

  /** Takes  before: what the last row was written to. */
  write(to: RowWriter, cells: readonly Cell[], before: Buffer): void {
    const [last, starts, next] = [this.#last, this.#starts, this.#next];
    for (let at = 0; at < cells.length; ) {
      let end = at;
      while (end < cells.length && cells[end] === last[end]) end++;
      if (end === at) {
        next[at] = to.sizeBytes;
        this.#writeOne(to, cells[at]!);
        last[at] = cells[at]!;
        at += 1;
        continue;
      }
      const moved = to.sizeBytes - starts[at]!;
      to.copy(before, starts[at]!, starts[end]!);
      for (; at < end; at++) next[at] = starts[at]! + moved;
    }
    next[cells.length] = to.sizeBytes;
    last.length = cells.length;
    next.length = cells.length + 1;
    this.#starts = next;
    this.#next = starts;
  }

  #writeOne(to: RowWriter, { entry, valueAt }: Cell): void {
    to.copy(entry, this.#form === 'entry' ? 0 : valueAt, entry.length);
  }
}
