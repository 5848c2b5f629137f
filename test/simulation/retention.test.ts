import { describe, expect, test } from 'vitest';
import type { ColumnStore } from '../../src/store/index.ts';
import { openedHouse } from '../flow/opened-house.ts';
import { Clock, HOUR_MS, INTERNAL, retentionOf, SERVER, span, totalsOf } from '../flow/retention-world.ts';
import { breakingColumns } from '../support/same-columns.ts';

const clock = new Clock('2031-01-31T23:00:00Z');
const { house } = await openedHouse('retention-crash', clock.now);

const tables = ['work', 'links', 'usage_minute', 'retention', 'work_hour', 'call_measures', 'pod_service'];

const breakingAt = (at: number, when: 'before' | 'after', writes?: { count: number }) =>
  breakingColumns(house.store.columns, { at, when }, writes);

const whole = { calls: 1, spans: 2, busyUs: 100, usage: 1 };
/** Three of sums and the note; then raw work. */
const WRITES = 5;
let trace = 0;

/** One call, received in a month of its own: what was let go in one test would be too old for the next. */
async function received(): Promise<void> {
  for (const table of tables) await house.store.columns.command(`TRUNCATE TABLE ${table}`);
  trace += 1;
  clock.nowMs = Date.UTC(2031, 4 * trace, 28);
  await house.ingestTraces([span(1, 0, SERVER, 0, 100, trace), span(2, 1, INTERNAL, 10, 40, trace)]);
  expect(await totalsOf(house)).toEqual(whole);
  clock.nowMs = Date.UTC(2031, 4 * trace + 3, 10);
}

/** A run, and another an hour later. */
async function twoRuns(columns: ColumnStore): Promise<void> {
  await retentionOf(house, clock, columns).run();
  clock.nowMs += HOUR_MS;
  await retentionOf(house, clock, columns).run();
}

async function rowsOf(table: string): Promise<number> {
  const [row] = await house.store.columns.query<{ rows: string }>(`SELECT count() AS rows FROM ${table}`);
  return Number(row!.rows);
}

describe('letting go of raw work', () => {
  const points = Array.from({ length: WRITES }, (_, place) => place + 1).flatMap((write) =>
    (write === 1 ? (['before', 'after'] as const) : (['after'] as const)).map((when) => ({ write, when })),
  );

  test.each(points)('a crash $when write $write counts nothing twice and loses nothing', async ({ write, when }) => {
    await received();
    const writes = { count: 0 };
    await expect(twoRuns(breakingAt(write, when, writes))).rejects.toThrow();
    expect(await totalsOf(house)).toEqual(whole);
    await twoRuns(house.store.columns);
    expect(await totalsOf(house)).toEqual(whole);
    clock.nowMs += HOUR_MS;
    await retentionOf(house, clock).run();
    expect(await totalsOf(house)).toEqual(whole);
    expect(await rowsOf('work')).toBe(0);
    // What an interrupted run had added up is gone as well.
    expect(await rowsOf('work_hour')).toBe(1);
    expect(await rowsOf('call_measures')).toBe(1);
  });

  test('makes as many writes as are broken above', async () => {
    await received();
    const writes = { count: 0 };
    await twoRuns(breakingAt(0, 'before', writes));
    expect(writes.count).toBe(WRITES);
  });

  test('the note of a run that comes late, after the next run, changes nothing', async () => {
    await received();
    await expect(retentionOf(house, clock, breakingAt(4, 'before')).run()).rejects.toThrow();
    await retentionOf(house, clock).run();
    await house.store.columns.command(
      "INSERT INTO retention SELECT 1, 'spans', since, until, done_at, rows, batch FROM retention WHERE run = 2",
    );
    expect(await totalsOf(house)).toEqual(whole);
    clock.nowMs += HOUR_MS;
    await retentionOf(house, clock).run();
    expect(await totalsOf(house)).toEqual(whole);
  });
});
