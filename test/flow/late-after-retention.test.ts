import { afterAll, expect, test } from 'vitest';
import { checkGrain, Retention, readLetGo } from '../../src/collect/index.ts';
import { parseRange } from '../../src/model/index.ts';
import { callLog, sequencesReport, whyReport } from '../../src/usage/index.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { emptyHouse } from './empty-house.ts';
import { Clock, INTERNAL, letGoAndDelete, SERVER, span, totalsOf } from './retention-world.ts';

const folder = tempFolder('late-after-retention');
afterAll(() => folder.remove());

test('a late span of a trace that was let go in part is added, and changes nothing else', async () => {
  const clock = new Clock('2031-01-31T23:00:00Z');
  const house = await emptyHouse(`${folder.path}/part`, clock.now);
  try {
    await house.ingestTraces([span(1, 0, SERVER, 0, 100), span(2, 1, INTERNAL, 10, 40)]);
    clock.set('2031-02-01T01:00:00Z');
    // Corrects the root's own time, and hangs on a call whose first version will be let go.
    await house.ingestTraces([span(3, 1, INTERNAL, 50, 70), span(4, 2, INTERNAL, 10, 20)]);
    const before = await totalsOf(house);
    expect(before).toEqual({ calls: 1, spans: 4, busyUs: 100, usage: 1 });

    clock.set('2031-04-10T00:00:00Z');
    await letGoAndDelete(house, clock, async () => expect(await totalsOf(house)).toEqual(before));
    expect(await totalsOf(house)).toEqual(before);

    await house.ingestTraces([span(5, 3, INTERNAL, 50, 60)]);
    expect(await totalsOf(house)).toEqual({ ...before, spans: 5, busyUs: 110 });
    // A repeat of it, and one of a span of which the row is still there, count no more.
    await house.ingestTraces([span(5, 3, INTERNAL, 50, 60), span(3, 1, INTERNAL, 50, 70)]);
    expect(await totalsOf(house)).toEqual({ ...before, spans: 5, busyUs: 110 });
  } finally {
    await house.close();
  }
});

test('a late span of a trace that is gone counts alone; the clock may go back', async () => {
  const clock = new Clock('2031-01-31T23:00:00Z');
  const house = await emptyHouse(`${folder.path}/whole`, clock.now);
  try {
    await house.ingestTraces([span(1, 0, SERVER, 0, 100)]);
    clock.set('2031-04-10T00:00:00Z');
    await letGoAndDelete(house, clock, async () => undefined);
    clock.set('2031-01-31T23:30:00Z');
    await house.ingestTraces([span(2, 1, INTERNAL, 10, 40)]);
    expect(await totalsOf(house)).toEqual({ calls: 1, spans: 2, busyUs: 130, usage: 1 });
  } finally {
    await house.close();
  }
});

test('what is no longer kept is refused, not answered in part; a charge of minutes keeps its hours', async () => {
  const clock = new Clock('2031-01-31T23:00:00Z');
  const house = await emptyHouse(`${folder.path}/refused`, clock.now);
  try {
    await house.ingestTraces([span(1, 0, SERVER, 0, 100)]);
    clock.set('2031-04-10T00:00:00Z');
    const deps = {
      columns: house.store.columns,
      nowMs: clock.now,
      settleSince: (day: number) => house.collector.settleSince(day),
    };
    const spansOnly = { spans: 62, rollups: null, samples: null, events: null };
    const kept = new Retention({ ...deps, keptDays: spansOnly, needsRawWork: async () => 'a charge is for minutes' });
    expect(await kept.run()).toEqual([
      { kind: 'spans', keptSince: '1970-01-01', rows: 0, keptBecause: 'a charge is for minutes' },
    ]);
    await new Retention({ ...deps, keptDays: spansOnly, needsRawWork: async () => null }).run();
    const cut = { fromMs: Date.parse('2031-01-31T12:00:00Z'), toMs: Date.parse('2031-01-31T12:30:00Z') };
    const letGo = await readLetGo(house.store.columns);
    await expect(checkGrain(house.store.columns, letGo, cut)).rejects.toMatchObject({ code: 'RANGE_TOO_FINE' });
    const now = new Date(clock.now());
    const january = { range: parseRange('2031-01-31', '2031-02-01'), only: {} };
    const page = { ...january, traceId: '', statusCode: null, limit: 10, cursor: '' };
    const before = { ...january, base: parseRange('2031-01-30', '2031-01-31'), timeZone: 'UTC', by: [], shown: 5 };
    for (const answer of [
      () => callLog(house.store, page, now),
      () => sequencesReport(house.store, { ...january, users: 1, length: 2 }, now),
      () => whyReport(house.store, before, now),
    ])
      await expect(answer()).rejects.toMatchObject({ code: 'RANGE_DROPPED' });
    const later = parseRange('2031-03-01', '2031-04-01');
    expect(await callLog(house.store, { ...page, range: later }, now)).toMatchObject({ rows: [] });

    const rollups = { spans: null, rollups: 62, samples: null, events: null };
    const results = await new Retention({ ...deps, keptDays: rollups, needsRawWork: async () => null }).run();
    expect(results).toMatchObject([{ kind: 'rollups', keptSince: '2031-02-01' }]);
    await expect(totalsOf(house)).rejects.toMatchObject({ code: 'RANGE_DROPPED' });
    const [left] = await house.store.columns.query<{ rows: string }>(
      'SELECT count() AS rows FROM usage_minute WHERE marker = 0',
    );
    expect(left).toEqual({ rows: '0' });
  } finally {
    await house.close();
  }
});
