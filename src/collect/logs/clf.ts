import { BAD_TIME, NO_TIME } from './calendar.ts';
import { ClfClock } from './clf-clock.ts';
import { type LineRefusal, type LogLine, newLogLine } from './log-line.ts';
import { addRequest } from './request-line.ts';
import { closingQuote, isEscaped, present, TOO_LARGE, unescaped, wholeAt } from './text-fields.ts';

const SPACE = 32;
const QUOTE = 34;
const DASH = 45;

/**
 * Reads `host ident user [time] "request" status bytes`, with `"referer" "agent"` where they follow, by hand: most of the
 * lines of the world are these.
 *
 * From   Apache mod_log_config, nginx `combined`.
 */
export class ClfReader {
  /** Where the fields begin that a format adds at its end: at a space, or at the end of the line. */
  tailAt = 0;
  readonly #clock = new ClfClock();
  #open = 0;

  /** Takes from: where the host begins. */
  read(line: string, from: number): LogLine | LineRefusal {
    const hostEnd = line.indexOf(' ', from);
    const identEnd = hostEnd < 0 ? -1 : line.indexOf(' ', this.#afterList(line, hostEnd) + 1);
    if (identEnd < 0) return 'line_malformed';
    const tsUs = this.#time(line, identEnd);
    if (tsUs < 0) return tsUs === BAD_TIME ? 'time_invalid' : 'line_malformed';
    const request = this.#clock.end + 3;
    if (!line.startsWith('] "', this.#clock.end)) return 'line_malformed';
    const requestEnd = endOfRequest(line, request);
    if (requestEnd < 0) return 'line_malformed';
    const result = newLogLine(tsUs);
    const host = line.slice(from, hostEnd);
    result.clientIp = present(host.endsWith(',') ? host.slice(0, -1) : host);
    if (!addUser(result, line, identEnd + 1, this.#open)) return 'line_malformed';
    addRequest(result, line, request, requestEnd);
    return this.#numbers(result, line, requestEnd + 2);
  }

  /** nginx may write a whole X-Forwarded-For list in place of the address. */
  #afterList(line: string, hostEnd: number): number {
    let end = hostEnd;
    while (end > 0 && line.charCodeAt(end - 1) === 44) end = line.indexOf(' ', end + 1);
    return end < 0 ? hostEnd : end;
  }

  /** A user name may hold spaces and brackets: the time is the first bracket that holds one. */
  #time(line: string, from: number): number {
    for (let open = line.indexOf(' [', from); open >= 0; open = line.indexOf(' [', open + 2)) {
      const tsUs = this.#clock.read(line, open + 2);
      if (tsUs === NO_TIME) continue;
      this.#open = open;
      return tsUs;
    }
    return NO_TIME;
  }

  #numbers(result: LogLine, line: string, at: number): LogLine | LineRefusal {
    if (line.charCodeAt(at) !== DASH) {
      const status = wholeAt(line, at, at + 3);
      if (status >= 100) result.status = status;
    }
    const bytesAt = line.indexOf(' ', at) + 1;
    const space = line.indexOf(' ', bytesAt);
    const end = space < 0 ? line.length : space;
    if (end !== bytesAt + 1 || line.charCodeAt(bytesAt) !== DASH) {
      const bytes = wholeAt(line, bytesAt, end);
      if (bytes < 0) return bytes === TOO_LARGE ? 'value_invalid' : 'line_malformed';
      result.bytesOut = bytes;
    }
    this.tailAt = end;
    return this.#agent(result, line, end);
  }

  #agent(result: LogLine, line: string, at: number): LogLine | LineRefusal {
    const refererEnd = refererEndAt(line, at);
    if (refererEnd < 0) return refererEnd === CUT_SHORT ? 'line_malformed' : result;
    const start = refererEnd + 1;
    if (line.charCodeAt(start) === DASH) this.tailAt = start + 1;
    else if (line.charCodeAt(start) === QUOTE) {
      // The agent comes last, and a line that was cut short in it still tells of its call: its end quote may be missing.
      const close = closingQuote(line, start + 1);
      const end = close < 0 ? line.length : close;
      this.tailAt = Math.min(end + 1, line.length);
      result.userAgent = present(unescaped(line.slice(start + 1, end)));
    } else return 'line_malformed';
    return result;
  }
}

/** The quote that ends the request: status and size follow it. */
function endOfRequest(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 1)) {
    const isEnd = line.charCodeAt(at + 1) === SPACE && isStatus(line, at + 2);
    if (isEnd && !isEscaped(line, at, from)) return at;
  }
  return -1;
}

function isStatus(line: string, at: number): boolean {
  if (line.charCodeAt(at) === DASH) return line.charCodeAt(at + 1) === SPACE;
  return line.charCodeAt(at + 3) === SPACE && wholeAt(line, at, at + 3) >= 0;
}

const NONE = -1;
const CUT_SHORT = -2;

/** Where the referer ends, at the space after it; NONE when something else follows the size. */
function refererEndAt(line: string, at: number): number {
  const first = line.charCodeAt(at + 1);
  if (first === DASH && line.charCodeAt(at + 2) === SPACE) return at + 2;
  if (first !== QUOTE) return NONE;
  for (let close = closingQuote(line, at + 2); close >= 0; close = closingQuote(line, close + 1)) {
    const next = line.charCodeAt(close + 2);
    if (next === QUOTE || next === DASH) return close + 1;
  }
  return CUT_SHORT;
}

function addUser(result: LogLine, line: string, from: number, to: number): boolean {
  if (from >= to) return true;
  const user = line.slice(from, to);
  if (user === '-') return true;
  // `- name` are two fields: this is a line of a format with one more in front.
  if (user.startsWith('- ')) return false;
  // An older log of ingress-nginx repeats the address in brackets in front of the user.
  const inBrackets = user.startsWith('[') ? user.lastIndexOf('] - ') : -1;
  result.user = present(inBrackets < 0 ? user : user.slice(inBrackets + 4));
  return true;
}
