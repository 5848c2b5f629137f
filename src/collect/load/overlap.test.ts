import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { payloadOf, type ToldSpan } from '../../../test/simulation/spans.ts';
import { openedStore } from '../../../test/support/opened-store.ts';
import { sameColumns } from '../../../test/support/same-columns.ts';
import { SpanKind } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import { Journal } from '../journal/journal.ts';
import { SegmentKind } from '../journal/segment.ts';
import { Loader } from './load.ts';
import { largestBatch } from './queries.ts';

const { store, folder } = await openedStore('overlap');
let journals = 0;

beforeEach(async () => {
  for (const table of ['work', 'usage_minute']) await store.columns.command(`TRUNCATE TABLE ${table}`);
});

const call = (trace: number): ToldSpan => ({
  ...{ trace, span: 1, kind: SpanKind.SERVER, service: 'front', from: 0, to: 100, tenant: 'acme', route: '/a' },
});

/** A journal of a segment for each list of calls, and what loads it. */
async function loading(columns: ColumnStore, segments: readonly (readonly ToldSpan[])[]) {
  let lastId = await largestBatch(store.columns);
  const work = await Journal.open({
    ...{ folder: join(folder.path, `journal-${++journals}`), kind: SegmentKind.work, nowMs: Date.now },
    ...{ segmentRows: 1_000, segmentBytes: 1 << 20, capacityBytes: 1 << 24, nextId: () => ++lastId },
  });
  for (const spans of segments) {
    await work.append(payloadOf(spans), spans.length);
    await work.seal();
  }
  const scratch = join(folder.path, 'scratch');
  const loader = new Loader({ columns, scratch, nextId: () => ++lastId, nowMs: Date.now, warn: () => undefined });
  await loader.start(() => true);
  return { loader, work };
}

async function stored(): Promise<{ rows: number; calls: number }> {
  const [work] = await store.columns.query<{ n: string }>('SELECT count() AS n FROM work');
  const [usage] = await store.columns.query<{ n: string }>(
    'SELECT sum(calls) / 1000000 AS n FROM usage_minute WHERE marker = 0',
  );
  return { rows: Number(work!.n), calls: Number(usage!.n) };
}

it('the next batch is decided before the one before is stored', async () => {
  const steps: string[] = [];
  const columns: ColumnStore = {
    ...sameColumns(store.columns),
    query: (sql, params) => {
      if (sql.startsWith('SELECT 1 FROM work')) steps.push('next');
      return store.columns.query(sql, params);
    },
    async insertBlock(table, block, token) {
      steps.push(`begins ${table}`);
      await store.columns.insertBlock(table, block, token);
      steps.push(`has ${table}`);
    },
  };
  const { loader, work } = await loading(columns, [[call(1)], [call(2)]]);
  await loader.loadSealed(work);
  const block = ['begins work', 'has work', 'begins usage_minute', 'has usage_minute'];
  expect(steps.filter((step) => step !== 'next')).toEqual([...block, ...block]);
  expect(steps.indexOf('next', 1)).toBeLessThan(steps.indexOf('has work'));
  expect(await stored()).toEqual({ rows: 2, calls: 2 });
});

it('a question that fails while the batch before is being stored makes nothing come twice', async () => {
  let letGo: () => void = () => undefined;
  const asked = new Promise<void>((done) => {
    letGo = done;
  });
  let questions = 0;
  const columns: ColumnStore = {
    ...sameColumns(store.columns),
    async query(sql, params) {
      if (sql.startsWith('SELECT 1 FROM work') && ++questions === 2) {
        // The insert goes on only after the failure was told.
        setImmediate(letGo);
        throw new Error('the store went away');
      }
      return store.columns.query(sql, params);
    },
    async insertBlock(table, block, token) {
      if (table === 'work') await asked;
      await store.columns.insertBlock(table, block, token);
    },
  };
  const { loader, work } = await loading(columns, [[call(1)], [call(2)]]);
  await expect(loader.loadSealed(work)).rejects.toThrow('the store went away');
  await loader.loadSealed(work);
  expect(await stored()).toEqual({ rows: 2, calls: 2 });
  expect(work.sealed).toEqual([]);
});
