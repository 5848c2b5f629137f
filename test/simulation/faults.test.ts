import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bodyColumns, netBodies } from '../../src/collect/calls/stored-rows.ts';
import { openedStore } from '../support/opened-store.ts';
import { Backup, Dice, Process, tearJournal, UnreliableStore } from './faults.ts';
import { decidedOf, journalledSpans, RowsInForce, type ToldSpan } from './spans.ts';

const SEEDS = 50;
const DAY_MS = 86_400_000;
const MOST_TRIES = 400;

const { store, folder } = await openedStore('faults');

/** Spans of a few traces, with lost parents, links, repeats with other times, early and late ones. */
function toldBy(dice: Dice): ToldSpan[] {
  const count = 12 + dice.roll(28);
  const spans: ToldSpan[] = [];
  for (let i = 0; i < count; i++) {
    const from = dice.roll(50) + (dice.happens(10) ? (dice.roll(61) - 30) * DAY_MS * 1000 : 0);
    const links = dice.happens(6) ? [[1 + dice.roll(5), 1 + dice.roll(6)] as const] : undefined;
    spans.push({
      ...{ trace: 1 + dice.roll(5), span: 1 + dice.roll(6), kind: [0, 1, 2, 2, 2, 3, 4, 5, 5][dice.roll(9)]! },
      ...{ parent: dice.happens(2) ? 1 + dice.roll(7) : undefined, service: ['front', 'back', 'queue'][dice.roll(3)]! },
      ...{ from, to: from + dice.roll(60) - 5, tenant: dice.happens(2) ? ['acme', 'zoo'][dice.roll(2)] : undefined },
      ...{ route: dice.happens(2) ? '/a' : undefined, links, th: dice.happens(3) ? '8' : undefined },
    });
  }
  // A sender that lost its answer sends again, and some clock has moved meanwhile.
  for (let repeats = dice.roll(20); repeats > 0; repeats--) {
    const again = spans[dice.roll(spans.length)]!;
    spans.push({ ...again, from: again.from + dice.roll(9), to: again.to + dice.roll(9) });
  }
  return spans;
}

const said = (rows: ReturnType<RowsInForce['decided']>) =>
  rows.map((row) => JSON.stringify({ ...row, position: 0 })).sort();

async function inForce() {
  const versions = await store.columns.queryBytes(`SELECT sign, ${bodyColumns.join(', ')} FROM work`);
  return netBodies([versions]).map(decidedOf);
}

describe('whatever goes wrong, every acknowledged span counts once', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))('seed %i', async (seed) => {
    for (const table of ['work', 'links', 'usage_minute']) await store.columns.command(`TRUNCATE TABLE ${table}`);
    const dice = new Dice(seed + 1);
    const isBoundary = (service: string) => service !== 'back';
    const path = join(folder.path, `seed-${seed}`);
    const columns = new UnreliableStore(store.columns, dice);
    let clockMs = Date.UTC(2025, 0, 1, 12);
    const start = async (): Promise<Process> => {
      for (let tries = 0; ; tries++) {
        try {
          return await Process.start(path, columns, isBoundary, () => clockMs);
        } catch (cause) {
          if (tries > MOST_TRIES) throw cause;
        }
      }
    };
    let process = await start();
    const backup = new Backup(path);
    const waiting = toldBy(dice);
    const acknowledged: ToldSpan[] = [];
    while (waiting.length > 0) {
      const request = waiting.splice(0, 1 + dice.roll(5));
      await process.accept(request);
      acknowledged.push(...request);
      if (dice.happens(3)) backup.take();
      if (dice.happens(2)) await process.load().catch(() => undefined);
      if (dice.happens(6)) clockMs += (dice.roll(7) - 3) * DAY_MS;
      if (!dice.happens(4)) continue;
      if (dice.happens(2)) tearJournal(path, dice);
      if (dice.happens(4)) backup.playBack();
      process = await start();
    }
    for (let tries = 0; ; tries++) {
      const isLoaded = await process.load().then(
        () => true,
        () => false,
      );
      if (isLoaded) break;
      expect(tries).toBeLessThan(MOST_TRIES);
    }
    const expected = new RowsInForce(isBoundary);
    expected.apply(journalledSpans(acknowledged));
    expect(said(await inForce())).toEqual(said(expected.decided()));
    const [counted] = await store.columns.query<{ calls: string }>(
      'SELECT sum(calls) AS calls FROM usage_minute WHERE marker = 0',
    );
    const calls = expected.decided().filter(({ isCall }) => isCall);
    expect(Number(counted!.calls)).toBe(calls.reduce((sum, { share }) => sum + share, 0));
  });
});
