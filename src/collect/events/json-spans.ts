/** A number, true, false or null. */
const PLAIN = /[^\s,\]}]+/y;
const QUOTE = 34;
const BACKSLASH = 92;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

/** A stretch of a text: from its first character up to, not including, `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** How deep a JSON text is nested; brackets inside of texts do not count. Works for any text, also one that is no JSON. */
export function deepestOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfText(text, at) - 1;
    else if (code === OPEN_OBJECT || code === OPEN_LIST) deepest = Math.max(deepest, ++depth);
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth -= 1;
  }
  return deepest;
}

/** Where the items of a list stand. Takes  text: JSON that was parsed without complaint. at: of the opening bracket. */
export function* itemsOf(text: string, at: number): Iterable<Span> {
  for (let from = afterSpace(text, at + 1); text.charCodeAt(from) !== CLOSE_LIST; ) {
    const to = endOfValue(text, from);
    yield { from, to };
    from = afterComma(text, to);
  }
}

/**
 * Where the value of an object's member stands, the last one where the name is there twice, as JSON.parse takes it.
 *
 * Takes  text: JSON that was parsed without complaint. at: of the opening bracket.
 * Gives  null when there is no such member.
 */
export function memberOf(text: string, at: number, name: string): Span | null {
  let found: Span | null = null;
  for (let from = afterSpace(text, at + 1); text.charCodeAt(from) !== CLOSE_OBJECT; ) {
    const endOfName = endOfText(text, from);
    const start = afterSpace(text, afterSpace(text, endOfName) + 1);
    const to = endOfValue(text, start);
    if (JSON.parse(text.slice(from, endOfName)) === name) found = { from: start, to };
    from = afterComma(text, to);
  }
  return found;
}

/** The first place from here on that is no white space. */
export function afterSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 32) at += 1;
  return at;
}

function afterComma(text: string, end: number): number {
  const at = afterSpace(text, end);
  return text[at] === ',' ? afterSpace(text, at + 1) : at;
}

/** The place behind the closing quote; the end where there is none. */
function endOfText(text: string, quote: number): number {
  for (let at = quote + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

function endOfValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return endOfText(text, from);
  if (first !== OPEN_OBJECT && first !== OPEN_LIST) {
    PLAIN.lastIndex = from;
    return from + PLAIN.exec(text)![0].length;
  }
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfText(text, at) - 1;
    else if (code === OPEN_OBJECT || code === OPEN_LIST) depth += 1;
    else if ((code === CLOSE_OBJECT || code === CLOSE_LIST) && --depth === 0) return at + 1;
  }
  return text.length;
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** So many digits a double carries without loss, whichever they are. */
const SAFE_DIGITS = 15;
/** Far inside of what a double can be. */
const SAFE_EXPONENT = 200;
const PERHAPS_LONG = /[\d.]{16}|\d[eE][+-]?\d{3}/;

/**
 * Writes those numbers of a JSON text as texts that a double would round.
 *
 * Gives  the text with these numbers in quotes; empty when it has none.
 */
export function withExactNumbers(text: string): string {
  if (!PERHAPS_LONG.test(text)) return '';
  let exact = '';
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfText(text, at) - 1;
    else if (code === 45 || (code >= 48 && code <= 57)) {
      NUMBER.lastIndex = at;
      const [number] = NUMBER.exec(text)!;
      if (!isSafe(number)) {
        exact += `${text.slice(copied, at)}"${number}"`;
        copied = at + number.length;
      }
      at += number.length - 1;
    }
  }
  return copied === 0 ? '' : exact + text.slice(copied);
}

/**
 * Changes texts of a JSON text, names of members too.
 *
 * Takes  text: JSON that was parsed without complaint.
 */
export function withTexts(text: string, change: (inner: string) => string): string {
  let changed = '';
  let copied = 0;
  for (let at = text.indexOf('"'); at >= 0; ) {
    const end = endOfText(text, at);
    const inner = JSON.parse(text.slice(at, end)) as string;
    const instead = change(inner);
    if (instead !== inner) {
      changed += text.slice(copied, at) + JSON.stringify(instead);
      copied = end;
    }
    at = text.indexOf('"', end);
  }
  return copied === 0 ? text : changed + text.slice(copied);
}

function isSafe(number: string): boolean {
  const [mantissa = '', exponent = '0'] = number.toLowerCase().split('e');
  const digits = mantissa.replace(/[-.]/g, '').replace(/^0+/, '');
  return digits.length <= SAFE_DIGITS && Math.abs(Number(exponent)) <= SAFE_EXPONENT;
}
