import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { available, describeWith, inPath } from '../../../test/support/available.ts';
import { repository } from '../../../test/support/data.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { Journal, type JournalConfig } from './journal.ts';
import { decodeSegment, FRAME_BYTES, HEADER_BYTES, SegmentKind } from './segment.ts';

const folder = tempFolder('journal');
let used = 0;
afterEach(() => folder.remove());

function settings(changes: Partial<JournalConfig> = {}): JournalConfig {
  let id = 0;
  return {
    folder: join(folder.path, String(++used)),
    kind: SegmentKind.work,
    segmentRows: 1_000,
    segmentBytes: 1 << 20,
    capacityBytes: 1 << 20,
    nowMs: () => Date.UTC(2025, 0, 1),
    nextId: () => ++id,
    ...changes,
  };
}

/** Everything that is in a journal's files, whether the journal knows of it or not. */
function kept(path: string): { payloads: Buffer[]; rows: number; bytes: number; damagedFrames: number } {
  const files = readdirSync(path).sort();
  const contents = files.map((name) => decodeSegment(readFileSync(join(path, name)))!);
  return {
    payloads: contents.flatMap(({ payloads }) => payloads),
    rows: contents.reduce((sum, { rows }) => sum + rows, 0),
    bytes: files.reduce((sum, name) => sum + readFileSync(join(path, name)).length, 0),
    damagedFrames: contents.reduce((sum, content) => sum + content.damagedFrames, 0),
  };
}

const codeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'kept',
    (cause: { code?: string }) => cause.code ?? String(cause),
  );

describe('a journal', () => {
  it('never makes a segment larger than two of them because many wait at once', async () => {
    const config = settings({ segmentBytes: 1_000 });
    const journal = await Journal.open(config);
    await Promise.all(Array.from({ length: 20 }, (_, place) => journal.append(Buffer.alloc(400, place), 1)));
    await journal.seal();
    expect(journal.sealed.filter(({ sizeBytes }) => sizeBytes > 2_000)).toEqual([]);
    expect(kept(config.folder).rows).toBe(20);
  });

  it('that could not begin a file waits for nothing', async () => {
    const config = settings();
    const journal = await Journal.open(config);
    rmSync(config.folder, { recursive: true });
    expect(await codeOf(journal.append(Buffer.alloc(10), 1))).toBe('ENOENT');
    expect(journal.oldestId).toBeNull();
  });

  it('counts what other journals of its house hold', async () => {
    const journal = await Journal.open(settings({ capacityBytes: 1_000, othersBytes: () => 900 }));
    expect(await codeOf(journal.append(Buffer.alloc(100), 1))).toBe('JOURNAL_FULL');
  });

  it('has on disk what it acknowledged, in the order in which it was asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { maxLength: 5 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 12 }),
        async (turns, segmentRows) => {
          const config = settings({ segmentRows });
          const journal = await Journal.open(config);
          for (const turn of turns) await Promise.all(turn.map((bytes) => journal.append(Buffer.from(bytes), 2)));
          const sent = turns.flat().map((bytes) => Buffer.from(bytes).toString('hex'));
          const found = kept(config.folder);
          expect(found.payloads.map((payload) => payload.toString('hex'))).toEqual(sent);
          expect(found).toMatchObject({ rows: 2 * sent.length, bytes: journal.sizeBytes });
          await journal.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is found again by the next process, sealed, with the same size', async () => {
    const config = settings({ segmentRows: 2 });
    const journal = await Journal.open(config);
    for (const text of ['one', 'two', 'three']) await journal.append(Buffer.from(text), 1);
    const again = await Journal.open(config);
    expect(again.sealed.map(({ id }) => id)).toEqual([1, 2]);
    expect(again.sizeBytes).toBe(journal.sizeBytes);
    expect(await Journal.largestId(config.folder)).toBe(2);
    await journal.close();
  });

  it('writes nothing for no rows', async () => {
    const config = settings();
    const journal = await Journal.open(config);
    await journal.append(Buffer.alloc(0), 0);
    await journal.seal();
    expect(readdirSync(config.folder)).toEqual([]);
  });

  it('begins a new segment after a seal, and forgets a removed one', async () => {
    const config = settings();
    const journal = await Journal.open(config);
    for (const text of ['one', 'two']) {
      await journal.append(Buffer.from(text), 1);
      await journal.seal();
    }
    expect(journal.sealed.map(({ id }) => id)).toEqual([1, 2]);
    await journal.remove(1);
    await journal.remove(1);
    expect(kept(config.folder).payloads.map(String)).toEqual(['two']);
    expect(journal.sizeBytes).toBe(HEADER_BYTES + FRAME_BYTES + 3);
  });

  it('seals between two writes, also while senders never pause', async () => {
    const journal = await Journal.open(settings({ segmentRows: 1_000_000 }));
    let isSealed = false;
    const sealed = journal.append(Buffer.from('first'), 1).then(() =>
      journal.seal().then(() => {
        isSealed = true;
      }),
    );
    let appended = 0;
    for (; !isSealed && appended < 50; appended++) await journal.append(Buffer.from('more'), 1);
    expect(appended).toBeLessThan(50);
    await sealed;
    await journal.close();
  });

  it('keeps a damaged segment beside itself when it is set aside, and never gives its number again', async () => {
    const config = settings();
    const journal = await Journal.open(config);
    await journal.append(Buffer.from('one'), 1);
    await journal.seal();
    const path = await journal.setAside(1);
    expect(decodeSegment(readFileSync(path))!.payloads.map(String)).toEqual(['one']);
    expect([journal.sealed, journal.sizeBytes]).toEqual([[], 0]);
    expect(await Journal.largestId(config.folder)).toBe(1);
    expect((await Journal.open(config)).sealed).toEqual([]);
  });
});

