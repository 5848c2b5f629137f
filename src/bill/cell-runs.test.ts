import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowWriter } from '../store/index.ts';
import { Cell, lengthFirst } from './cell.ts';
import { CellRuns } from './cell-runs.ts';

const cells = ['a', 'bb', 'ccc'].flatMap((column, key) =>
  ['', 'x', 'ä'.repeat(200)].map((text) => new Cell(column, key, lengthFirst(column), `v${text}`)),
);
/** Rows that share much with the row before: a few cells are put in, taken out or changed. */
const rows = fc.array(fc.array(fc.constantFrom(...cells), { maxLength: 12 }), { maxLength: 12 });

test.each(['entry', 'value'] as const)('each row is written as if it were the first: %s', (form) => {
  fc.assert(
    fc.property(rows, fc.boolean(), (all, isOneBuffer) => {
      const runs = new CellRuns(form);
      let [to, before] = [new RowWriter(8), new RowWriter(8)];
      for (const row of all) {
        if (isOneBuffer) before = to;
        else {
          [to, before] = [before, to];
          to.reset();
        }
        const from = to.sizeBytes;
        runs.write(to, row, before.bytes());
        const expected = row.map(({ entry, valueAt }) => (form === 'entry' ? entry : entry.subarray(valueAt)));
        expect(to.bytes().subarray(from)).toEqual(Buffer.concat(expected));
      }
    }),
  );
});
