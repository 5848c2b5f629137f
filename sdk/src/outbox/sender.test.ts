import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Answer, Poster } from '../http/post.ts';
import { OwnThread } from './courier.ts';
import { FRAME_HEAD } from './frame.ts';
import { type Loss, Outbox } from './outbox.ts';
import { Sender } from './sender.ts';

const DAY_MS = 86_400_000;

let folder: string;
let outbox: Outbox;
/** How often Taximeter was sent something, and what it says then. */
let posts: number;
let answer: (body: string) => Promise<Partial<Answer>>;
let losses: Loss[];
let problems: string[];
/** What was sent, and what of it was taken. */
let taken: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taximeter-sender-'));
  outbox = Outbox.open({
    ...{ folder, mostBytes: 10_000, fileBytes: 10, whenFull: 'oldest', nowMs: Date.now },
    onLoss: (loss) => losses.push(loss),
    onProblem: (problem) => problems.push(problem),
  });
  [posts, answer] = [0, async () => ({ status: 200 })];
  [losses, problems, taken] = [[], [], []];
});
afterEach(() => {
  vi.useRealTimers();
  outbox.close();
  rmSync(folder, { recursive: true, force: true });
});

function append(text: string): void {
  outbox.append(Buffer.concat([Buffer.alloc(FRAME_HEAD), Buffer.from(text)]), 1);
}

const post = async (_path: string, _type: string, body: Buffer): Promise<Answer> => {
  posts += 1;
  const said = { status: 200, headers: {}, body: Buffer.alloc(0), ...(await answer(String(body))) };
  if (said.status === 200) taken.push(String(body));
  return said;
};

function open() {
  const counts = { delivered: 0 };
  const sender = new Sender({
    outbox,
    // Only this of it is asked for.
    courier: new OwnThread({ post } as unknown as Poster),
    ...{ everyMs: 10, timeoutMs: 1_000, backoff: { baseMs: 1, mostMs: 2 }, random: () => 0 },
    ...{ nowMs: Date.now, passedMs: Date.now },
    onDelivered: (spans) => {
      counts.delivered += spans;
    },
    onProblem: (problem) => problems.push(problem),
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

  test('does not come back for somebody who flushes meanwhile', async () => {
    const { sender } = open();
    sender.wake();
    vi.advanceTimersByTime(10);
    await firstPost();
    const flushed = sender.drain(1_000);
    await othersRun();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([await flushed, posts]).toEqual([false, 1]);
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
    void sender.drain(5_000);
    while (posts === 0) await new Promise(setImmediate);
    expect(await sender.drain(20)).toBe(false);
    say({ status: 200 });
    expect(await sender.drain(5_000)).toBe(true);
    expect(posts).toBe(1);
  });
});

describe('a file', () => {
  /** One file of so many frames, of one span each. */
  async function file(texts: readonly string[]): Promise<string> {
    for (const text of texts) append(text);
    await outbox.seal();
    return outbox.oldest()!.path;
  }

  beforeEach(() => {
    outbox.close();
    outbox = Outbox.open({
      ...{ folder, mostBytes: 10_000, fileBytes: 1_000, whenFull: 'oldest', nowMs: Date.now },
      onLoss: (loss) => losses.push(loss),
      onProblem: (problem) => problems.push(problem),
    });
  });

  test('that is too large for a request is sent in smaller ones, each frame once', async () => {
    answer = async (body) => ({ status: body.length > 2 ? 413 : 200 });
    await file(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    const { sender, counts } = open();
    expect(await sender.drain(5_000)).toBe(true);
    expect([taken, counts.delivered, losses]).toEqual([['ab', 'cd', 'ef', 'g'], 7, []]);
  });

  test('goes on where it was when a request of it fails', async () => {
    answer = async (body) => ({ status: body.length > 1 ? 413 : posts === 5 ? 503 : 200 });
    await file(['a', 'b', 'c']);
    const { sender, counts } = open();
    expect(await sender.drain(5_000)).toBe(true);
    expect([taken, counts.delivered, losses]).toEqual([['a', 'b', 'c'], 3, []]);
  });

  test('loses only the frame that is too large by itself', async () => {
    answer = async (body) => ({ status: body.includes('b') ? 413 : 200 });
    await file(['a', 'b', 'c', 'd']);
    const { sender, counts } = open();
    expect(await sender.drain(5_000)).toBe(true);
    expect([taken.join(''), counts.delivered]).toEqual(['acd', 3]);
    expect(losses).toEqual([{ reason: 'refused', spans: 1, detail: 'Taximeter answered 413' }]);
  });

  test.each([301, 302, 308, 401, 404, 409, 429, 500, 501, 502, 507, 520, 529])(
    'is kept when a %i says nothing against it',
    async (status) => {
      answer = async () => ({ status: posts === 1 ? status : 200 });
      await file(['a']);
      const { sender, counts } = open();
      expect(await sender.drain(5_000)).toBe(true);
      expect([counts.delivered, losses]).toEqual([1, []]);
      expect(problems).toEqual([`Taximeter answered ${status}`]);
    },
  );

  test.each([400, 413, 415, 422])('is given up when a %i says that it never will be taken', async (status) => {
    answer = async () => ({ status });
    await file(['a']);
    const { sender, counts } = open();
    expect(await sender.drain(5_000)).toBe(true);
    expect([posts, counts.delivered, losses.map(({ spans }) => spans)]).toEqual([1, 0, [1]]);
  });

  test('is kept when a page answers in the place of Taximeter', async () => {
    answer = async () => (posts === 1 ? { status: 200, headers: { 'content-type': 'text/html' } } : { status: 200 });
    await file(['a']);
    const { sender, counts } = open();
    expect(await sender.drain(5_000)).toBe(true);
    expect([posts, counts.delivered]).toEqual([2, 1]);
    expect(problems.join()).toContain('text/html');
  });

  test('that cannot be read is told, and not in the way of others', async () => {
    const path = await file(['a']);
    rmSync(path);
    mkdirSync(path);
    await file(['b']);
    const { sender, counts } = open();
    expect(await sender.drain(5_000)).toBe(true);
    expect([taken, counts.delivered]).toEqual([['b'], 1]);
    expect(losses.map(({ reason, spans }) => [reason, spans])).toEqual([['disk', 1]]);
  });

  test('that somebody took away is told', async () => {
    rmSync(await file(['a']));
    const { sender } = open();
    expect(await sender.drain(5_000)).toBe(true);
    expect(losses).toEqual([{ reason: 'disk', spans: 1, detail: 'the file is gone' }]);
  });

  test('that is torn is delivered up to there, and told once however often it is sent', async () => {
    answer = async () => ({ status: posts < 4 ? 503 : 200 });
    appendFileSync(await file(['a', 'b']), 'TXM1 and then the power was gone');
    const { sender, counts } = open();
    expect(await sender.drain(5_000)).toBe(true);
    expect([posts, counts.delivered]).toEqual([4, 2]);
    expect(losses).toEqual([{ reason: 'damaged', spans: null, detail: '32 bytes behind 2 whole spans' }]);
  });

  test('of which some spans are refused says how many', async () => {
    answer = async () => ({ status: 200, body: Buffer.from([0x0a, 0x05, 0x08, 0x01, 0x12, 0x01, 0x78]) });
    await file(['a', 'b', 'c']);
    const { sender, counts } = open();
    expect(await sender.drain(5_000)).toBe(true);
    expect(counts.delivered).toBe(2);
  });
});
