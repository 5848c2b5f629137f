import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FRAME_HEAD, readFrames, sealFrame } from './frame.ts';
import { type Loss, Outbox, type OutboxConfig } from './outbox.ts';

let folder: string;
let losses: Loss[];
let problems: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taximeter-outbox-'));
  [losses, problems] = [[], []];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(set: Partial<OutboxConfig> = {}): Outbox {
  const usual = { folder, mostBytes: 10_000, fileBytes: 100, whenFull: 'oldest', nowMs: Date.now } as const;
  return Outbox.open({
    ...usual,
    onLoss: (loss) => losses.push(loss),
    onProblem: (problem) => problems.push(problem),
    ...set,
  });
}

/** Appends a frame, and waits until it is written, or lost. */
async function put(outbox: Outbox, text: string, spans = 1): Promise<boolean> {
  const isTaken = outbox.append(frame(text), spans);
  await outbox.written();
  return isTaken;
}

function frame(text: string): Buffer {
  return Buffer.concat([Buffer.alloc(FRAME_HEAD), Buffer.from(text)]);
}

function textsIn(outbox: Outbox): string[] {
  const texts: string[] = [];
  for (let file = outbox.oldest(); file !== null; file = outbox.oldest()) {
    const { frames, tornBytes } = readFrames(readFileSync(file.path));
    expect(tornBytes).toBe(0);
    texts.push(...frames.map(({ payload }) => String(payload)));
    outbox.remove(file);
  }
  return texts;
}

const files = () => readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.spans'));

