import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { openedStore } from '../../../test/support/opened-store.ts';
import { breakingColumns } from '../../../test/support/same-columns.ts';
import { type ColumnStore, RowWriter } from '../../store/index.ts';
import { Journal } from '../journal/journal.ts';
import { SegmentKind } from '../journal/segment.ts';
import { Loader } from '../load/load.ts';
import { largestBatch } from '../load/queries.ts';
import { encodeEvent, type MeterEvent } from './meter-event.ts';

const MILLIS_PER_DAY = 86_400_000;
const noon = Date.UTC(2025, 0, 1, 12);
const { store, folder } = await openedStore('events');
let journalNumber = 0;

beforeEach(() => store.columns.command('TRUNCATE TABLE events'));

const breakingAt = (at: number, when: 'before' | 'after') => breakingColumns(store.columns, { at, when });

interface Loading {
  readonly loader: Loader;
  readonly journal: Journal;
}

/** What a process has after it started: the journal as it lies there, and a loader that knows what is stored. */
async function started(path: string, columns: ColumnStore = store.columns, nowMs = () => noon): Promise<Loading> {
  const journalFolder = join(path, 'events');
  let lastId = Math.max(await largestBatch(store.columns), await Journal.largestId(journalFolder));
  const nextId = () => ++lastId;
  const limits = { segmentRows: 100_000, segmentBytes: 1 << 24, capacityBytes: 1 << 26 };
  const journal = await Journal.open({ ...limits, nowMs, nextId, folder: journalFolder, kind: SegmentKind.events });
  const warn = (message: string) => {
    throw new Error(message);
  };
  const loader = new Loader({ columns, scratch: join(path, 'scratch'), nextId, nowMs, warn });
  await loader.start(() => true);
  return { loader, journal };
}

interface Told {
  readonly id: string;
  readonly source?: string;
  /** Seconds around noon. */
  readonly at?: number;
  readonly value?: number;
}

async function append(journal: Journal, events: readonly Told[]): Promise<void> {
  const writer = new RowWriter(64);
  for (const { id, source = 's', at = 0, value = 1 } of events) {
    const time = BigInt(noon + at * 1000) * 1_000_000n;
    const data = JSON.stringify({ value });
    const event: MeterEvent = { id, source, type: 't', subject: 'c', time, dataschema: '', data, exact: '' };
    encodeEvent(writer, event, '', noon);
  }
  await journal.append(Buffer.from(writer.bytes()), events.length);
}

async function journalled(batches: readonly (readonly Told[])[]): Promise<string> {
  const path = join(folder.path, `journal-${++journalNumber}`);
  const { journal } = await started(path);
  for (const events of batches) {
    await append(journal, events);
    await journal.seal();
  }
  return path;
}

const loadAll = ({ loader, journal }: Loading) => loader.loadSealed(journal);

/** Everything that anybody can read of what was loaded, but for the numbers of batches. */
function readable(): Promise<object[]> {
  return store.columns.query(
    'SELECT hex(hash) AS hash, id, source, type, subject, time, data, received, ingested_at FROM events ORDER BY ALL',
  );
}

/** Repeats with other times and values in the same batch and in others; a batch of repeats only. */
const story: readonly (readonly Told[])[] = [
  [{ id: 'a' }, { id: 'b', at: 5 }, { id: 'a', at: 9, value: 7 }],
  [
    { id: 'b', at: -86_400 },
    { id: 'a', value: 8 },
  ],
  [{ id: 'c' }, { id: 'b', source: 'other' }, { id: 'b', at: 100 }],
];
/** The second batch writes nothing. */
const WRITES = 2;

