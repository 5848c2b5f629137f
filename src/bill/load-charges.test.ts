import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchesOf } from './load-charges.ts';
import { SEGMENT_ROWS, type Segment } from './spool.ts';

const anySegments = fc
  .array(fc.record({ month: fc.constantFrom('2024-08', '2024-09'), rows: fc.integer({ min: 1, max: SEGMENT_ROWS }) }))
  .map((all) => all.map(({ month, rows }, i): Segment => ({ unit: month, path: String(i), rows })));

test('every segment is loaded once, in files that are not too long and stay in one month', () => {
  fc.assert(
    fc.property(anySegments, (segments) => {
      const batches = batchesOf(segments, (segment) => segment.unit);
      const paths = batches.flat().map((segment) => segment.path);
      expect(paths.sort()).toEqual(segments.map((segment) => segment.path).sort());
      for (const batch of batches) {
        expect(new Set(batch.map((segment) => segment.unit)).size).toBe(1);
        expect(batch.reduce((rows, segment) => rows + segment.rows, 0)).toBeLessThanOrEqual(SEGMENT_ROWS);
      }
    }),
  );
});

test('many small accounts become one insert', () => {
  const segments = Array.from({ length: 500 }, (_, i): Segment => ({ unit: 'm', path: String(i), rows: 3 }));
  expect(batchesOf(segments, () => '2024-09')).toHaveLength(1);
});
