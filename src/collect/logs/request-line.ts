import type { LogLine } from './log-line.ts';
import { unescaped } from './text-fields.ts';

const SPACE = 32;
const SLASH = 47;
const AT_SIGN = 64;
const LONGEST_METHOD = 40;
const LONGEST_PROTOCOL = 10;
const LONGEST_SCHEME = 30;

/**
 * Reads `GET /path?query HTTP/1.1` into method, path, query, host and protocol.
 *
 * Takes  text[from, to): perhaps with escaped quotes. A request that is none (TLS bytes, `HELP`, `-`) adds nothing.
 */
export function addRequest(line: LogLine, text: string, from: number, to: number): void {
  const backslash = text.indexOf('\\', from);
  if (backslash >= 0 && backslash < to) {
    const plain = unescaped(text.slice(from, to));
    addPlainRequest(line, plain, 0, plain.length);
  } else addPlainRequest(line, text, from, to);
}

function addPlainRequest(line: LogLine, text: string, from: number, to: number): void {
  const methodEnd = methodEndOf(text, from, to);
  if (methodEnd < 0) return;
  const last = spaceBeforeProtocol(text, to);
  const hasProtocol = last >= methodEnd && (isHttp11(text, last + 1, to) || isProtocol(text, last + 1, to));
  const targetEnd = hasProtocol ? last : to;
  const isTarget = targetEnd > methodEnd + 1 && text.charCodeAt(methodEnd + 1) !== SPACE;
  // Without a protocol it may be anything; what begins like a path is a request of HTTP/0.9, or was cut short.
  if (!isTarget || !(hasProtocol || looksLikeTarget(text, methodEnd + 1, targetEnd))) return;
  line.method = text.slice(from, methodEnd);
  if (hasProtocol) line.protocol = isHttp11(text, last + 1, to) ? 'HTTP/1.1' : text.slice(last + 1, to);
  addTarget(line, text, methodEnd + 1, targetEnd);
}

/** Where a method ends; -1 when it is none. Extension methods may be in small letters. */
function methodEndOf(text: string, from: number, to: number): number {
  const most = Math.min(to, from + LONGEST_METHOD);
  for (let at = from; at < most; at++) {
    const code = text.charCodeAt(at);
    if (code === SPACE) return at > from ? at : -1;
    const small = code | 32;
    if (!(small >= 97 && small <= 122) && code !== 95 && code !== 45) return -1;
  }
  return -1;
}

/** The space in front of the last word; -1 when that word is too long for a protocol. */
function spaceBeforeProtocol(text: string, to: number): number {
  for (let at = to - 1; at >= to - LONGEST_PROTOCOL - 1 && at >= 0; at--) if (text.charCodeAt(at) === SPACE) return at;
  return -1;
}

const HTTP_1_1 = [...'HTTP/1.1'].map((letter) => letter.charCodeAt(0));

function isHttp11(text: string, from: number, to: number): boolean {
  if (to - from !== HTTP_1_1.length) return false;
  for (let place = 0; place < HTTP_1_1.length; place++)
    if (text.charCodeAt(from + place) !== HTTP_1_1[place]) return false;
  return true;
}

/** `HTTP/1.1`, `HTTP/2`, also `RTSP/1.0`. */
function isProtocol(text: string, from: number, to: number): boolean {
  const slash = text.indexOf('/', from);
  if (slash <= from || slash > to - 2) return false;
  for (let at = from; at < slash; at++) if (text.charCodeAt(at) < 65 || text.charCodeAt(at) > 90) return false;
  for (let at = slash + 1; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code !== 46 && (code < 48 || code > 57)) return false;
  }
  return true;
}

function looksLikeTarget(text: string, from: number, to: number): boolean {
  return text.charCodeAt(from) === SLASH || (to - from > 3 && text.slice(from, to).includes('://'));
}

/**
 * Reads a request target: a path, an absolute address, the host and port of CONNECT.
 *
 * Takes  text[from, to). line.method must be set before.
 */
export function addTarget(line: LogLine, text: string, from: number, to: number): void {
  const start = text.charCodeAt(from) === SLASH ? from : addHost(line, text, from, to);
  if (start >= to) return;
  const mark = text.indexOf('?', start);
  const pathEnd = mark < 0 || mark >= to ? to : mark;
  line.path = pathEnd === start ? '/' : text.slice(start, pathEnd);
  if (pathEnd + 1 < to) line.query = text.slice(pathEnd + 1, to);
}

/** Reads the host of a target that begins with one; gives where its path begins. */
function addHost(line: LogLine, text: string, from: number, to: number): number {
  if (line.method === 'CONNECT') {
    line.host = text.slice(from, to);
    return to;
  }
  const colon = text.indexOf('://', from);
  if (colon <= from || colon > from + LONGEST_SCHEME || colon + 3 > to || !isScheme(text, from, colon)) return from;
  let at = colon + 3;
  let hostAt = at;
  for (; at < to && !endsHost(text.charCodeAt(at)); at++) {
    // A name and password in front of the host are nobody's business.
    if (text.charCodeAt(at) === AT_SIGN) hostAt = at + 1;
  }
  if (at > hostAt) line.host = text.slice(hostAt, at);
  if (at === to) line.path = '/';
  return at;
}

/** Slash, question mark, hash. */
const endsHost = (code: number) => code === SLASH || code === 63 || code === 35;

function isScheme(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const small = text.charCodeAt(at) | 32;
    // Letters; digits, `+`, `-` and `.` behind the first one.
    if (!(small >= 97 && small <= 122) && (at === from || !(small >= 43 && small <= 57 && small !== 47))) return false;
  }
  return true;
}

/** Reads a whole text as a request line. */
export function addRequestText(line: LogLine, text: string): void {
  addRequest(line, text, 0, text.length);
}

/** Reads a whole text as a request target; `-` is none. */
export function addTargetText(line: LogLine, text: string | undefined): void {
  if (text !== undefined && text !== '-') addTarget(line, text, 0, text.length);
}
