import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Decided,
  decidedOf,
  journalledSpans,
  payloadOf,
  RowsInForce,
  type ToldSpan,
  toldSpans,
  traceId,
} from '../../../test/simulation/spans.ts';
import { openedStore } from '../../../test/support/opened-store.ts';
import { breakingColumns, sameColumns } from '../../../test/support/same-columns.ts';
import { SpanKind } from '../../model/index.ts';
import { type ColumnStore, RowWriter } from '../../store/index.ts';
import type { IsBoundary } from '../calls/forest.ts';
import { bodyColumns, netBodies } from '../calls/stored-rows.ts';
import { Journal } from '../journal/journal.ts';
import { SegmentKind } from '../journal/segment.ts';
import { combined } from '../logs/combined.ts';
import { LogIntake } from '../logs/log-intake.ts';
import type { LogLine } from '../logs/log-line.ts';
import { decodeMetricsJson } from '../otlp/metrics-json.ts';
import { Loader, type LoaderDeps } from './load.ts';
import { largestBatch } from './queries.ts';

const { store, folder } = await openedStore('load');
const everyService: IsBoundary = () => true;
const onlyFront: IsBoundary = (service) => service === 'front';
const onlyBack: IsBoundary = (service) => service === 'back';
const noon = Date.UTC(2025, 0, 1, 12);
let journalNumber = 0;

beforeEach(empty);

async function empty(): Promise<void> {
  for (const table of ['work', 'links', 'usage_minute', 'samples'])
    await store.columns.command(`TRUNCATE TABLE ${table}`);
}

const breakingAt = (at: number, when: 'before' | 'after') => breakingColumns(store.columns, { at, when });

interface Loading {
  readonly loader: Loader;
  readonly work: Journal;
  readonly samples: Journal;
  readonly late: Journal;
  readonly warnings: string[];
}

/** What a process has after it started: the journals as they lie there, and a loader that finished what was interrupted. */
async function started(
  path: string,
  columns: ColumnStore,
  isBoundary: IsBoundary,
  more: Partial<LoaderDeps> = {},
): Promise<Loading> {
  const folders = { work: join(path, 'work'), samples: join(path, 'samples'), late: join(path, 'late') };
  let lastId = Math.max(
    await largestBatch(store.columns),
    await Journal.largestId(folders.work),
    await Journal.largestId(folders.samples),
    await Journal.largestId(folders.late),
  );
  const limits = { segmentRows: 100_000, segmentBytes: 1 << 24, capacityBytes: 1 << 26 };
  const shared = { ...limits, nowMs: () => noon, nextId: () => ++lastId };
  const work = await Journal.open({ ...shared, folder: folders.work, kind: SegmentKind.work });
  const samples = await Journal.open({ ...shared, folder: folders.samples, kind: SegmentKind.samples });
  const late = await Journal.open({ ...shared, folder: folders.late, kind: SegmentKind.work });
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  const loader = new Loader({
    columns,
    scratch: join(path, 'scratch'),
    nextId: shared.nextId,
    nowMs: () => noon,
    warn,
    ...more,
  });
  await loader.start(isBoundary);
  return { loader, work, samples, late, warnings };
}

async function journalled(batches: readonly (readonly ToldSpan[])[]): Promise<string> {
  const path = join(folder.path, `journal-${++journalNumber}`);
  const { work, samples } = await started(path, store.columns, everyService);
  for (const spans of batches) {
    await work.append(payloadOf(spans), spans.length);
    await work.seal();
  }
  await samples.append(gauge(3), 1);
  await samples.seal();
  return path;
}

function gauge(value: number): Buffer {
  const writer = new RowWriter(64);
  const dataPoints = [{ timeUnixNano: '1735689600000000000', asInt: value }];
  const request = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints } }] }] }] };
  decodeMetricsJson(Buffer.from(JSON.stringify(request)), writer);
  return writer.bytes();
}

async function loadAll({ loader, work, samples }: Loading): Promise<void> {
  await loader.loadSealed(work);
  await loader.loadSealed(samples);
}

async function rowsInForce(): Promise<Buffer[]> {
  const versions = await store.columns.queryBytes(`SELECT sign, ${bodyColumns.join(', ')} FROM work`);
  return netBodies([versions]);
}

const hex = (bodies: readonly Buffer[]) => bodies.map((body) => body.toString('hex')).sort();

