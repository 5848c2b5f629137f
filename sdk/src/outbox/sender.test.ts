import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Answer, Poster } from '../http/post.ts';
import { FRAME_HEAD } from './frame.ts';
import { Outbox } from './outbox.ts';
import { Sender } from './sender.ts';

const DAY_MS = 86_400_000;

let folder: string;
let outbox: Outbox;
/** How often Taximeter was sent something, and what it says then. */
let posts: number;
let answer: () => Promise<Partial<Answer>>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taximeter-sender-'));
  outbox = Outbox.open({
    ...{ folder, mostBytes: 10_000, fileBytes: 10, whenFull: 'oldest', nowMs: Date.now },
    onLoss: () => {},
  });
  [posts, answer] = [0, async () => ({ status: 200 })];
});
afterEach(() => {
  vi.useRealTimers();
  outbox.close();
  rmSync(folder, { recursive: true, force: true });
});

function append(text: string): void {
  outbox.append(Buffer.concat([Buffer.alloc(FRAME_HEAD), Buffer.from(text)]), 1);
}

const post = async (): Promise<Answer> => {
  posts += 1;
  return { headers: {}, body: Buffer.alloc(0), ...(await answer()) } as Answer;
};

function open() {
  const counts = { delivered: 0 };
  const sender = new Sender({
    outbox,
    // Only this of it is asked for.
    poster: { post } as unknown as Poster,
    ...{ everyMs: 10, timeoutMs: 1_000, backoff: { baseMs: 1, mostMs: 2 }, nowMs: Date.now, random: () => 0 },
    onDelivered: (spans) => {
      counts.delivered += spans;
    },
    onProblem: () => {},
  });
  return { sender, counts };
}

describe('a sender that is told to come back in 30 days', () => {
  beforeEach(() => {
    answer = async () => ({ status: 503, headers: { 'retry-after': `${(30 * DAY_MS) / 1_000}` } });
    append('a');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  });

  /** Reading the file is no timer. */
  async function firstPost(): Promise<void> {
    while (posts === 0) await new Promise(setImmediate);
    await othersRun();
  }

  async function othersRun(): Promise<void> {
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
  }

  test('comes back then, and not before', async () => {
    const { sender } = open();
    sender.wake();
    vi.advanceTimersByTime(10);
    await firstPost();
    await vi.advanceTimersByTimeAsync(29 * DAY_MS);
    await othersRun();
    expect(posts).toBe(1);
    await vi.advanceTimersByTimeAsync(2 * DAY_MS);
    while (posts === 1) await new Promise(setImmediate);
  });

  test('does not come back at once for somebody who waits as long as it takes', async () => {
    void open().sender.drain(Number.POSITIVE_INFINITY);
    await firstPost();
    await vi.advanceTimersByTimeAsync(20 * DAY_MS);
    await othersRun();
    expect(posts).toBe(1);
  });
});

describe('draining', () => {
  test('twice at once delivers each file once', async () => {
    const { sender, counts } = open();
    for (const text of ['a', 'b', 'c']) append(`${text} is long enough for a file`);
    answer = async () => {
      await new Promise(setImmediate);
      return { status: 200 };
    };
    expect(await Promise.all([sender.drain(5_000), sender.drain(5_000)])).toEqual([true, true]);
    expect([posts, counts.delivered]).toEqual([3, 3]);
    append('what came later');
    expect(await sender.drain(5_000)).toBe(true);
    expect([posts, counts.delivered]).toEqual([4, 4]);
  });

  test('comes back in time also while an answer does not come', async () => {
    const { sender } = open();
    append('a');
    let say = (_: Partial<Answer>) => {};
    answer = () => new Promise((done) => (say = done));
    expect(await sender.drain(20)).toBe(false);
    say({ status: 200 });
    expect(await sender.drain(5_000)).toBe(true);
    expect(posts).toBe(1);
  });
});