describe('exactly once', () => {
  let expected: object[];
  beforeEach(async () => {
    await loadAll(await started(await journalled(story)));
    expected = await readable();
    await store.columns.command('TRUNCATE TABLE events');
  });

  it('of a repeated event the first journalled stays', () => {
    expect(expected.map((row) => Object.values(row).slice(1, 3).join(' ')).sort()).toEqual([
      'a s',
      'b other',
      'b s',
      'c s',
    ]);
    expect(JSON.stringify(expected)).not.toMatch(/"value\\":[78]/);
  });

  it('the story makes as many writes as are broken below', async () => {
    const path = await journalled(story);
    await expect(loadAll(await started(path, breakingAt(WRITES, 'after')))).rejects.toThrow('the answer got lost');
    await store.columns.command('TRUNCATE TABLE events');
    const whole = await started(await journalled(story), breakingAt(WRITES + 1, 'before'));
    expect(await loadAll(whole)).toBe(8);
  });

  const breaks = [1, 2].flatMap((write) => [[write, 'before'] as const, [write, 'after'] as const]);

  it.each(breaks)('a crash at write %i, %s it took effect, and a new process', async (write, when) => {
    const path = await journalled(story);
    await expect(loadAll(await started(path, breakingAt(write, when)))).rejects.toThrow();
    await loadAll(await started(path));
    expect(await readable()).toEqual(expected);
  });

  it.each(breaks)('an outage at write %i, %s it took effect, and the same process', async (write, when) => {
    const broken = await started(await journalled(story), breakingAt(write, when));
    await expect(loadAll(broken)).rejects.toThrow();
    await loadAll(broken);
    expect(await readable()).toEqual(expected);
  });

  it('segments that come back from a copy of the disk change nothing', async () => {
    await loadAll(await started(await journalled(story)));
    await loadAll(await started(await journalled(story)));
    expect(await readable()).toEqual(expected);
  });
});

it('any order and any repetition give the same events, in one process or in several', async () => {
  const told = Array.from(
    { length: 12 },
    (_, place): Told => ({ id: `${place % 6}`, source: place < 6 ? 'x' : 'y', at: place }),
  );
  const orders = fc.tuple(
    fc.shuffledSubarray(told, { minLength: 12 }),
    fc.array(fc.tuple(fc.nat(11), fc.nat(3)), { maxLength: 20 }),
    fc.array(fc.nat(3), { minLength: 12, maxLength: 12 }),
    fc.boolean(),
  );
  let expected: object[] | undefined;
  const property = fc.asyncProperty(orders, async ([order, repeats, parts, isRestarted]) => {
    await store.columns.command('TRUNCATE TABLE events');
    const batches = [0, 1, 2, 3].map((part) => [
      ...order.filter((_, place) => parts[place] === part),
      ...repeats.filter(([, each]) => each === part).map(([place]) => told[place]!),
    ]);
    let loading = await started(join(folder.path, `order-${++journalNumber}`));
    for (const batch of batches) {
      await append(loading.journal, batch);
      await loading.journal.seal();
      await loadAll(loading);
      if (isRestarted) loading = await started(join(folder.path, `order-${journalNumber}`));
    }
    expected ??= await readable();
    expect(await readable()).toEqual(expected);
    expect(expected).toHaveLength(12);
  });
  await fc.assert(property, { numRuns: 15 });
});

it.each([
  ['62 days later does not count', 62, 1],
  ['63 days later counts again', 63, 2],
])('a repeat %s, also after a restart', async (_name, days, count) => {
  for (const isRestarted of [true, false]) {
    await store.columns.command('TRUNCATE TABLE events');
    const path = join(folder.path, `later-${++journalNumber}`);
    let now = noon;
    let loading = await started(path, store.columns, () => now);
    for (const day of [0, days]) {
      now = noon + day * MILLIS_PER_DAY;
      await append(loading.journal, [{ id: 'a' }]);
      await loading.journal.seal();
      if (isRestarted) loading = await started(path, store.columns, () => now);
      await loadAll(loading);
    }
    expect(await readable()).toHaveLength(count);
  }
});

it('a batch is one part, whatever the times of its events', async () => {
  const spread = Array.from({ length: 60 }, (_, place) => ({ id: `${place}`, at: (place - 59) * 86_400 * 30 }));
  await loadAll(await started(await journalled([spread])));
  const parts = await store.columns.query("SELECT name FROM system.parts WHERE table = 'events' AND active");
  expect(parts).toHaveLength(1);
});