/** Everything that anybody can read of what was loaded. */
async function readable(): Promise<object> {
  const usage = await store.columns.query(
    `SELECT minute, tenant, endpoint, consumer, sum(calls) AS n, sum(known) AS k, sum(errors) AS e, sum(duration_us) AS d
     FROM usage_minute WHERE marker = 0 GROUP BY ALL HAVING n != 0 OR k != 0 OR e != 0 OR d != 0 ORDER BY ALL`,
  );
  const [net] = await store.columns.query<{ n: string }>('SELECT sum(sign) AS n FROM work');
  const samples = await store.columns.query(
    'SELECT metric, hex(series) AS series, at, value, age FROM samples FINAL ORDER BY ALL',
  );
  return { rows: hex(await rowsInForce()), net: Number(net!.n), usage, samples };
}

const call = (trace: number, more: Partial<ToldSpan> = {}): ToldSpan => ({
  ...{ trace, span: 1, kind: SpanKind.SERVER, service: 'front', from: 0, to: 100, tenant: 'acme', route: '/a' },
  ...more,
});
const below = (trace: number, span: number, more: Partial<ToldSpan> = {}): ToldSpan => ({
  ...{ trace, span, parent: 1, kind: SpanKind.INTERNAL, service: 'back', from: 10, to: 30 },
  ...more,
});
const linked = (trace: number, links: readonly (readonly [number, number])[]): ToldSpan => ({
  ...{ trace, span: 1, kind: SpanKind.CONSUMER, service: 'queue', from: 200, to: 250, links },
});

/** Roots after their children, links before what they lead to, repeats with another time, a second call in a known trace. */
const story: readonly (readonly ToldSpan[])[] = [
  [
    below(1, 2),
    call(2),
    linked(9, [
      [1, 1],
      [3, 1],
    ]),
    below(2, 2),
  ],
  [call(1), call(3, { th: 'c', tenant: 'zoo' }), call(2, { from: 5, to: 9 })],
  [below(3, 2, { kind: SpanKind.SERVER }), below(1, 3, { parent: 2 }), below(1, 2, { from: 1, to: 2 }), call(4)],
];
const WRITES = 8;

let expected: object;
beforeAll(async () => {
  await loadAll(await started(await journalled(story), store.columns, everyService));
  expected = await readable();
});

describe('exactly once', () => {
  it('the story makes as many writes as are broken below', async () => {
    const path = await journalled(story);
    const broken = await started(path, breakingAt(WRITES, 'after'), everyService);
    await expect(loadAll(broken)).rejects.toThrow('the answer got lost');
    const whole = await started(await journalled(story), breakingAt(WRITES + 1, 'before'), everyService);
    await empty();
    await expect(loadAll(whole)).resolves.toBeUndefined();
  });

  // Before the next write is after this one: only the first write has a before of its own.
  const breaks = [[1, 'before'] as const, ...Array.from({ length: WRITES }, (_, i) => [i + 1, 'after'] as const)];

  it.each(breaks)(
    'a crash at write %i, %s it took effect, and a new process: nothing lost, nothing twice',
    async (write, when) => {
      const path = await journalled(story);
      const broken = await started(path, breakingAt(write, when), everyService);
      await expect(loadAll(broken)).rejects.toThrow(when === 'before' ? 'went away' : 'got lost');
      await loadAll(await started(path, store.columns, everyService));
      expect(await readable()).toEqual(expected);
    },
  );

  it.each(breaks)(
    'an outage at write %i, %s it took effect, and the same process: nothing lost, nothing twice',
    async (write, when) => {
      const broken = await started(await journalled(story), breakingAt(write, when), everyService);
      await expect(loadAll(broken)).rejects.toThrow(when === 'before' ? 'went away' : 'got lost');
      await loadAll(broken);
      expect(await readable()).toEqual(expected);
    },
  );

  it('segments that come back from a copy of the disk change nothing', async () => {
    const path = await journalled(story);
    await loadAll(await started(path, store.columns, everyService));
    const before = await readable();
    const again = await started(join(folder.path, 'copy'), store.columns, everyService);
    for (const spans of story) await again.work.append(payloadOf(spans), spans.length);
    await again.samples.append(gauge(8), 1);
    for (const journal of [again.work, again.samples]) await journal.seal();
    await loadAll(again);
    expect(await readable()).toEqual(before);
    rmSync(join(folder.path, 'copy'), { recursive: true });
  });
});