describe('a full journal', () => {
  // Room for one header more is always kept.
  const capacityBytes = 2 * HEADER_BYTES + 3 * (FRAME_BYTES + 10);

  it('refuses what does not fit, keeps what it acknowledged, and takes more when there is room', async () => {
    const config = settings({ capacityBytes });
    const journal = await Journal.open(config);
    const outcomes = [];
    for (let i = 0; i < 5; i++) outcomes.push(await codeOf(journal.append(Buffer.alloc(10, i), 1)));
    expect(outcomes).toEqual(['kept', 'kept', 'kept', 'JOURNAL_FULL', 'JOURNAL_FULL']);
    expect(kept(config.folder).payloads).toHaveLength(3);
    await journal.seal();
    await journal.remove(1);
    expect(await codeOf(journal.append(Buffer.alloc(10, 9), 1))).toBe('kept');
    await journal.close();
  });

  it('never grows beyond its capacity, however many ask at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 }), async (sizes) => {
        const config = settings({ capacityBytes, segmentRows: 4 });
        const journal = await Journal.open(config);
        const outcomes = await Promise.all(sizes.map((size) => codeOf(journal.append(Buffer.alloc(size, 1), 1))));
        const found = kept(config.folder);
        expect(found.bytes).toBeLessThanOrEqual(capacityBytes);
        expect(found.payloads).toHaveLength(outcomes.filter((outcome) => outcome === 'kept').length);
        expect(new Set(outcomes)).toEqual(
          new Set(outcomes.filter((outcome) => ['kept', 'JOURNAL_FULL'].includes(outcome))),
        );
        await journal.close();
      }),
      { numRuns: 40 },
    );
  });
});

describe('a write that fails', () => {
  it('is told to who asked, and later writes succeed', async () => {
    const config = settings();
    const journal = await Journal.open(config);
    rmSync(config.folder, { recursive: true });
    const failed = await Promise.all(['one', 'two'].map((text) => codeOf(journal.append(Buffer.from(text), 1))));
    expect(failed).toEqual(['ENOENT', 'ENOENT']);
    expect(journal.sizeBytes).toBe(0);
    await Journal.largestId(config.folder);
    expect(await codeOf(journal.append(Buffer.from('three'), 1))).toBe('kept');
    expect(kept(config.folder).payloads.map(String)).toEqual(['three']);
    await journal.close();
  });
});

const prlimit = available(inPath('prlimit'), 'no prlimit in PATH (it is part of util-linux)');
describeWith(prlimit, 'a file that cannot grow any more', (program) => {
  it.each([
    ['in the middle of a payload', 1_000_000, 100_000],
    ['in the head of a frame', 4 * (FRAME_BYTES + 100_000) + HEADER_BYTES + 5, 100_000],
    ['before the first frame', 40_000, 100_000],
  ])('%s: DISK_FULL, and on disk is exactly what was acknowledged', (_, limitBytes, size) => {
    const config = settings();
    const script = join(repository, 'test', 'simulation', 'journal-writer.ts');
    const command = [process.execPath, '--import', 'tsx', script, config.folder, '18', String(size)];
    // The limit holds from here on; what the loader of the script caches is written before.
    spawnSync(process.execPath, ['--import', 'tsx', script, join(config.folder, '..', 'warm'), '0', '1'], {
      cwd: repository,
    });
    const { stdout, stderr } = spawnSync(program, [`--fsize=${limitBytes}`, ...command], {
      cwd: repository,
      encoding: 'utf8',
    });
    const told = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line || '{}') as { number: number; outcome: string });
    expect(
      told.map(({ number }) => number).sort((a, b) => a - b),
      stderr,
    ).toEqual(Array.from({ length: 18 }, (_, i) => i));
    expect(new Set(told.map(({ outcome }) => outcome))).toContain('DISK_FULL');
    const acknowledged = told.filter(({ outcome }) => outcome === 'kept').map(({ number }) => number);
    const found = kept(config.folder);
    expect(found.payloads.map((payload) => payload.readUInt32LE(0)).sort((a, b) => a - b)).toEqual(
      acknowledged.sort((a, b) => a - b),
    );
    expect(found.damagedFrames).toBe(0);
  });
});
