import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { fail } from '../model/index.ts';

const COOKIE = 'taximeter_session';
const SESSION_MS = 12 * 3_600_000;
const MOST_SESSIONS = 10_000;
const ATTEMPT_WINDOW_MS = 60_000;
const MOST_ATTEMPTS = 10;
const MOST_ADDRESSES = 10_000;

/** What a browser is told to keep, and until when. */
export interface Session {
  /** The Set-Cookie header. */
  readonly cookie: string;
  readonly expiresMs: number;
}

/**
 * The sessions of browsers, which cannot show a token with every request: who has shown it once gets a cookie instead.
 * They live in memory only, so ending one is final, and a restart ends all.
 *
 * Holds  a cookie is good from its sign-in to its sign-out or 12 hours later, whichever is first.
 */
export class Sessions {
  readonly #tokenHash: Buffer;
  readonly #now: () => Date;
  /** By hash: whoever reads this memory cannot show the cookie. Oldest first. */
  readonly #expiresMs = new Map<string, number>();
  #failed = new Map<string, number>();
  #windowStartMs = 0;

  constructor(token: string, now: () => Date) {
    this.#tokenHash = hash(token);
    this.#now = now;
  }

  /**
   * Begins a session.
   *
   * Takes  token: as it was typed. address: of who asks. isTls: whether the browser came by https.
   * Fails  UNAUTHENTICATED; ATTEMPTS_EXCEEDED after ten wrong tokens of an address within a minute, whatever the token is then.
   */
  signIn(token: string, address: string, isTls: boolean): Session {
    const nowMs = this.#now().getTime();
    const failed = this.#failedOf(address, nowMs);
    if (failed >= MOST_ATTEMPTS) throw fail('ATTEMPTS_EXCEEDED');
    if (!timingSafeEqual(hash(token), this.#tokenHash)) {
      this.#failed.set(address, failed + 1);
      throw fail('UNAUTHENTICATED');
    }
    const id = randomBytes(32).toString('base64url');
    const expiresMs = nowMs + SESSION_MS;
    const [oldest] = this.#expiresMs.keys();
    if (this.#expiresMs.size >= MOST_SESSIONS && oldest !== undefined) this.#expiresMs.delete(oldest);
    this.#expiresMs.set(nameOf(id), expiresMs);
    return { cookie: setCookie(id, SESSION_MS / 1000, isTls), expiresMs };
  }

  /** Ends the session of a Cookie header, if it is one; gives the Set-Cookie header that forgets it. */
  signOut(cookies: string | undefined, isTls: boolean): string {
    const id = sessionOf(cookies);
    if (id !== null) this.#expiresMs.delete(nameOf(id));
    return setCookie('', 0, isTls);
  }

  /** Whether a Cookie header shows a session that is good now. */
  isGood(cookies: string | undefined): boolean {
    const id = sessionOf(cookies);
    if (id === null) return false;
    return (this.#expiresMs.get(nameOf(id)) ?? 0) > this.#now().getTime();
  }

  #failedOf(address: string, nowMs: number): number {
    // Forgetting all at once keeps the memory small, also when many addresses try.
    if (nowMs - this.#windowStartMs >= ATTEMPT_WINDOW_MS || this.#failed.size >= MOST_ADDRESSES) {
      this.#failed = new Map();
      this.#windowStartMs = nowMs;
    }
    return this.#failed.get(address) ?? 0;
  }
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function nameOf(id: string): string {
  return hash(id).toString('base64');
}

function sessionOf(cookies: string | undefined): string | null {
  const found = new RegExp(`(?:^|;\\s*)${COOKIE}=([A-Za-z0-9_-]{43})(?:;|$)`).exec(cookies ?? '');
  return found?.[1] ?? null;
}

function setCookie(value: string, maxAgeSeconds: number, isTls: boolean): string {
  const rules = `Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${isTls ? '; Secure' : ''}`;
  return `${COOKIE}=${value}; ${rules}`;
}
