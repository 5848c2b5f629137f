import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Poster } from '../http/post.ts';
import { LimitAsks, type LimitConfig } from './limit-asks.ts';

type Said = { readonly status: number; readonly body: string } | 'cut' | 'silence';
const yes: Said = { status: 200, body: '{"allowed":true}' };

let server: Server;
let poster: Poster;
/** What Taximeter says to an ask. */
let answer: (verb: string, ask: Record<string, unknown>) => Said;
let asked: string[];
let problems: string[];

beforeEach(async () => {
  [answer, asked, problems] = [() => yes, [], []];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const verb = request.url!.split('/').at(-1)!;
    asked.push(verb);
    const said = answer(verb, JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
    if (said === 'silence') return;
    if (said === 'cut') request.socket.destroy();
    else response.writeHead(said.status).end(said.body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  poster = new Poster(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '', 4);
});
afterEach(() => {
  vi.useRealTimers();
  poster.close();
  server.closeAllConnections();
  server.close();
});

function asks(set: Partial<LimitConfig> = {}): LimitAsks {
  const usual = { mode: 'check', onFailure: 'closed', timeoutMs: 5_000, ttlSeconds: 60, random: () => 0 } as const;
  return new LimitAsks({ poster, ...usual, onProblem: (problem) => problems.push(problem), ...set });
}

const statusOf = async (limits: LimitAsks, ask: object = {}) =>
  (await limits.ask({ tenant: 'a', ...ask }, 'id')).verdict.status;

describe('a 200 lets a call pass', () => {
  test.each<[string, string, number]>([
    ['that says that it may', '{"allowed":true}', 200],
    ['not one that says nothing', '', 503],
    ['not a page to sign in', '<html>sign in</html>', 503],
    ['not one of something else', '{"status":"ok"}', 503],
    ['not one that says no', '{"allowed":false}', 503],
    ['not a text that looks like it', '{"allowed":"true"}', 503],
    ['not a list', '[true]', 503],
    ['not null', 'null', 503],
  ])('%s', async (_, body, status) => {
    answer = () => ({ status: 200, body });
    for (const mode of ['check', 'reserve'] as const) expect(await statusOf(asks({ mode }))).toBe(status);
  });
});

describe('an ask that Taximeter does not take', () => {
  const decided = (ask: Record<string, unknown>): Said =>
    Number.isInteger(ask.cost)
      ? { status: 429, body: '{"decision":{},"status":429}' }
      : { status: 400, body: '{"code":"PARAMETER_INVALID"}' };

  test.each(['open', 'closed'] as const)(
    'is refused where limits fail %s, and others are asked for',
    async (onFailure) => {
      answer = (_, ask) => decided(ask);
      const limits = asks({ onFailure });
      for (let i = 0; i < 20; i++) expect(await statusOf(limits, { cost: 1.5 })).toBe(400);
      expect(await statusOf(limits, { cost: 1 })).toBe(429);
      expect(limits.counts).toMatchObject({ denied: 21, failedOpen: 0, failedClosed: 0 });
      expect([asked.length, problems.length]).toEqual([21, 20]);
    },
  );

  test.each([401, 403, 404, 407, 408, 429])('is not meant by a %i, which would meet any other', async (status) => {
    answer = () => ({ status, body: '{}' });
    const limits = asks();
    for (let i = 0; i < 8; i++) expect(await statusOf(limits)).toBe(503);
    expect(limits.counts).toMatchObject({ denied: 0, failedClosed: 8 });
    expect(asked).toHaveLength(5);
  });
});

describe('waiting for what was used to be heard', () => {
  const reserved = { name: 'YQ.1', units: 1 };

  test('ends when the time is over', async () => {
    answer = () => 'cut';
    const limits = asks({ random: () => 0.99 });
    limits.settle(reserved, 'commit', null, null);
    expect(await limits.settled(10)).toBe(false);
    expect(limits.counts.unsettled).toBe(0);
  });

  test('keeps the program alive, whose timers between attempts do not', async () => {
    const limits = asks();
    answer = () => (asked.length < 3 ? 'cut' : { status: 200, body: '{}' });
    limits.settle(reserved, 'release', null, null);
    const keeping = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
    const before = keeping();
    const settled = limits.settled(5_000);
    expect(keeping()).toBe(before + 1);
    expect([await settled, asked.length, limits.counts.unsettled]).toEqual([true, 3, 0]);
  });
});

describe('while Taximeter does not answer', () => {
  test('one tries whether it is back, and the others do not wait for it', async () => {
    answer = () => 'cut';
    const limits = asks({ onFailure: 'open', timeoutMs: 60_000 });
    for (let i = 0; i < 5; i++) expect(await statusOf(limits)).toBe(200);
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    vi.setSystemTime(Date.now() + 2_000);
    vi.advanceTimersByTime(2_000);
    answer = () => 'silence';
    const before = asked.length;
    const tried = statusOf(limits);
    for (let i = 0; i < 50; i++) expect(await statusOf(limits)).toBe(200);
    expect(limits.counts.failedOpen).toBe(55);
    while (asked.length === before) await new Promise(setImmediate);
    expect(asked.length).toBe(before + 1);
    server.closeAllConnections();
    expect(await tried).toBe(200);
  });
});

describe('headers of a decision', () => {
  test('that could be more than that are not passed on', async () => {
    const { verdict } = await asksOf(200, { ratelimit: '"a";r=1;t=1', 'retry-after': 'x\u0080y', 'set-cookie': 'a=b' });
    expect(verdict.headers).toEqual({ ratelimit: '"a";r=1;t=1' });
  });

  async function asksOf(status: number, headers: Record<string, string>) {
    const post = async () => ({ status, headers, body: Buffer.from('{"allowed":true}') });
    return asks({ poster: { post } as unknown as Poster }).ask({ tenant: 'a' }, 'id');
  }
});
