import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Line, type Place } from './line.ts';

/** Who has been let in so far, in their order. */
async function lettingIn(places: readonly (Place | null)[]): Promise<number[]> {
  const inside: number[] = [];
  places.forEach((place, name) => void place?.turn.then(() => inside.push(name)));
  await new Promise((turn) => setImmediate(turn));
  return inside;
}

test('a few are let in at once, the others in their order', async () => {
  const line = new Line(2, 10);
  const places = [0, 1, 2, 3].map(() => line.join());
  expect(await lettingIn(places)).toEqual([0, 1]);
  places[1]!.leave();
  places[1]!.leave();
  expect(await lettingIn(places)).toEqual([0, 1, 2]);
});

test('whoever leaves the line is passed over', async () => {
  const line = new Line(1, 10);
  const places = [0, 1, 2].map(() => line.join());
  places[1]!.leave();
  places[0]!.leave();
  expect(await lettingIn(places)).toEqual([0, 2]);
});

test('a line that is too long takes nobody', () => {
  const line = new Line(1, 1);
  expect([0, 1, 2].map(() => line.join() === null)).toEqual([false, false, true]);
});

test('never more are in than may be, and all who stay are let in', async () => {
  const steps = fc.array(fc.record({ joins: fc.nat(3), leaves: fc.array(fc.nat()) }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (most, each) => {
      const line = new Line(most, 1_000);
      const all = new Map<number, Place>();
      const inside = new Set<number>();
      let names = 0;
      const leave = (name: number) => {
        all.get(name)?.leave();
        all.delete(name);
        inside.delete(name);
      };
      for (const { joins, leaves } of each) {
        for (let i = 0; i < joins; i++) {
          const [name, place] = [names++, line.join()!];
          all.set(name, place);
          void place.turn.then(() => {
            if (all.has(name)) inside.add(name);
          });
        }
        await null;
        for (const which of leaves) leave([...all.keys()][which % Math.max(1, all.size)] ?? -1);
        await new Promise((turn) => setImmediate(turn));
        expect(inside.size).toBe(Math.min(most, all.size));
      }
    }),
    { numRuns: 200 },
  );
});