describe('what is kept at hand of earlier batches', () => {
  /** Lines of one log, from one place on. */
  function lines(from: number, count: number): Buffer {
    const intake = new LogIntake();
    intake.begin();
    const parser = combined.open();
    const source = { service: 's', host: '', tenantFrom: { from: 'none' }, fingerprint: 'log' } as const;
    for (let line = from; line < from + count; line++) {
      const raw = `1.2.3.4 - u${line} [01/Jan/2025:10:00:00 +0000] "GET /a HTTP/1.1" 200 1 "-" "-"`;
      intake.add(parser.parse(raw) as LogLine, source, line * 100, raw);
    }
    return intake.payload();
  }

  it('is not asked about a log whose later lines came without spans: a repeat changes nothing', async () => {
    const path = join(folder.path, 'mixed');
    const loading = await started(path, store.columns, everyService);
    const calls = async () => {
      const [row] = await store.columns.query<{ n: string }>(
        'SELECT sum(calls) / 1000000 AS n FROM usage_minute WHERE marker = 0',
      );
      return Number(row!.n);
    };
    await loading.work.append(payloadOf([call(1)]), 1);
    await loading.work.append(lines(0, 5), 5);
    await loading.work.seal();
    await loadAll(loading);
    const counts: number[] = [];
    for (const [from, count] of [
      [5, 5],
      [0, 10],
      [0, 10],
    ] as const) {
      await loading.work.append(lines(from, count), count);
      await loading.work.seal();
      await loadAll(loading);
      counts.push(await calls());
    }
    expect(counts).toEqual([11, 11, 11]);
  });
});

describe('rows in force in the store', () => {
  it('are what one batch in memory gives, for any story that arrives in any parts', async () => {
    const parts = fc.array(fc.nat(3), { minLength: 16, maxLength: 16 });
    await fc.assert(
      fc.asyncProperty(toldSpans({ traces: 4, spans: 16 }), parts, async (told, part) => {
        await empty();
        const batches = [0, 1, 2, 3].map((number) => told.filter((_, place) => part[place] === number));
        const loading = await started(
          await journalled(batches.filter((batch) => batch.length > 0)),
          store.columns,
          onlyFront,
        );
        await loadAll(loading);
        const expected = new RowsInForce(onlyFront);
        // The store keeps the first journalled of a span that was sent twice: so must the one batch.
        expected.apply(journalledSpans(batches.flat()));
        const said = (rows: readonly Decided[]) => rows.map((row) => JSON.stringify({ ...row, position: 0 })).sort();
        expect(said((await rowsInForce()).map(decidedOf))).toEqual(said(expected.decided()));
      }),
      { numRuns: 12 },
    );
  });

  it('keep their digits on the way through the engine: assembling anew writes nothing', async () => {
    await loadAll(await started(await journalled(story), store.columns, everyService));
    const rows = () => store.columns.query('SELECT count() AS rows FROM work');
    const before = await rows();
    const again = await started(join(folder.path, 'again'), store.columns, everyService);
    await again.loader.reassemble(everyService);
    expect(await rows()).toEqual(before);
  });
});

describe('another boundary', () => {
  async function loadedUnder(isBoundary: IsBoundary): Promise<Loading> {
    await empty();
    const loading = await started(await journalled(story), store.columns, isBoundary);
    await loadAll(loading);
    return loading;
  }

  it('gives what ingest under it from the beginning gives, there and back', async () => {
    await loadedUnder(onlyBack);
    const back = await readable();
    const loading = await loadedUnder(everyService);
    const every = await readable();
    expect(every).not.toEqual(back);
    await loading.loader.reassemble(onlyBack);
    expect(await readable()).toEqual(back);
    await loading.loader.reassemble(everyService);
    expect(await readable()).toEqual(every);
  });

  it.each([1, 2])('a crash at write %i of assembling anew is mended by assembling anew', async (write) => {
    await loadedUnder(onlyBack);
    const back = await readable();
    await loadedUnder(everyService);
    const path = join(folder.path, `anew-${write}`);
    const broken = await started(path, breakingAt(write, 'after'), everyService);
    await expect(broken.loader.reassemble(onlyBack)).rejects.toThrow('got lost');
    const next = await started(path, store.columns, onlyBack);
    await next.loader.reassemble(onlyBack);
    expect(await readable()).toEqual(back);
  });
});

