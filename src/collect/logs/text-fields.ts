const QUOTE = 34;
const SPACE = 32;
const BACKSLASH = 92;

/** A number in a log that is too large to be exact. */
export const TOO_LARGE = -2;
export const NO_NUMBER = -1;

/**
 * Reads a whole number without a sign.
 *
 * Gives  NO_NUMBER unless all of it is digits, TOO_LARGE beyond 2^53.
 */
export function wholeAt(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return NO_NUMBER;
    value = value * 10 + digit;
  }
  if (from >= to) return NO_NUMBER;
  return value <= Number.MAX_SAFE_INTEGER ? value : TOO_LARGE;
}

/**
 * Finds where a quoted text ends. Quotes that servers did not escape are told by what follows them.
 *
 * Takes  from: after the opening quote.
 * Gives  the place of the quote that a space or the end of the line follows; -1 when there is none.
 */
export function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    const next = at + 1 === text.length ? SPACE : text.charCodeAt(at + 1);
    if (next === SPACE && !isEscaped(text, at, from)) return at;
  }
  return -1;
}

/** Says whether an odd number of backslashes stands in front of a place. */
export function isEscaped(text: string, at: number, from: number): boolean {
  let before = at - 1;
  while (before >= from && text.charCodeAt(before) === BACKSLASH) before -= 1;
  return (at - 1 - before) % 2 === 1;
}

/** Takes the backslashes away from quotes and backslashes. */
export function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\(["\\])/g, '$1') : text;
}

/** The text of a field; `-` and nothing are absent. */
export function present(text: string | undefined): string | undefined {
  return text === undefined || text === '-' || text === '' ? undefined : text;
}

/** One field of a line: its text without quotes, and where it ends. */
export interface Field {
  readonly text: string;
  readonly isQuoted: boolean;
}

/**
 * Cuts a line into fields at its spaces; a quoted field may hold spaces.
 *
 * Takes  from: where the first field begins. most: further fields are left out, which bounds the work.
 * Gives  null when a quoted field does not end.
 */
export function fieldsOf(text: string, from: number, most: number): Field[] | null {
  const fields: Field[] = [];
  for (let at = from; at < text.length && fields.length < most; ) {
    if (text.charCodeAt(at) === SPACE) {
      at += 1;
      continue;
    }
    const isQuoted = text.charCodeAt(at) === QUOTE;
    const end = isQuoted ? closingQuote(text, at + 1) : spaceOrEnd(text, at);
    if (end < 0) return null;
    fields.push({ text: text.slice(isQuoted ? at + 1 : at, end), isQuoted });
    at = end + 1;
  }
  return fields;
}

/** Gives the place of the next space, or of the end. */
export function spaceOrEnd(text: string, from: number): number {
  const at = text.indexOf(' ', from);
  return at < 0 ? text.length : at;
}

/** `192.168.1.9:2817` and `2001:db8::1:2817` without their port; `-` is absent. */
export function withoutPort(address: string): string | undefined {
  const colon = address.lastIndexOf(':');
  const ip = colon < 0 ? address : address.slice(0, colon);
  return present(ip.startsWith('[') && ip.endsWith(']') ? ip.slice(1, -1) : ip);
}

/** The first address of an X-Forwarded-For list. */
export function firstAddress(list: string | undefined): string | undefined {
  return present(list?.split(',', 1)[0]?.trim());
}
