import { describe, expect, it } from 'vitest';
import { Gate } from './gate.ts';
import { Sessions } from './sessions.ts';

const TOKEN = 'a-token-of-some-length';
const sessions = new Sessions(TOKEN, () => new Date(0));
const cookie = sessions.signIn(TOKEN, 'here', false).cookie.split(';', 1)[0]!;
const bearer = { authorization: `Bearer ${TOKEN}` };
const host = { host: 'meter.example' };
const ours = { ...host, 'sec-fetch-site': 'same-origin' };
type Row = readonly [what: string, method: string, path: string, headers: Record<string, string>, code: string | null];

const refusalOf = (gate: Gate, method: string, path: string, headers: Record<string, string>) =>
  gate.refusal({ method, path, headers })?.code ?? null;

describe('who may ask where a token is set', () => {
  const gate = new Gate(TOKEN, 'local', sessions);
  it.each<Row>([
    ['nobody known', 'GET', '/api/v1/status', host, 'UNAUTHENTICATED'],
    ['nobody known', 'GET', '/metrics', host, 'UNAUTHENTICATED'],
    ['nobody known', 'GET', '/authz', host, 'UNAUTHENTICATED'],
    ['nobody known', 'HEAD', '/authz/anything', host, 'UNAUTHENTICATED'],
    ['nobody known', 'GET', '/api/docs', host, 'UNAUTHENTICATED'],
    ['nobody known', 'POST', '/v1/traces', host, 'UNAUTHENTICATED'],
    ['a wrong token', 'GET', '/api/v1/status', { authorization: 'Bearer a-token-of-some-lengtH' }, 'UNAUTHENTICATED'],
    ['the token', 'POST', '/v1/traces', bearer, null],
    [
      'the token, from a page of somebody who knows it',
      'POST',
      '/api/v1/close',
      { ...bearer, origin: 'https://x' },
      null,
    ],
    ['a command on this machine', 'POST', '/api/v1/close', { authorization: 'Bearer local' }, null],
    ['a load balancer', 'GET', '/readyz', host, null],
    ['a browser before it signs in', 'GET', '/', host, null],
    ['a browser before it signs in', 'GET', '/cost', host, null],
    ['a browser before it signs in', 'HEAD', '/assets/index--pNhgw7x.css', host, null],
    ['a page that is posted to', 'POST', '/cost', host, 'UNAUTHENTICATED'],
    ['a path that becomes another one', 'GET', '/x/../api/v1/status', host, 'UNAUTHENTICATED'],
    ['a path that becomes another one', 'GET', '/./api/v1/status', host, 'UNAUTHENTICATED'],
    ['a path that becomes another one', 'GET', '/%61pi/v1/status', host, 'UNAUTHENTICATED'],
    ['a path that becomes another one', 'GET', '/x\\..\\api/v1/status', host, 'UNAUTHENTICATED'],
    ['a path that becomes another one', 'GET', '//api/v1/status', host, 'UNAUTHENTICATED'],
    ['a path that becomes another one', 'GET', 'http://meter.example/api/v1/status', host, 'UNAUTHENTICATED'],
    ['signing in', 'POST', '/api/v1/session', ours, null],
    ['signing in from an old browser', 'POST', '/api/v1/session', { ...host, origin: 'https://meter.example' }, null],
    ['signing in from elsewhere', 'POST', '/api/v1/session', { ...host, 'sec-fetch-site': 'cross-site' }, 'FORBIDDEN'],
    ['signing in from elsewhere', 'POST', '/api/v1/session', { ...host, origin: 'https://evil.example' }, 'FORBIDDEN'],
    ['signing in from nowhere', 'POST', '/api/v1/session', host, 'FORBIDDEN'],
    ['a session', 'GET', '/api/v1/status', { ...ours, cookie }, null],
    ['a session among other cookies', 'GET', '/api/v1/cost', { ...host, cookie: `a=b; ${cookie}; c=d` }, null],
    ['a session that changes something', 'POST', '/api/v1/close', { ...ours, cookie }, null],
    [
      'a session in an old browser',
      'POST',
      '/api/v1/close',
      { ...host, cookie, origin: 'https://meter.example' },
      null,
    ],
    ['a session without a page', 'POST', '/api/v1/close', { ...host, cookie }, 'FORBIDDEN'],
    [
      'a session used by another port',
      'POST',
      '/api/v1/close',
      { ...host, cookie, 'sec-fetch-site': 'same-site' },
      'FORBIDDEN',
    ],
    [
      'a session used by another port',
      'GET',
      '/api/v1/cost',
      { ...host, cookie, 'sec-fetch-site': 'same-site' },
      'FORBIDDEN',
    ],
    [
      'a session used by another site',
      'DELETE',
      '/api/v1/session',
      { ...host, cookie, origin: 'https://x' },
      'FORBIDDEN',
    ],
    ['a link in an address bar', 'GET', '/api/docs', { ...host, cookie, 'sec-fetch-site': 'none' }, null],
    ['a form from nowhere', 'POST', '/api/v1/close', { ...host, cookie, 'sec-fetch-site': 'none' }, 'FORBIDDEN'],
    ['a made-up session', 'GET', '/api/v1/cost', { ...ours, cookie: `${cookie.slice(0, -1)}_` }, 'UNAUTHENTICATED'],
    ['an empty session', 'GET', '/api/v1/cost', { ...ours, cookie: 'taximeter_session=' }, 'UNAUTHENTICATED'],
  ])('%s: %s %s', (_what, method, path, headers, code) => expect(refusalOf(gate, method, path, headers)).toBe(code));
});

describe('who may ask where no token is set', () => {
  const gate = new Gate('', 'local', null);
  it.each<Row>([
    ['somebody on this machine', 'POST', '/api/v1/close', { host: 'localhost:4700' }, null],
    ['a page of ours', 'POST', '/api/v1/close', { host: '[::1]:4700', origin: 'http://[::1]:4700' }, null],
    ['a name that was made to lead here', 'GET', '/', { host: 'evil.example' }, 'FORBIDDEN'],
    [
      'a page of somebody else',
      'POST',
      '/api/v1/close',
      { host: 'localhost', origin: 'https://evil.example' },
      'FORBIDDEN',
    ],
  ])('%s: %s %s', (_what, method, path, headers, code) => expect(refusalOf(gate, method, path, headers)).toBe(code));
});
