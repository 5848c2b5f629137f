/** What an answer says is left of a quota. */
export interface Remaining {
  readonly left: number;
  /** When it is whole again, or partly: milliseconds from now. */
  readonly resetMs: number;
}

type Params = ReadonlyMap<string, string | number>;
interface Item {
  readonly value: string;
  readonly params: Params;
}

/** Reset values of this size are seconds since 1970, not from now. */
const EPOCH_SECONDS = 1_000_000_000;
/** Resets of this size are milliseconds since 1970. */
const EPOCH_MS = 1_000_000_000_000;
const LONGEST_MS = 366 * 86_400_000;

/**
 * Reads what is left of the quotas of an answer.
 *
 * Takes  header: gives a header's value, or null.
 * Gives  the one that is used up first; null when the answer says nothing that can be read. What is malformed is as if it were absent.
 * From   draft-ietf-httpapi-ratelimit-headers-11 (`"burst";r=18;t=1`), its next version (`a` and `w`), draft 06 (`RateLimit-Remaining`), and what was usual
 *        before (`X-RateLimit-Remaining`; its reset is seconds, from now or since 1970).
 */
export function remainingOf(header: (name: string) => string | null, nowMs: number): Remaining | null {
  const newest = header('ratelimit');
  if (newest !== null) {
    const items = parseItems(newest) ?? [];
    const policies = parseItems(header('ratelimit-policy') ?? '') ?? [];
    const found = items.flatMap((item) => remainingOfItem(item, policies));
    if (found.length > 0) return found.reduce(scarcer);
  }
  for (const prefix of ['ratelimit', 'x-ratelimit']) {
    const left = wholeNumber(header(`${prefix}-remaining`));
    if (left === null) continue;
    return { left, resetMs: resetMs(wholeNumber(header(`${prefix}-reset`)), nowMs) };
  }
  return null;
}

function remainingOfItem({ value, params }: Item, policies: readonly Item[]): Remaining[] {
  const left = params.get('r') ?? params.get('a');
  if (typeof left !== 'number' || left < 0) return [];
  const said = params.has('r') ? params.get('t') : params.get('w');
  // Without a reset, the window that the policy names passes until all of it is there again.
  const window = policies.find((policy) => policy.value === value)?.params.get('w');
  const seconds = typeof said === 'number' ? said : typeof window === 'number' ? window : 0;
  return [{ left, resetMs: Math.min(LONGEST_MS, Math.max(0, seconds) * 1000) }];
}

function scarcer(one: Remaining, other: Remaining): Remaining {
  if (one.left !== other.left) return one.left < other.left ? one : other;
  return one.resetMs >= other.resetMs ? one : other;
}

function resetMs(value: number | null, nowMs: number): number {
  if (value === null) return 0;
  const ms = value >= EPOCH_MS ? value - nowMs : value >= EPOCH_SECONDS ? value * 1000 - nowMs : value * 1000;
  return Math.min(LONGEST_MS, Math.max(0, ms));
}

/** `100`, and also `100, 100;w=60` of old drafts: the first one. */
function wholeNumber(value: string | null): number | null {
  const digits = /^\s*(\d{1,15})(?:\.\d+)?\s*(?:[,;].*)?$/.exec(value ?? '')?.[1];
  return digits === undefined ? null : Number(digits);
}

/**
 * Reads a list of strings or tokens with parameters.
 *
 * Gives  null when it is none.
 * From   Structured Fields, RFC 9651, as far as RateLimit needs it: parameters are integers, decimals, strings, tokens, true, or bytes, which are passed over.
 */
export function parseItems(text: string): readonly Item[] | null {
  const reader = new Reader(text);
  const items: Item[] = [];
  if (reader.isAtEnd()) return items;
  for (;;) {
    const value = reader.string() ?? reader.token();
    if (value === null) return null;
    const params = reader.params();
    if (params === null) return null;
    items.push({ value, params });
    if (reader.isAtEnd()) return items;
    if (reader.take(/[ \t]*,[ \t]*/y) === null || reader.isAtEnd()) return null;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.trim();
  }

  isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  take(form: RegExp): string | null {
    form.lastIndex = this.#at;
    const found = form.exec(this.#text);
    if (found === null) return null;
    this.#at = form.lastIndex;
    return found[0];
  }

  string(): string | null {
    const quoted = this.take(/"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y);
    return quoted === null ? null : quoted.slice(1, -1).replace(/\\(.)/g, '$1');
  }

  token(): string | null {
    return this.take(/[A-Za-z*][\w!#$%&'*+.^`|~:/-]*/y);
  }

  params(): Params | null {
    const params = new Map<string, string | number>();
    while (this.take(/;[ ]*/y) !== null) {
      const key = this.take(/[a-z*][a-z0-9_.*-]*/y);
      if (key === null) return null;
      const value = this.take(/=/y) === null ? '?1' : this.#bare();
      if (value === null) return null;
      params.set(key, value);
    }
    return params;
  }

  #bare(): string | number | null {
    const number = this.take(/-?\d{1,15}(?:\.\d{1,3})?/y);
    if (number !== null) return Number(number);
    return this.string() ?? this.take(/:[A-Za-z0-9+/=]*:/y) ?? this.take(/\?[01]/y) ?? this.token();
  }
}