describe('a damaged segment', () => {
  it('gives what is whole, is set aside and is told', async () => {
    const path = join(folder.path, 'damaged');
    const { work } = await started(path, store.columns, everyService);
    const lost = 0x1234567;
    for (const spans of [[call(1)], [call(lost)], [call(3)]]) await work.append(payloadOf(spans), spans.length);
    await work.seal();
    const file = work.sealed[0]!.path;
    const bytes = readFileSync(file);
    bytes[bytes.indexOf(Buffer.from(traceId(lost), 'hex'))]! ^= 1;
    writeFileSync(file, bytes);
    const loading = await started(path, store.columns, everyService);
    await loadAll(loading);
    expect((await rowsInForce()).map((body) => decidedOf(body).trace).sort()).toEqual([1, 3]);
    expect(loading.warnings).toEqual([expect.stringContaining('damaged')]);
    expect(readdirSync(join(path, 'work'))).toEqual([expect.stringContaining('.damaged')]);
  });
});

describe('a batch that is too large for memory', () => {
  const frames: readonly (readonly ToldSpan[])[] = [
    [call(1), below(1, 2)],
    [call(2)],
    [below(1, 3, { parent: 2 }), call(3)],
    [call(4), below(4, 2)],
    [below(2, 2)],
  ];

  /** A store that has no room for blocks of more rows. */
  function roomFor(rows: number): ColumnStore {
    const { columns } = store;
    return {
      ...sameColumns(columns),
      insertBlock: async (table, block, token) => {
        if (table === 'work' && block.rows > rows) throw new RangeError('Array buffer allocation failed');
        await columns.insertBlock(table, block, token);
      },
    };
  }

  async function oneSegment(): Promise<string> {
    const path = join(folder.path, `journal-${++journalNumber}`);
    const { work } = await started(path, store.columns, everyService);
    for (const spans of frames) await work.append(payloadOf(spans), spans.length);
    await work.seal();
    return path;
  }
  const said = async () =>
    (await rowsInForce()).map((row) => JSON.stringify({ ...decidedOf(row), position: 0 })).sort();

  it('is loaded in parts, and gives the same', async () => {
    await loadAll(await started(await oneSegment(), store.columns, everyService));
    const whole = await said();
    await empty();
    const loading = await started(await oneSegment(), roomFor(4), everyService);
    await loadAll(loading);
    expect(await said()).toEqual(whole);
    expect(loading.warnings).toEqual([]);
    expect(loading.work.sealed).toEqual([]);
  });

  it('with a request that breaks alone loses only that, keeps it on the disk, and tells', async () => {
    const path = await oneSegment();
    const loading = await started(path, roomFor(1), everyService);
    await loadAll(loading);
    expect((await rowsInForce()).map((row) => decidedOf(row).trace).sort()).toEqual([2]);
    expect(loading.warnings).toEqual([expect.stringContaining('set aside')]);
    expect(readdirSync(join(path, 'work'))).toEqual([expect.stringContaining('.damaged')]);
  });
});

describe('late spans of a large trace', () => {
  it('wait together while their trace rests, and change nothing of the result', async () => {
    const spans = [call(1), below(1, 2), below(1, 3), below(1, 4, { parent: 2 }), below(1, 5, { parent: 3 })];
    await loadAll(await started(await journalled([[...spans, call(2)]]), store.columns, everyService));
    const said = async () =>
      (await rowsInForce()).map((row) => JSON.stringify({ ...decidedOf(row), segment: 0, position: 0 })).sort();
    const whole = await said();
    await empty();

    const path = join(folder.path, 'large');
    let nowMs = noon;
    const loading = await started(path, store.columns, everyService, { largeTraceRows: 3, nowMs: () => nowMs });
    const arrive = async (arrived: readonly ToldSpan[]) => {
      await loading.work.append(payloadOf(arrived), arrived.length);
      await loading.work.seal();
      await loading.loader.loadSealed(loading.work, loading.late);
    };
    await arrive(spans.slice(0, 3));
    await arrive([spans[3]!]);
    await arrive([spans[4]!, call(2), { ...spans[3]!, from: 1 }]);
    const rows = async () => (await rowsInForce()).map((row) => decidedOf(row).trace).sort();
    expect(await rows()).toEqual([1, 1, 1, 2]);
    expect(loading.loader.isLateDue()).toBe(false);
    nowMs += 1_000;
    expect(loading.loader.isLateDue()).toBe(true);
    await loading.late.seal();
    await loading.loader.loadSealed(loading.late);
    expect(await said()).toEqual(whole);
    expect(loading.late.sealed).toEqual([]);
  });
});
