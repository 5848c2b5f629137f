import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FRAME_HEAD, sealFrame } from './frame.ts';
import { type Loss, Outbox, type OutboxConfig } from './outbox.ts';

let folder: string;
let losses: Loss[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taximeter-outbox-'));
  losses = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(set: Partial<OutboxConfig> = {}): Outbox {
  const usual = { folder, mostBytes: 10_000, fileBytes: 100, whenFull: 'oldest', nowMs: Date.now } as const;
  return Outbox.open({ ...usual, onLoss: (loss) => losses.push(loss), ...set });
}

function frame(text: string): Buffer {
  return Buffer.concat([Buffer.alloc(FRAME_HEAD), Buffer.from(text)]);
}

async function textsIn(outbox: Outbox): Promise<string[]> {
  const texts: string[] = [];
  for (let file = outbox.oldest(); file !== null; file = outbox.oldest()) {
    texts.push(...((await outbox.read(file))?.payloads ?? []).map(String));
    outbox.remove(file);
  }
  return texts;
}

const files = () => readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.spans'));

describe('an outbox', () => {
  test('gives what it took in its order, and then holds nothing', async () => {
    const outbox = open();
    const texts = Array.from({ length: 20 }, (_, i) => `span ${i} ${'x'.repeat(30)}`);
    for (const text of texts) expect(outbox.append(frame(text), 1)).toBe(true);
    outbox.seal();
    expect(files().length).toBeGreaterThan(5);
    expect(await textsIn(outbox)).toEqual(texts);
    expect([files(), outbox.bytes, outbox.isEmpty, losses]).toEqual([[], 0, true, []]);
    outbox.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('gives up the oldest when it is full, and tells of each', async () => {
    const outbox = open({ mostBytes: 500 });
    const texts = Array.from({ length: 20 }, (_, i) => `${String(i).padStart(2, '0')}${'x'.repeat(48)}`);
    for (const text of texts) expect(outbox.append(frame(text), 1)).toBe(true);
    expect(outbox.bytes).toBeLessThanOrEqual(500);
    outbox.seal();
    const left = await textsIn(outbox);
    expect(left).toEqual(texts.slice(-left.length));
    expect(losses.every(({ reason }) => reason === 'outbox_full')).toBe(true);
    expect(losses.reduce((sum, { spans }) => sum + (spans ?? 0), 0) + left.length).toBe(20);
    outbox.close();
  });

  test('refuses the newest when it is told to, and tells of each', async () => {
    const outbox = open({ mostBytes: 500, whenFull: 'newest' });
    const taken = Array.from({ length: 20 }, (_, i) => outbox.append(frame(`${i}`.padEnd(50)), 2));
    expect(losses.map(({ reason, spans }) => [reason, spans])).toEqual(
      taken.filter((each) => !each).map(() => ['outbox_full', 2]),
    );
    outbox.seal();
    expect(await textsIn(outbox)).toHaveLength(taken.filter(Boolean).length);
    outbox.close();
  });

  test('a frame that never fits is told', () => {
    const outbox = open({ mostBytes: 40 });
    expect(outbox.append(frame('x'.repeat(100)), 3)).toBe(false);
    expect(losses).toEqual([{ reason: 'outbox_full', spans: 3, detail: 'the newest was not taken' }]);
    outbox.close();
  });

  test('what was closed is taken over by the next one, in its order', async () => {
    const first = open();
    for (const text of ['a', 'b', 'c']) first.append(frame(text), 1);
    first.close();
    const second = open();
    second.append(frame('d'), 1);
    second.seal();
    expect(await textsIn(second)).toEqual(['a', 'b', 'c', 'd']);
    second.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('an outbox that is in use keeps its files', async () => {
    const first = open();
    first.append(frame('mine'), 1);
    const second = open();
    expect(second.oldest()).toBe(null);
    first.seal();
    second.adopt();
    expect(second.oldest()).toBe(null);
    expect(await textsIn(first)).toEqual(['mine']);
    first.close();
    second.close();
  });

  test('a file that somebody took away is told, once, and is no more in the way', async () => {
    const outbox = open();
    outbox.append(frame('gone'), 3);
    outbox.seal();
    const file = outbox.oldest()!;
    rmSync(file.path);
    expect([await outbox.read(file), await outbox.read(file)]).toEqual([null, null]);
    expect(losses).toEqual([{ reason: 'disk', spans: 3, detail: 'the file is gone' }]);
    expect([outbox.isEmpty, outbox.bytes]).toEqual([true, 0]);
    outbox.close();
  });

  test('a torn end is told, and what stands before it is delivered', async () => {
    const first = open();
    first.append(frame('whole'), 1);
    const torn = frame('torn');
    sealFrame(torn, 1);
    const [name] = files();
    appendFileSync(join(folder, String(name)), torn.subarray(0, -2));
    first.close();
    const second = open();
    expect(await textsIn(second)).toEqual(['whole']);
    expect(losses.map(({ reason, spans }) => [reason, spans])).toEqual([['damaged', null]]);
    second.close();
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

  test('is adopted when its process has ended', async () => {
    const [namespace] = own();
    // The largest number that Linux gives to a process is below this.
    orphan(`${namespace}.4194305.17.0.0123456789ab`);
    const outbox = open();
    expect(await textsIn(outbox)).toEqual(['left']);
    outbox.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is adopted when its number belongs to another process now', async () => {
    const [namespace, pid, start] = own();
    orphan(`${namespace}.${pid}.${Number(start) + 1}.0.0123456789ab`);
    const outbox = open();
    expect(await textsIn(outbox)).toEqual(['left']);
    outbox.close();
  });

  test('stays while its process runs, and another thread of this one', () => {
    const [namespace, pid, start, thread] = own();
    orphan(`${namespace}.${pid}.${start}.${Number(thread) + 9}.0123456789ab`);
    const outbox = open();
    expect(outbox.oldest()).toBe(null);
    outbox.close();
  });

  test('stays where its process cannot be seen, until it is old', async () => {
    const [, pid] = own();
    orphan(`n1.${pid}.17.0.0123456789ab`);
    const now = open();
    expect(now.oldest()).toBe(null);
    now.close();
    const later = open({ nowMs: () => Date.now() + 3_600_000 });
    expect(await textsIn(later)).toEqual(['left']);
    later.close();
  });

  const bootId = '/proc/sys/kernel/random/boot_id';
  test.skipIf(!existsSync(bootId))('stays where its process runs on another machine, until it is old', async () => {
    const [namespace = ''] = own();
    const boot = readFileSync(bootId, 'utf8').replace(/[^0-9a-f]/g, '');
    expect(namespace).toMatch(/^n\d+b[0-9a-f]{32}$/);
    // The namespace has the same number there, and no such process runs here.
    orphan(`${namespace.replace(boot, boot.replace(/./g, '0'))}.4194305.17.0.0123456789ab`);
    const now = open();
    expect(now.oldest()).toBe(null);
    now.close();
    const later = open({ nowMs: () => Date.now() + 3_600_000 });
    expect(await textsIn(later)).toEqual(['left']);
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
