import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Failure, fail } from '../model/index.ts';
import { isPlainPagePath } from './pages.ts';
import type { Sessions } from './sessions.ts';

const SESSION_PATH = '/api/v1/session';

const NOTHING = Buffer.alloc(0);

/** The head of a request, as far as it matters who asks. */
export interface Asking {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** Who may ask: on loopback everybody here, but no web page of somebody else; with a token who shows it, or has signed in. */
export class Gate {
  readonly #token: Buffer;
  readonly #localToken: Buffer;
  readonly #sessions: Sessions | null;

  /** Takes  token: empty when none is set. localToken: what commands on this machine show. */
  constructor(token: string, localToken: string, sessions: Sessions | null) {
    this.#token = Buffer.from(token === '' ? '' : `Bearer ${token}`);
    this.#localToken = Buffer.from(`Bearer ${localToken}`);
    this.#sessions = sessions;
  }

  refusal(asking: Asking): Failure | null {
    const { path, headers } = asking;
    const shown = headers.authorization === undefined ? NOTHING : Buffer.from(headers.authorization);
    if (isSame(shown, this.#localToken)) return null;
    if (path === '/healthz' || path === '/readyz') return null;
    return this.#token.length > 0 ? this.#withToken(asking, shown) : withoutToken(headers);
  }

  #withToken(asking: Asking, shown: Buffer): Failure | null {
    if (isSame(shown, this.#token)) return null;
    // The pages hold no figures, and one of them is where the token is asked for.
    if (isReading(asking.method) && isPlainPagePath(asking.path)) return null;
    const isSignedIn = this.#sessions?.isGood(asking.headers.cookie) === true;
    if (!isSignedIn && asking.path !== SESSION_PATH) return fail('UNAUTHENTICATED');
    return isOfOwnPage(asking) ? null : fail('FORBIDDEN', { reason: 'requests of other sites are not taken' });
  }
}

function withoutToken(headers: IncomingHttpHeaders): Failure | null {
  // A page of another site can send requests to loopback, and can make its own name resolve to it.
  if (!isLocalName(headers.host)) return fail('FORBIDDEN', { reason: 'the Host header is not a local name' });
  const isForeign = headers.origin !== undefined && headers.origin !== `http://${headers.host}`;
  return isForeign ? fail('FORBIDDEN', { reason: 'requests of other sites are not taken' }) : null;
}

/**
 * A browser adds the cookie by itself, so a page of another origin must not be the one that asks. `SameSite=Strict` is not
 * enough: another port of the same host counts as the same site.
 *
 * From   Fetch Metadata Request Headers; browsers that do not send them send Origin with everything but reading.
 */
function isOfOwnPage({ method, headers }: Asking): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || (site === 'none' && isReading(method));
  if (headers.origin === undefined) return isReading(method);
  return /^https?:\/\/(.+)$/.exec(headers.origin)?.[1] === headers.host;
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function isLocalName(host: string | undefined): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host ?? '');
}
