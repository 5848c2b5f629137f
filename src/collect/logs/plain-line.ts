const ZERO = 48;
const QUOTE = 34;
const SPACE = 32;
const SLASH = 47;
const BACKSLASH = 92;
const LONGEST_METHOD = 40;
/** Longer ones are rare, and remembering them would cost memory. */
const LONGEST_CALL = 512;
const PROTOCOL = [...'HTTP/'].map((letter) => letter.charCodeAt(0));

/** A number that is not there, as in `LogLine` an absent one. */
export const ABSENT = -1;
/** What no plain line has at a place: the parser of the format decides. */
export const NOT_PLAIN = -2;

/** What a plain line tells of its call: numbers, and where in its bytes the texts stand. One is used again for line after line. */
export class PlainLine {
  tsUs = 0;
  durationUs = ABSENT;
  /** 0 for none. */
  status = 0;
  bytesIn = ABSENT;
  bytesOut = ABSENT;
  /** Empty for none. */
  userAt = 0;
  userEnd = 0;
  methodAt = 0;
  methodEnd = 0;
  /** Begins with a slash, ends before the query. */
  pathAt = 0;
  pathEnd = 0;
}

/**
 * Reads lines of one log that are written as nearly all lines are, straight from their bytes: no string and no object is made.
 *
 * Holds  a line that it reads is one that the parser of the format reads, and says the same of method, path, status, sizes,
 *        duration, time and user; every other line is left to that parser.
 */
export interface PlainReader {
  readonly line: PlainLine;
  /** Takes  bytes[from, end): a line without its end. Gives  false when it is not plain; what is in `line` then means nothing. */
  read(bytes: Uint8Array, from: number, end: number): boolean;
}

/** Whether what `bareLine` looks for in front of a line may stand there. */
export function mayBePrefixed(bytes: Uint8Array, from: number): boolean {
  const first = bytes[from]!;
  const isWord = (first >= 48 && first <= 58) || (first >= 97 && first <= 122) || (first >= 65 && first <= 90);
  if (!isWord || (bytes[from + 3] === SPACE && bytes[from + 6] === SPACE)) return true;
  return bytes[from + 4] === 45 && bytes[from + 10] === 84;
}

/** Gives the next space, or `end`. */
export function wordEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== SPACE) at++;
  return at;
}

/** Gives the whole number of at most 15 digits that is all of bytes[from, end); NOT_PLAIN for anything else. */
export function wholeOf(bytes: Uint8Array, from: number, end: number): number {
  if (end <= from || end - from > 15) return NOT_PLAIN;
  let value = 0;
  for (let at = from; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return NOT_PLAIN;
    value = value * 10 + digit;
  }
  return value;
}

/** As `wholeOf`, where a dash says that there is none. */
export function wholeOrDash(bytes: Uint8Array, from: number, end: number): number {
  return end === from + 1 && bytes[from] === 45 ? ABSENT : wholeOf(bytes, from, end);
}

/** Gives the number of two digits, NOT_PLAIN when they are none. */
export function twoDigitsAt(bytes: Uint8Array, at: number): number {
  const [tens, ones] = [bytes[at]! - ZERO, bytes[at + 1]! - ZERO];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NOT_PLAIN;
}

/** Whether the same bytes stand at a place as were copied before. */
export function isCopy(copy: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let place = copy.length - 1; place >= 0; place--) if (copy[place] !== bytes[at + place]) return false;
  return true;
}

/**
 * Reads `GET /path?query HTTP/1.1"` or `GET https://host:443/path HTTP/1.1"` into a line.
 *
 * Takes  from: where the method begins.
 * Gives  the place of the quote behind it; NOT_PLAIN when it is written in any other way.
 */
export function readRequest(line: PlainLine, bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at]! >= 65 && bytes[at]! <= 90) at++;
  if (at === from || at - from > LONGEST_METHOD || bytes[at] !== SPACE) return NOT_PLAIN;
  line.methodAt = from;
  line.methodEnd = at;
  const pathAt = bytes[at + 1] === SLASH ? at + 1 : afterHost(bytes, at + 1, end);
  // CONNECT names a host and no path.
  if (pathAt < 0 || (pathAt > at + 1 && bytes[from] === 67)) return NOT_PLAIN;
  return readTarget(line, bytes, pathAt, end);
}

function readTarget(line: PlainLine, bytes: Uint8Array, pathAt: number, end: number): number {
  let [query, space] = [-1, -1];
  for (let at = pathAt; at < end; at++) {
    const code = bytes[at]!;
    if (code === QUOTE) {
      if (space < 0 || !isProtocol(bytes, space + 1, at)) return NOT_PLAIN;
      line.pathAt = pathAt;
      line.pathEnd = query < 0 ? space : query;
      return line.pathEnd - line.methodAt > LONGEST_CALL ? NOT_PLAIN : at;
    }
    if (code === SPACE) space = at;
    else if (code === 63 && query < 0) query = at;
    else if (code < SPACE || code >= 0x7f || code === BACKSLASH) return NOT_PLAIN;
  }
  return NOT_PLAIN;
}

/** `HTTP/1.1`, `HTTP/2`. */
function isProtocol(bytes: Uint8Array, from: number, to: number): boolean {
  for (let place = 0; place < PROTOCOL.length; place++) if (bytes[from + place] !== PROTOCOL[place]) return false;
  const isDigit = (at: number) => bytes[at]! >= 48 && bytes[at]! <= 57;
  if (to - from === 6) return isDigit(from + 5);
  return to - from === 8 && isDigit(from + 5) && bytes[from + 6] === 46 && isDigit(from + 7);
}

/** Where the path begins of an address with scheme and host. */
function afterHost(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at]! >= 97 && bytes[at]! <= 122) at++;
  if (at === from || at - from > 10 || bytes[at] !== 58 || bytes[at + 1] !== SLASH || bytes[at + 2] !== SLASH)
    return NOT_PLAIN;
  for (at += 3; at < end && bytes[at] !== SLASH; at++) {
    const code = bytes[at]!;
    const isHost = (code >= 97 && code <= 122) || (code >= 45 && code <= 58) || (code >= 65 && code <= 90);
    if (!isHost) return NOT_PLAIN;
  }
  return at < end ? at : NOT_PLAIN;
}

/** Gives the quote that ends a text, where a space or the end of the line follows it; NOT_PLAIN where a backslash may hide one. */
export function quoteEnd(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    if (bytes[at] === BACKSLASH) return NOT_PLAIN;
    if (bytes[at] === QUOTE) return at + 1 === end || bytes[at + 1] === SPACE ? at : NOT_PLAIN;
  }
  return NOT_PLAIN;
}
