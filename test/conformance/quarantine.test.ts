import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LineOrigin, type MalformedLine, Quarantine } from '../../src/collect/index.ts';
import { openStore, type Store, type StoreConfig } from '../../src/store/index.ts';
import { describeWith, postgres } from '../support/available.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder('quarantine');
afterAll(() => folder.remove());

const origin = (more: Partial<LineOrigin> = {}): LineOrigin => ({
  ...{ source: '/var/log/a.log', service: 'front', host: '', fingerprint: 'f', tenantFrom: '', format: 'combined' },
  ...more,
});
const refused = (...lines: number[]) =>
  lines.map((line): MalformedLine => ({ line, refusal: 'line_malformed', reason: 'words' }));
const body = Buffer.from('one\nzwölf\r\nthree\nfour');

/** What must hold of the quarantine whatever engine it stands on. */
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

  const open = async (more: { keepsText?: boolean; mostLines?: number } = {}) => {
    const now = () => new Date(Date.UTC(2022, 7, 1));
    const quarantine = await Quarantine.open({ documents: store.documents, keepsText: false, now, ...more });
    await quarantine.clear({});
    return quarantine;
  };
  const places = async (quarantine: Quarantine) =>
    (await quarantine.list({}, 100)).map(({ line, byte_offset, byte_length }) => [line, byte_offset, byte_length]);

  it('says where a line stands in the log, in lines and bytes', async () => {
    const quarantine = await open();
    await quarantine.note(origin(), { body, offset: 100, firstLine: 11 }, refused(1, 2, 4));
    expect(await places(quarantine)).toEqual([
      [14, 118, 4],
      [12, 104, 6],
      [11, 100, 3],
    ]);
    const [newest] = await quarantine.list({}, 1);
    expect(newest).toMatchObject({ ...{ source: '/var/log/a.log', format: 'combined', reason: 'line_malformed' } });
    expect(newest).toMatchObject({ refused_at: '2022-08-01T00:00:00.000Z', line_text: null });
  });

  it('a line that is accepted later is in it no more, and one that is refused again is in it once', async () => {
    const quarantine = await open();
    const stretch = { body, offset: 0, firstLine: 1 };
    await quarantine.note(origin(), stretch, refused(1, 2, 3));
    await quarantine.note(origin({ format: 'common' }), stretch, refused(2));
    expect((await quarantine.list({}, 9)).map(({ line, format }) => [line, format])).toEqual([[2, 'common']]);
    await quarantine.note(origin(), { body: Buffer.from('x'), offset: 3, firstLine: 1 }, []);
    expect(await quarantine.count()).toBe(1);
    const again = await Quarantine.open({ documents: store.documents, keepsText: false, now: () => new Date() });
    await again.note(origin(), stretch, []);
    expect(await quarantine.count()).toBe(0);
  });

  it('logs are kept apart by their first line, service and machine, not by their name', async () => {
    const quarantine = await open();
    const stretch = { body, offset: 0, firstLine: 1 };
    const others = [{ fingerprint: 'g' }, { service: 'back' }, { host: 'pod' }];
    for (const more of [{}, ...others]) await quarantine.note(origin(more), stretch, refused(1));
    expect(await quarantine.count()).toBe(4);
    await quarantine.note(origin({ source: 'renamed' }), stretch, []);
    expect(await quarantine.count()).toBe(3);
  });

  it('keeps the newest lines only', async () => {
    const quarantine = await open({ mostLines: 4_000 });
    const many = Buffer.from('x\n'.repeat(3_000));
    const lines = refused(...Array.from({ length: 3_000 }, (_, index) => index + 1));
    for (const offset of [0, 10_000, 20_000])
      await quarantine.note(origin(), { body: many, offset, firstLine: 1 }, lines);
    expect(await quarantine.count()).toBeLessThanOrEqual(9_000);
    await quarantine.note(origin(), { body: many, offset: 30_000, firstLine: 1 }, lines);
    expect(await quarantine.count()).toBe(4_000);
    expect((await quarantine.list({}, 1))[0]).toMatchObject({ byte_offset: 35_998 });
  });

  it('keeps the beginning of a line where that was asked for, without control characters', async () => {
    const quarantine = await open({ keepsText: true });
    const odd = Buffer.from(`a\0b\x1b[2J\n${'y'.repeat(5_000)}\n`);
    await quarantine.note(origin({ source: 'a\0b' }), { body: odd, offset: 0, firstLine: 1 }, refused(1, 2));
    const texts = (await quarantine.list({}, 9)).map(({ source, line_text }) => [source, line_text]);
    expect(texts).toEqual([
      ['a\ufffdb', 'y'.repeat(2_000)],
      ['a\ufffdb', 'a\ufffdb\ufffd[2J'],
    ]);
  });

  it('is listed by choice and in pages, and cleared by choice', async () => {
    const quarantine = await open();
    await quarantine.note(origin(), { body, offset: 0, firstLine: 1 }, refused(1, 2));
    await quarantine.note(
      origin({ source: 'b', fingerprint: 'g' }),
      { body, offset: 0, firstLine: 1 },
      refused(1, 2, 3),
    );
    const [first] = await quarantine.list({ source: 'b' }, 1);
    expect((await quarantine.list({ source: 'b', before: first!.id }, 9)).map(({ line }) => line)).toEqual([2, 1]);
    expect(await quarantine.count({ format: 'common' })).toBe(0);
    expect(await quarantine.clear({ source: 'b' })).toBe(3);
    expect(await quarantine.clear({})).toBe(2);
  });
}

describe('SQLite', () => {
  conformance(async () => ({
    config: { folder: join(folder.path, 'embedded') },
    stop: async () => undefined,
  }));
});

describeWith(postgres(), 'PostgreSQL', () => {
  conformance(async () => {
    const server = await startPostgres();
    return { config: { folder: join(folder.path, 'postgres'), postgresUrl: server.url }, stop: () => server.stop() };
  });
});
