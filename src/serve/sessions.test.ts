import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ListeningHouse, openListeningHouse } from '../../test/support/listening-house.ts';
import { Sessions } from './sessions.ts';

const TOKEN = 'a-token-of-some-length';
const START = Date.UTC(2025, 0, 1);
const HOUR = 3_600_000;
let nowMs = START;
const now = () => new Date(nowMs);
const codeOf = (work: () => unknown) => {
  try {
    work();
  } catch (cause) {
    return (cause as { code: string }).code;
  }
  return null;
};

describe('sessions', () => {
  it('are good from sign-in to sign-out, and no longer than 12 hours', () => {
    nowMs = START;
    const sessions = new Sessions(TOKEN, now);
    const [one, two] = [sessions.signIn(TOKEN, 'a', false), sessions.signIn(TOKEN, 'a', true)];
    expect(one.cookie).toMatch(/^taximeter_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    expect(two.cookie).toMatch(/; Secure$/);
    expect([sessions.isGood(one.cookie), sessions.isGood(two.cookie)]).toEqual([true, true]);
    expect(sessions.signOut(one.cookie, false)).toMatch(/^taximeter_session=; Path=\/; Max-Age=0; HttpOnly/);
    expect([sessions.isGood(one.cookie), sessions.isGood(two.cookie)]).toEqual([false, true]);
    nowMs = START + 12 * HOUR - 1;
    expect(sessions.isGood(two.cookie)).toBe(true);
    nowMs += 1;
    expect(sessions.isGood(two.cookie)).toBe(false);
  });

  it('are not tried for: ten wrong tokens of an address a minute, then not even the right one', () => {
    nowMs = START;
    const sessions = new Sessions(TOKEN, now);
    for (let i = 0; i < 10; i++)
      expect(codeOf(() => sessions.signIn(`${TOKEN}${i}`, 'attacker', false))).toBe('UNAUTHENTICATED');
    expect(codeOf(() => sessions.signIn(TOKEN, 'attacker', false))).toBe('ATTEMPTS_EXCEEDED');
    expect(codeOf(() => sessions.signIn(TOKEN, 'somebody else', false))).toBeNull();
    nowMs += 60_000;
    expect(codeOf(() => sessions.signIn(TOKEN, 'attacker', false))).toBeNull();
  });
});

describe('a browser where a token is set', () => {
  let rooms: ListeningHouse;
  beforeAll(async () => {
    rooms = await openListeningHouse(1 << 20, TOKEN, now);
  });
  afterAll(() => rooms.close());

  it('signs in, asks, and signs out', async () => {
    nowMs = START;
    await rooms.listening(async (ports) => {
      const url = `http://127.0.0.1:${ports.api}`;
      const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: object) =>
        fetch(url + path, {
          method,
          headers: { origin: url, 'content-type': 'application/json', ...headers },
          ...(body ? { body: JSON.stringify(body) } : {}),
        });
      expect((await ask('GET', '/api/v1/status')).status).toBe(401);
      expect((await ask('POST', '/api/v1/session', {}, { token: 'wrong' })).status).toBe(401);
      const answer = await ask('POST', '/api/v1/session', { 'x-forwarded-proto': 'https' }, { token: TOKEN });
      expect(await answer.json()).toEqual({ signedIn: true, expires: '2025-01-01T12:00:00Z' });
      expect(answer.headers.get('set-cookie')).toContain('; Secure');
      const cookie = answer.headers.get('set-cookie')!.split(';', 1)[0]!;
      const status = await ask('GET', '/api/v1/status', { cookie });
      expect([status.status, ((await status.json()) as { isSignedIn: boolean }).isSignedIn]).toEqual([200, true]);
      expect((await ask('POST', '/api/v1/settle', { cookie })).status).toBe(200);
      expect((await ask('POST', '/api/v1/settle', { cookie, origin: 'http://127.0.0.1:1' })).status).toBe(403);
      const out = await ask('DELETE', '/api/v1/session', { cookie });
      expect([out.status, out.headers.get('set-cookie')]).toEqual([200, expect.stringContaining('Max-Age=0')]);
      expect((await ask('GET', '/api/v1/status', { cookie })).status).toBe(401);
      const tries = [];
      for (let i = 0; i < 10; i++) tries.push((await ask('POST', '/api/v1/session', {}, { token: `${i}` })).status);
      expect([...new Set(tries)]).toEqual([401, 429]);
    });
    expect(rooms.logged).toEqual([]);
  });
});
