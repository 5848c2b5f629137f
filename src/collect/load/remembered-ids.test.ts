import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { RememberedIds } from './remembered-ids.ts';
import { largestSeenBatch } from './seen-file.ts';
import { SeenIds } from './seen-ids.ts';

const folder = tempFolder('seen');
afterAll(() => folder.remove());
let files = 0;

/** Ids of a batch: none of them is in another one. */
function idsOf(batch: number, count = 50): Uint32Array {
  return Uint32Array.from({ length: count * 4 }, (_, at) => (at % 4 === 0 ? batch * 1_000 + at / 4 : at % 4));
}

function has(seen: SeenIds, ids: Uint32Array): boolean {
  return Array.from({ length: ids.length / 4 }, (_, place) => seen.has(ids, place * 4)).every((known) => known);
}

/** A start on what lies there. Gives what was asked of the store, too. */
async function start(path: string, stored: number, store = 'a') {
  const asked: number[] = [];
  const ids = await RememberedIds.open({
    ...{ path, store, sinceDay: 0, today: 20_000 },
    expected: async () => 50 * stored,
    async *readAfter(batch) {
      asked.push(batch);
      for (let next = batch + 1; next <= stored; next++) yield idsOf(next);
    },
  });
  return { ids, asked };
}

const path = () => join(folder.path, `seen-${++files}`, 'traces');

describe('remembered ids', () => {
  it('are read from the store where nothing was written down, and after that only the new ones', async () => {
    const file = path();
    const first = await start(file, 3);
    expect(first.asked).toEqual([0]);
    await first.ids.save(3, true);
    expect(await largestSeenBatch(join(file, '..'))).toBe(3);
    const second = await start(file, 5);
    expect(second.asked).toEqual([3]);
    for (const batch of [1, 2, 3, 4, 5]) expect(has(second.ids.seen, idsOf(batch))).toBe(true);
    expect(has(second.ids.seen, idsOf(6))).toBe(false);
  });

  it('are not believed when one bit is wrong, when the file is cut, or when it is about other tables', async () => {
    const file = path();
    await (await start(file, 3)).ids.save(3, true);
    const whole = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * 200 - 1), fc.boolean(), async (bit, isCut) => {
        const bytes = Buffer.from(isCut ? whole.subarray(0, whole.length - 1 - (bit % 300)) : whole);
        if (!isCut) bytes[bit >> 3]! ^= 1 << (bit & 7);
        writeFileSync(file, bytes);
        expect((await start(file, 3)).asked).toEqual([0]);
      }),
      { numRuns: 10 },
    );
    writeFileSync(file, whole);
    expect((await start(file, 3, 'b')).asked).toEqual([0]);
    expect((await start(file, 3)).asked).toEqual([3]);
  });

  it('are written down again only when many are new, or at the end', async () => {
    const file = path();
    const { ids } = await start(file, 1);
    await ids.save(1);
    ids.seen.add(idsOf(2), 0);
    await ids.save(2);
    expect((await start(file, 2)).asked).toEqual([1]);
    await ids.save(2, true);
    expect((await start(file, 2)).asked).toEqual([2]);
  });
});

describe('a filter of ids', () => {
  it('forgets whole layers to which nothing was added for long, and nothing else', () => {
    const seen = new SeenIds(1_024);
    const [old, young] = [idsOf(1, 1_500), idsOf(9, 3_000)];
    for (let at = 0; at < old.length; at += 4) seen.add(old, at, 100);
    for (let at = 0; at < young.length; at += 4) seen.add(young, at, 200);
    expect(seen.layers.length).toBeGreaterThan(2);
    seen.forgetBefore(150);
    expect(has(seen, young)).toBe(true);
    expect(has(seen, old)).toBe(false);
  });
});