describe('an outbox', () => {
  test('gives what it took in its order, and then holds nothing', async () => {
    const outbox = open();
    const texts = Array.from({ length: 20 }, (_, i) => `span ${i} ${'x'.repeat(30)}`);
    for (const text of texts) expect(await put(outbox, text, 1)).toBe(true);
    await outbox.seal();
    expect(files().length).toBeGreaterThan(5);
    expect(textsIn(outbox)).toEqual(texts);
    expect([files(), outbox.bytes, outbox.isEmpty, losses]).toEqual([[], 0, true, []]);
    outbox.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('has each frame once and in its order, however appending and ending files meet', async () => {
    const step = fc.constantFrom('append', 'append', 'seal', 'wait');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const outbox = open({ mostBytes: 1 << 20, fileBytes: 60 });
        const taken: string[] = [];
        const sealing: Promise<void>[] = [];
        for (const each of steps) {
          const text = `span ${taken.length}`;
          if (each === 'append' && outbox.append(frame(text), 1)) taken.push(text);
          else if (each === 'seal') sealing.push(outbox.seal());
          else if (each === 'wait') await new Promise(setImmediate);
        }
        await Promise.all(sealing);
        await outbox.seal();
        expect(textsIn(outbox)).toEqual(taken);
        expect([outbox.bytes, outbox.isEmpty]).toEqual([0, true]);
        outbox.close();
      }),
      { numRuns: 60 },
    );
  });

  test('gives up the oldest when it is full, and tells of each', async () => {
    const outbox = open({ mostBytes: 500 });
    const texts = Array.from({ length: 20 }, (_, i) => `${String(i).padStart(2, '0')}${'x'.repeat(48)}`);
    for (const text of texts) expect(await put(outbox, text, 1)).toBe(true);
    expect(outbox.bytes).toBeLessThanOrEqual(500);
    await outbox.seal();
    const left = textsIn(outbox);
    expect(left).toEqual(texts.slice(-left.length));
    expect(losses.every(({ reason }) => reason === 'outbox_full')).toBe(true);
    expect(losses.reduce((sum, { spans }) => sum + (spans ?? 0), 0) + left.length).toBe(20);
    outbox.close();
  });

  test('refuses the newest when it is told to, and tells of each', async () => {
    const outbox = open({ mostBytes: 500, whenFull: 'newest' });
    const taken: boolean[] = [];
    for (let i = 0; i < 20; i++) taken.push(await put(outbox, `${i}`.padEnd(50), 2));
    expect(losses.map(({ reason, spans }) => [reason, spans])).toEqual(
      taken.filter((each) => !each).map(() => ['outbox_full', 2]),
    );
    await outbox.seal();
    expect(textsIn(outbox)).toHaveLength(taken.filter(Boolean).length);
    outbox.close();
  });

  test('a frame that never fits is told', async () => {
    const outbox = open({ mostBytes: 40 });
    expect(await put(outbox, 'x'.repeat(100), 3)).toBe(false);
    expect(losses).toEqual([{ reason: 'outbox_full', spans: 3, detail: 'the newest was not taken' }]);
    outbox.close();
  });

  test('what was closed is taken over by the next one, in its order', async () => {
    const first = open();
    for (const text of ['a', 'b', 'c']) await put(first, text, 1);
    first.close();
    const second = open();
    await put(second, 'd', 1);
    await second.seal();
    expect(textsIn(second)).toEqual(['a', 'b', 'c', 'd']);
    second.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('an outbox that is in use keeps its files', async () => {
    const first = open();
    await put(first, 'mine', 1);
    const second = open();
    expect(second.oldest()).toBe(null);
    await first.seal();
    second.adopt();
    expect(second.oldest()).toBe(null);
    expect(textsIn(first)).toEqual(['mine']);
    first.close();
    second.close();
  });

  test('a file that somebody took away is told, once, and is no more in the way', async () => {
    const outbox = open();
    await put(outbox, 'gone', 3);
    await outbox.seal();
    const file = outbox.oldest()!;
    rmSync(file.path);
    outbox.forgetGone(file);
    outbox.forgetGone(file);
    expect(losses).toEqual([{ reason: 'disk', spans: 3, detail: 'the file is gone' }]);
    expect([outbox.isEmpty, outbox.bytes]).toEqual([true, 0]);
    outbox.close();
  });
});

describe('what an owner left', () => {
  const orphan = (name: string) => {
    mkdirSync(join(folder, name), { recursive: true });
    const left = frame('left');
    sealFrame(left, 4);
    writeFileSync(join(folder, name, '000000000007.spans'), left);
  };
  const own = () => {
    const outbox = open();
    const [name = ''] = readdirSync(folder);
    outbox.close();
    return name.split('.');
  };

  test('is adopted when its process has ended', () => {
    const [namespace] = own();
    // The largest number that Linux gives to a process is below this.
    orphan(`${namespace}.4194305.17.0.0123456789ab`);
    const outbox = open();
    expect(textsIn(outbox)).toEqual(['left']);
    outbox.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is adopted when its number belongs to another process now', () => {
    const [namespace, pid, start] = own();
    orphan(`${namespace}.${pid}.${Number(start) + 1}.0.0123456789ab`);
    const outbox = open();
    expect(textsIn(outbox)).toEqual(['left']);
    outbox.close();
  });

  test('stays while its process runs, and another thread of this one', () => {
    const [namespace, pid, start, thread] = own();
    orphan(`${namespace}.${pid}.${start}.${Number(thread) + 9}.0123456789ab`);
    const outbox = open();
    expect(outbox.oldest()).toBe(null);
    outbox.close();
  });

  test('stays where its process cannot be seen, until it is old', () => {
    const [, pid] = own();
    orphan(`n1.${pid}.17.0.0123456789ab`);
    const now = open();
    expect(now.oldest()).toBe(null);
    now.close();
    const later = open({ nowMs: () => Date.now() + 3_600_000 });
    expect(textsIn(later)).toEqual(['left']);
    later.close();
  });

  const bootId = '/proc/sys/kernel/random/boot_id';
  test.skipIf(!existsSync(bootId))('stays where its process runs on another machine, until it is old', () => {
    const [namespace = ''] = own();
    const boot = readFileSync(bootId, 'utf8').replace(/[^0-9a-f]/g, '');
    expect(namespace).toMatch(/^n\d+b[0-9a-f]{32}$/);
    // The namespace has the same number there, and no such process runs here.
    orphan(`${namespace.replace(boot, boot.replace(/./g, '0'))}.4194305.17.0.0123456789ab`);
    const now = open();
    expect(now.oldest()).toBe(null);
    now.close();
    const later = open({ nowMs: () => Date.now() + 3_600_000 });
    expect(textsIn(later)).toEqual(['left']);
    later.close();
  });

  test('is counted when there is no room for it', () => {
    const [namespace] = own();
    orphan(`${namespace}.4194305.17.0.0123456789ab`);
    const outbox = open({ mostBytes: 10 });
    expect(losses.map(({ reason, spans }) => [reason, spans])).toEqual([['outbox_full', 4]]);
    outbox.close();
  });

  test('other folders are not touched', () => {
    mkdirSync(join(folder, 'somebody', 'else'), { recursive: true });
    open().close();
    expect(readdirSync(folder)).toEqual(['somebody']);
  });
});

describe('a disk that fails', () => {
  const own = () => join(folder, String(readdirSync(folder)[0]));

  test.each<[string, (root: string) => void, (root: string) => void]>([
    [
      'a folder that became a file',
      (root) => {
        rmSync(root, { recursive: true });
        writeFileSync(root, '');
      },
      (root) => rmSync(root),
    ],
    ['a folder that is a way in a circle', (root) => replace(root, root), (root) => rmSync(root)],
    ['a disk that is full', () => symlinkSync('/dev/full', join(own(), '000000000001.spans')), () => {}],
  ])('%s throws nothing and is told, and what comes when it is mended is taken', async (_, breaks, mends) => {
    const outbox = open();
    breaks(folder);
    await put(outbox, 'lost', 3);
    expect(losses.map(({ reason, spans }) => [reason, spans])).toEqual([['disk', 3]]);
    expect([outbox.bytes, outbox.isEmpty]).toEqual([0, true]);
    outbox.adopt();
    mends(folder);
    expect(await put(outbox, 'kept', 1)).toBe(true);
    await outbox.seal();
    expect(textsIn(outbox)).toEqual(['kept']);
    outbox.close();
  });

  /** Puts a link to somewhere in the place of something. */
  function replace(path: string, target: string): void {
    rmSync(path, { recursive: true });
    symlinkSync(target, path);
  }

  test('a disk that hangs keeps nobody waiting, and loses what it does not keep up with', async () => {
    const outbox = open();
    // Whoever opens it to write waits until somebody reads it.
    const path = join(own(), '000000000001.spans');
    execFileSync('mkfifo', [path]);
    let released = 0;
    const taken = Array.from({ length: 40 }, (_, i) => outbox.append(frame(`${i}`), 1, () => (released += 1)));
    const lost = taken.filter((each) => !each).length;
    expect([taken[0], lost > 0, released]).toEqual([true, true, lost]);
    expect(losses).toEqual(Array(lost).fill({ reason: 'disk', spans: 1, detail: 'the disk does not keep up' }));
    // The end of the process does not wait for it either.
    outbox.writeRest();
    expect(textsIn(outbox)).toEqual([taken.map((_, i) => `${i}`).filter((_, i) => taken[i])].flat());
    createReadStream(path).resume();
    await outbox.written();
    outbox.close();
  });

  test('a folder that somebody takes away between two files is made anew', async () => {
    const outbox = open();
    expect(await put(outbox, 'a'.repeat(100), 1)).toBe(true);
    rmSync(folder, { recursive: true });
    expect(await put(outbox, 'b', 1)).toBe(true);
    await outbox.seal();
    outbox.forgetGone(outbox.oldest()!);
    expect(textsIn(outbox)).toEqual(['b']);
    expect(losses.map(({ reason, spans }) => [reason, spans])).toEqual([['disk', 1]]);
    outbox.close();
  });

  test('an outbox that cannot be opened is told, and used as soon as it can be', async () => {
    const root = join(folder, 'later');
    writeFileSync(root, 'in the way');
    const outbox = open({ folder: root });
    expect(problems.join()).toContain('the outbox cannot be used');
    await put(outbox, 'lost');
    rmSync(root);
    expect(await put(outbox, 'kept', 1)).toBe(true);
    outbox.close();
    const next = open({ folder: root });
    expect(textsIn(next)).toEqual(['kept']);
    next.close();
  });

  test('a file that cannot be deleted is told, and is no more in the way', async () => {
    const outbox = open();
    await put(outbox, 'sent', 1);
    await outbox.seal();
    const file = outbox.oldest()!;
    rmSync(file.path);
    mkdirSync(file.path);
    outbox.remove(file);
    expect([outbox.isEmpty, problems.length]).toEqual([true, 1]);
    outbox.close();
  });

  test('what is left by an owner but cannot be taken over stays, and is told', async () => {
    const outbox = open();
    const [namespace] = String(readdirSync(folder)[0]).split('.');
    const name = `${namespace}.4194305.17.0.0123456789ab`;
    writeFileSync(join(folder, name), 'no folder');
    outbox.adopt();
    expect(problems).toHaveLength(1);
    expect(readdirSync(folder)).toContain(name);
    outbox.close();
  });

  test('what comes after the end is kept for the next one', async () => {
    const outbox = open();
    outbox.close();
    expect(await put(outbox, 'late', 1)).toBe(true);
    const next = open();
    expect(textsIn(next)).toEqual(['late']);
    next.close();
    expect(readdirSync(folder)).toEqual([]);
  });
});
