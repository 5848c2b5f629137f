import { SECOND_US } from './calendar.ts';
import { ClfClock } from './clf-clock.ts';
import {
  isCopy,
  mayBePrefixed,
  NOT_PLAIN,
  PlainLine,
  type PlainReader,
  quoteEnd,
  readRequest,
  twoDigitsAt,
  wholeOf,
  wholeOrDash,
  wordEnd,
} from './plain-line.ts';

const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const DASH = 45;
const BRACKET = 91;
/** Of `05/Oct/2026:10:00:00 +0000`: up to the minute, what follows the seconds, and all. */
const MINUTE_LENGTH = 17;
const ZONE_LENGTH = 6;
const TIME_LENGTH = 26;

/** Reads plain lines of the combined and the common format; see `ClfReader` for all others. */
export class PlainClfReader implements PlainReader {
  readonly line = new PlainLine();
  readonly #clock = new ClfClock();
  /** How the minute and the zone of the last line were written, and when that minute began. */
  readonly #minute = new Uint8Array(MINUTE_LENGTH);
  readonly #zone = new Uint8Array(ZONE_LENGTH);
  #minuteUs = 0;

  read(bytes: Uint8Array, from: number, end: number): boolean {
    const { line } = this;
    if (mayBePrefixed(bytes, from) || bytes[end - 1]! <= SPACE) return false;
    const hostEnd = wordEnd(bytes, from, end);
    const identEnd = wordEnd(bytes, hostEnd + 1, end);
    const userEnd = wordEnd(bytes, identEnd + 1, end);
    if (bytes[hostEnd - 1] === COMMA || bytes[userEnd + 1] !== BRACKET || userEnd + TIME_LENGTH + 6 > end) return false;
    if (!this.#readUser(bytes, identEnd + 1, userEnd) || !this.#readTime(bytes, userEnd + 2)) return false;
    const at = userEnd + 2 + TIME_LENGTH;
    if (bytes[at] !== 93 || bytes[at + 1] !== SPACE || bytes[at + 2] !== QUOTE) return false;
    const close = readRequest(line, bytes, at + 3, end);
    return close >= 0 && this.#readNumbers(bytes, close + 1, end);
  }

  #readUser(bytes: Uint8Array, from: number, to: number): boolean {
    for (let at = from; at < to; at++) {
      const code = bytes[at]!;
      if (code <= SPACE || code >= 0x7f || code === BRACKET || code === QUOTE) return false;
    }
    const isNobody = to === from + 1 && bytes[from] === DASH;
    this.line.userAt = from;
    this.line.userEnd = isNobody ? from : to;
    return to > from;
  }

  #readTime(bytes: Uint8Array, at: number): boolean {
    const second = twoDigitsAt(bytes, at + MINUTE_LENGTH + 1);
    if (bytes[at + MINUTE_LENGTH] !== 58 || second < 0 || second > 59) return false;
    const isKnown = isCopy(this.#minute, bytes, at) && isCopy(this.#zone, bytes, at + TIME_LENGTH - ZONE_LENGTH);
    if (!isKnown && !this.#readMinute(bytes, at, second)) return false;
    this.line.tsUs = this.#minuteUs + second * SECOND_US;
    return true;
  }

  #readMinute(bytes: Uint8Array, at: number, second: number): boolean {
    const text = String.fromCharCode(...bytes.subarray(at, at + TIME_LENGTH));
    const tsUs = this.#clock.read(text, 0);
    if (tsUs < 0 || this.#clock.end !== TIME_LENGTH || text.charCodeAt(TIME_LENGTH - ZONE_LENGTH) !== SPACE)
      return false;
    this.#minute.set(bytes.subarray(at, at + MINUTE_LENGTH));
    this.#zone.set(bytes.subarray(at + TIME_LENGTH - ZONE_LENGTH, at + TIME_LENGTH));
    this.#minuteUs = tsUs - second * SECOND_US;
    return true;
  }

  #readNumbers(bytes: Uint8Array, at: number, end: number): boolean {
    const status = wholeOf(bytes, at + 1, at + 4);
    if (bytes[at] !== SPACE || bytes[at + 4] !== SPACE || status < 0) return false;
    this.line.status = status >= 100 ? status : 0;
    const sizeEnd = wordEnd(bytes, at + 5, end);
    this.line.bytesOut = wholeOrDash(bytes, at + 5, sizeEnd);
    return this.line.bytesOut !== NOT_PLAIN && hasPlainEnd(bytes, sizeEnd, end);
  }
}

/** Referer and agent are not kept, but they must be written as such; or neither is there. */
function hasPlainEnd(bytes: Uint8Array, at: number, end: number): boolean {
  if (at >= end || (bytes[at + 1] !== DASH && bytes[at + 1] !== QUOTE)) return true;
  const isDash = bytes[at + 1] === DASH;
  if (isDash && bytes[at + 2] !== SPACE) return true;
  const refererEnd = isDash ? at + 1 : quoteEnd(bytes, at + 2, end);
  if (refererEnd < 0 || refererEnd + 2 >= end) return false;
  return bytes[refererEnd + 2] === QUOTE || bytes[refererEnd + 2] === DASH;
}
