import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deliveries } from '../../src/serve/reports/deliveries.ts';
import { applyVersions, newestOf, openStore, type Store, type StoreConfig, versionsOf } from '../../src/store/index.ts';
import { clickhouse, describeWith, postgres } from '../support/available.ts';
import { startClickHouse } from '../support/clickhouse-server.ts';
import { repository } from '../support/data.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder('documents');
afterAll(() => folder.remove());

const version = (name: string, spec: unknown, effectiveFromMs = 0) => ({
  ...{ kind: 'CostModel', name, effectiveFromMs, spec, reason: '' },
});
const at = (day: number) => new Date(Date.UTC(2025, 0, day));

/** What must hold of the store whatever engines it stands on. */
function conformance(start: () => Promise<{ readonly config: StoreConfig; stop(): Promise<void> }>): void {
  let engines: { readonly config: StoreConfig; stop(): Promise<void> };
  let store: Store;
  beforeAll(async () => {
    engines = await start();
    store = await openStore(engines.config);
  });
  afterAll(async () => {
    await store?.close();
    await engines?.stop();
  });

  it('a document is created, unchanged, changed; no version is ever edited', async () => {
    const apply = async (spec: unknown, day: number) =>
      applyVersions(store.documents, [version('a', spec)], 'ada', at(day));
    const outcomes = [];
    for (const [day, spec] of [{ v: 1 }, { v: 1 }, { v: 2 }, { v: 1 }].entries())
      outcomes.push(...(await apply(spec, day + 1)));
    expect(outcomes.map(({ version: number, status }) => [number, status])).toEqual([
      [1, 'created'],
      [1, 'unchanged'],
      [2, 'changed'],
      [3, 'changed'],
    ]);
    const bodies = (await versionsOf(store.documents, 'CostModel')).map(({ body, applied_by }) => [body, applied_by]);
    expect(bodies).toEqual([
      ['{"v":1}', 'ada'],
      ['{"v":2}', 'ada'],
      ['{"v":1}', 'ada'],
    ]);
  });

  it('of several who take the delivery of a report one gets it, and only that one can end it', async () => {
    const deliveries = new Deliveries(store.documents);
    const [period, targets] = [{ fromMs: 0, toMs: 86_400_000 }, [{ file: 'html' as const }]];
    const nowMs = Date.UTC(2026, 0, 1);
    const added = await Promise.all([1, 2, 3].map(() => deliveries.add('daily', period, targets, nowMs)));
    const [row, ...others] = await deliveries.due(nowMs);
    expect(others).toEqual([]);
    const got = await Promise.all([1, 2, 3, 4].map(() => deliveries.claim(row!, nowMs)));
    expect(got.filter((isMine) => isMine)).toHaveLength(1);
    expect(await deliveries.due(nowMs + 9 * 60_000)).toEqual([]);
    // Whoever began is taken for dead; another one sends, and what the dead one says counts no more.
    const [again] = await deliveries.due(nowMs + 10 * 60_000);
    expect(await deliveries.claim(again!, nowMs + 10 * 60_000)).toBe(true);
    await deliveries.ended(row!, { reason: 'too late', isFinal: true }, nowMs);
    await deliveries.ended(again!, null, nowMs + 11 * 60_000);
    expect(await deliveries.of(added[0]!)).toMatchObject([
      { state: 'sent', attempts: 2, error: '', sent_at: '2026-01-01T00:11:00.000Z' },
    ]);
    expect(await deliveries.wake(added[0]!, false, nowMs)).toBe(0);
    expect(await deliveries.wake(added[0]!, true, nowMs)).toBe(1);
    // Of the same day with other targets nothing is touched.
    const elsewhere = await deliveries.add('daily', period, [{ file: 'text' }], nowMs);
    expect(await deliveries.wake(elsewhere, true, nowMs)).toBe(1);
    expect(await deliveries.of(elsewhere)).toMatchObject([{ shown: 'file as text' }]);
  });

  it('another time from which it holds is another version', async () => {
    await applyVersions(store.documents, [version('b', {})], 'ada', at(1));
    const [applied] = await applyVersions(store.documents, [version('b', {}, 5)], 'ada', at(2));
    expect(applied).toMatchObject({ version: 2, status: 'changed' });
  });

  it('as known on a past date has what was applied until then', async () => {
    for (const day of [1, 2, 3]) {
      await applyVersions(store.documents, [{ ...version('c', { day }), kind: 'Plan' }], 'ada', at(day));
    }
    expect(await versionsOf(store.documents, 'Plan', at(2))).toHaveLength(2);
    expect((await newestOf(store.documents, 'Plan')).map(({ body }) => body)).toEqual(['{"day":3}']);
  });

  it('all documents of a file are applied, or none', async () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const both = [version('d', {}), version('e', circle)];
    await expect(applyVersions(store.documents, both, 'ada', at(1))).rejects.toThrow(TypeError);
    expect((await newestOf(store.documents, 'CostModel')).map(({ name }) => name)).not.toContain('d');
  });

  it('opening it again keeps everything', async () => {
    const before = await versionsOf(store.documents, 'CostModel');
    await store.close();
    store = await openStore(engines.config);
    expect(await versionsOf(store.documents, 'CostModel')).toEqual(before);
    expect(await store.columns.query('SELECT count() AS n FROM migration')).toEqual([
      { n: expect.stringMatching(/^[1-9]/) },
    ]);
  });

  it('what a newer Taximeter wrote is left alone', async () => {
    await store.columns.command("INSERT INTO migration (id) VALUES ('9999-news')");
    await store.close();
    await expect(openStore(engines.config)).rejects.toThrow(expect.objectContaining({ code: 'DATA_TOO_NEW' }));
  });
}

const nothing = async () => undefined;

describe('SQLite and the embedded engine', () => {
  conformance(async () => ({ config: { folder: join(folder.path, 'embedded') }, stop: nothing }));
});

describeWith(clickhouse(), 'SQLite and a ClickHouse server', () => {
  conformance(async () => {
    const server = await startClickHouse();
    return {
      config: { folder: join(folder.path, 'server'), clickhouseUrl: server.httpUrl },
      stop: () => server.stop(),
    };
  });
});

describeWith(postgres(), 'PostgreSQL and the embedded engine', () => {
  conformance(async () => {
    const server = await startPostgres();
    return { config: { folder: join(folder.path, 'postgres'), postgresUrl: server.url }, stop: () => server.stop() };
  });
});

describe('documents that a newer Taximeter wrote', () => {
  it('are left alone', async () => {
    const config = { folder: join(folder.path, 'newer') };
    const store = await openStore(config);
    const migrations = store.documents as unknown as {
      insertInto(table: string): { values(row: object): { execute(): Promise<unknown> } };
    };
    await migrations.insertInto('kysely_migration').values({ name: '9999-news', timestamp: '2030' }).execute();
    await store.close();
    await expect(openStore(config)).rejects.toThrow(expect.objectContaining({ code: 'DATA_TOO_NEW' }));
  });
});

describe('a second process on the same folder', () => {
  it('fails with DATA_IN_USE, and the first goes on', async () => {
    const config = { folder: join(folder.path, 'shared') };
    const store = await openStore(config);
    const program = `
      import { openStore } from ${JSON.stringify(join(repository, 'src/store/index.ts'))};
      openStore({ folder: ${JSON.stringify(config.folder)} }).then(() => console.log('opened'), (cause) => console.log(cause.code));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', program],
      { cwd: repository },
    );
    expect(stdout.trim()).toBe('DATA_IN_USE');
    expect(await store.columns.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await store.close();
  });
});
