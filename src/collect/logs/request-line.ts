import type { LogLine } from './log-line.ts';
import { unescaped } from './text-fields.ts';

const SPACE = 32;
const SLASH = 47;
const LONGEST_METHOD = 40;

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
  const last = text.lastIndexOf(' ', to - 1);
  const hasProtocol = last >= methodEnd && isProtocol(text, last + 1, to);
  const targetEnd = hasProtocol ? last : to;
  const isTarget = targetEnd > methodEnd + 1 && text.charCodeAt(methodEnd + 1) !== SPACE;
  // Without a protocol it may be anything; what begins like a path is a request of HTTP/0.9, or was cut short.
  if (!isTarget || !(hasProtocol || looksLikeTarget(text, methodEnd + 1, targetEnd))) return;
  line.method = methodEnd - from === 3 && text.startsWith('GET', from) ? 'GET' : text.slice(from, methodEnd);
  if (hasProtocol) line.protocol = text.startsWith('HTTP/1.1', last + 1) ? 'HTTP/1.1' : text.slice(last + 1, to);
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

/** `HTTP/1.1`, `HTTP/2`, also `RTSP/1.0`. */
function isProtocol(text: string, from: number, to: number): boolean {
  const slash = text.indexOf('/', from);
  if (slash <= from || slash > to - 2 || to - from > 10) return false;
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
  const target = text.slice(from, to);
  const absolute = /^[a-z][a-z\d+.-]{0,30}:\/\/([^/?#]*)/i.exec(target);
  if (!absolute) return from;
  // A name and password in front of the host are nobody's business.
  const host = absolute[1]!.slice(absolute[1]!.lastIndexOf('@') + 1);
  if (host !== '') line.host = host;
  if (absolute[0].length < target.length) return from + absolute[0].length;
  line.path = '/';
  return to;
}

/** Reads a whole text as a request line. */
export function addRequestText(line: LogLine, text: string): void {
  addRequest(line, text, 0, text.length);
}

/** Reads a whole text as a request target; `-` is none. */
export function addTargetText(line: LogLine, text: string | undefined): void {
  if (text !== undefined && text !== '-') addTarget(line, text, 0, text.length);
}
