import { SECOND_US } from './calendar.ts';
import { IsoClock } from './iso-clock.ts';
import {
  ABSENT,
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
const DASH = 45;
const DOT = 46;
const MINUTE_LENGTH = '2018-07-02T22:23'.length;
const FINEST_DIGITS = 6;
/** What has a kind of its own is not among these. */
const KINDS = ['http', 'https', 'h2'].map((kind) => Buffer.from(`${kind} `));

/** Reads plain lines of application load balancers; see `LoadBalancerReader` for all others. */
export class PlainLoadBalancerReader implements PlainReader {
  readonly line = new PlainLine();
  readonly #clock = new IsoClock();
  /** How the minute of the last line was written, and when it began. */
  readonly #minute = new Uint8Array(MINUTE_LENGTH);
  #minuteUs = 0;

  read(bytes: Uint8Array, from: number, end: number): boolean {
    const { line } = this;
    if (mayBePrefixed(bytes, from) || bytes[end - 1]! <= SPACE) return false;
    const kind = KINDS.find((known) => isCopy(known, bytes, from));
    const timeAt = from + (kind?.length ?? 0);
    const timeEnd = wordEnd(bytes, timeAt, end);
    if (kind === undefined || !this.#readTime(bytes, timeAt, timeEnd)) return false;
    // Load balancer, client, target.
    let at = timeEnd;
    for (let word = 0; word < 3; word++) at = wordEnd(bytes, at + 1, end);
    at = this.#readTimes(bytes, at + 1, end);
    if (at === NOT_PLAIN) return false;
    at = this.#readCounts(bytes, at, end);
    if (at === NOT_PLAIN || bytes[at] !== QUOTE) return false;
    const close = readRequest(line, bytes, at + 1, end);
    if (close < 0 || bytes[close + 1] !== SPACE || bytes[close + 2] !== QUOTE) return false;
    return quoteEnd(bytes, close + 3, end) >= 0;
  }

  #readTime(bytes: Uint8Array, at: number, end: number): boolean {
    const second = twoDigitsAt(bytes, at + MINUTE_LENGTH + 1);
    const dot = at + MINUTE_LENGTH + 3;
    if (bytes[at + MINUTE_LENGTH] !== 58 || second < 0 || second > 59 || bytes[end - 1] !== 90) return false;
    const us = bytes[dot] === DOT ? fractionOf(bytes, dot + 1, end - 1) : NOT_PLAIN;
    if (us < 0 || (!isCopy(this.#minute, bytes, at) && !this.#readMinute(bytes, at))) return false;
    this.line.tsUs = this.#minuteUs + second * SECOND_US + us;
    return true;
  }

  #readMinute(bytes: Uint8Array, at: number): boolean {
    const text = `${String.fromCharCode(...bytes.subarray(at, at + MINUTE_LENGTH))}:00Z`;
    const minuteUs = this.#clock.readAll(text);
    if (minuteUs < 0) return false;
    this.#minute.set(bytes.subarray(at, at + MINUTE_LENGTH));
    this.#minuteUs = minuteUs;
    return true;
  }

  /** Request, target and response: those that are there add up. */
  #readTimes(bytes: Uint8Array, from: number, end: number): number {
    const { line } = this;
    line.durationUs = ABSENT;
    let at = from;
    for (let time = 0; time < 3; time++) {
      const to = wordEnd(bytes, at, end);
      if (bytes[at] !== DASH) {
        const us = secondsOf(bytes, at, to);
        if (us === NOT_PLAIN) return NOT_PLAIN;
        line.durationUs = Math.max(0, line.durationUs) + us;
      }
      at = to + 1;
    }
    return at;
  }

  /** Status, the target's status, what was received, what was sent. */
  #readCounts(bytes: Uint8Array, from: number, end: number): number {
    const { line } = this;
    line.status = wholeOf(bytes, from, from + 3);
    const targetEnd = wordEnd(bytes, from + 4, end);
    const receivedEnd = wordEnd(bytes, targetEnd + 1, end);
    const sentEnd = wordEnd(bytes, receivedEnd + 1, end);
    line.bytesIn = wholeOrDash(bytes, targetEnd + 1, receivedEnd);
    line.bytesOut = wholeOrDash(bytes, receivedEnd + 1, sentEnd);
    if (line.status < 100 || bytes[from + 3] !== SPACE) return NOT_PLAIN;
    return line.bytesIn === NOT_PLAIN || line.bytesOut === NOT_PLAIN ? NOT_PLAIN : sentEnd + 1;
  }
}

/** `0.086` in microseconds. */
function secondsOf(bytes: Uint8Array, from: number, end: number): number {
  let dot = from;
  while (dot < end && bytes[dot] !== DOT) dot++;
  const whole = dot - from > 9 ? NOT_PLAIN : wholeOf(bytes, from, dot);
  const us = fractionOf(bytes, dot + 1, end);
  return whole < 0 || us < 0 ? NOT_PLAIN : whole * SECOND_US + us;
}

/** One to six digits behind a dot, in microseconds. */
function fractionOf(bytes: Uint8Array, from: number, end: number): number {
  const digits = end - from;
  let us = digits > FINEST_DIGITS ? NOT_PLAIN : wholeOf(bytes, from, end);
  for (let digit = digits; us > 0 && digit < FINEST_DIGITS; digit++) us *= 10;
  return us;
}
