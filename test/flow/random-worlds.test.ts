import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { audit } from './auditor/auditor.ts';
import { emptyHouse } from './empty-house.ts';
import { auditForm } from './house.ts';
import { worldArbitrary } from './random-world.ts';

const folder = tempFolder('random-worlds');
afterAll(() => folder.remove());

test('the rooms and the auditor agree on random worlds, digit for digit', async () => {
  let houses = 0;
  await fc.assert(
    fc.asyncProperty(worldArbitrary, async ({ input, early, isModelLast }) => {
      const house = await emptyHouse(`${folder.path}/${houses++}`);
      try {
        if (!isModelLast) await house.apply(input.model);
        await house.ingestTraces(input.traces.slice(0, early));
        await house.ingestMetrics(input.metrics.slice(0, early));
        await house.importBills(input.bills);
        await house.allocate(input);
        await house.ingestMetrics(input.metrics.slice(early));
        await house.ingestTraces(input.traces.slice(early));
        if (isModelLast) await house.apply(input.model);
        await house.allocate(input);
        const { stats: _, ...expected } = audit(input);
        expect(auditForm(await house.report(input))).toEqual(expected);
        expect(await house.allocate(input)).toMatchObject({ posted: 0, reversed: 0, rows: 0 });
      } finally {
        await house.close();
      }
    }),
    { numRuns: 25, seed: 20_250_310 },
  );
});
