import { BAD_TIME, fractionEnd, fractionUs, SECOND_US } from './calendar.ts';
import { IsoClock } from './iso-clock.ts';
import { lineParser } from './line-parser.ts';
import { type CallKind, type LineRefusal, type LogFormat, type LogLine, newLogLine } from './log-line.ts';
import { PlainLoadBalancerReader } from './plain-load-balancer.ts';
import { addRequest } from './request-line.ts';
import { closingQuote, present, spaceOrEnd, TOO_LARGE, unescaped, wholeAt, withoutPort } from './text-fields.ts';

const DASH = 45;
const NONE = -10;
const MALFORMED = -11;

/**
 * Reads what application and classic load balancers have in common, by hand: client, target, three times, two statuses,
 * two sizes, request, agent. Fields behind these come and go with the years.
 *
 * From   https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
 */
class LoadBalancerReader {
  readonly #clock = new IsoClock();
  #at = 0;

  /** Takes at: where the time begins. */
  read(text: string, at: number): LogLine | LineRefusal {
    const tsUs = this.#clock.read(text, at);
    if (tsUs < 0) return tsUs === BAD_TIME ? 'time_invalid' : 'line_malformed';
    if (text.charCodeAt(this.#clock.end) !== 32) return 'line_malformed';
    this.#at = this.#clock.end + 1;
    this.#skip(text);
    const line = newLogLine(tsUs);
    line.clientIp = withoutPort(text.slice(this.#at, this.#skip(text)));
    this.#skip(text);
    return this.#times(line, text) ?? this.#counts(line, text) ?? this.#texts(line, text) ?? line;
  }

  /** A quoted field behind the agent, counted from 0; undefined where the line ends before it. */
  fieldBehind(text: string, place: number): string | undefined {
    let at = this.#at;
    for (let skipped = 0; at < text.length; skipped++) {
      const isQuoted = text.charCodeAt(at) === 34;
      const end = isQuoted ? closingQuote(text, at + 1) : spaceOrEnd(text, at);
      if (end < 0) return undefined;
      if (skipped === place) return present(text.slice(isQuoted ? at + 1 : at, end));
      at = isQuoted ? end + 2 : end + 1;
    }
    return undefined;
  }

  /** Gives where the word ends that is passed. */
  #skip(text: string): number {
    const end = spaceOrEnd(text, this.#at);
    this.#at = end + 1;
    return end;
  }

  /** The times that are there add up; -1 is one that is not. */
  #times(line: LogLine, text: string): LineRefusal | null {
    for (let i = 0; i < 3; i++) {
      const us = this.#seconds(text);
      if (us === MALFORMED) return 'line_malformed';
      if (us !== NONE) line.durationUs = (line.durationUs ?? 0) + us;
    }
    return null;
  }

  #seconds(text: string): number {
    const from = this.#at;
    const end = this.#skip(text);
    if (text.charCodeAt(from) === DASH) return NONE;
    const dot = text.indexOf('.', from);
    const wholeEnd = dot < 0 || dot > end ? end : dot;
    const whole = wholeAt(text, from, wholeEnd);
    const isSeconds = whole >= 0 && whole <= 1e9 && fractionEnd(text, wholeEnd) === end;
    return isSeconds ? whole * SECOND_US + fractionUs(text, wholeEnd, end) : MALFORMED;
  }

  #counts(line: LogLine, text: string): LineRefusal | null {
    const status = this.#whole(text);
    this.#skip(text);
    const received = this.#whole(text);
    const sent = this.#whole(text);
    const worst = Math.min(status, received, sent);
    if (worst === MALFORMED) return 'line_malformed';
    if (status === TOO_LARGE || received === TOO_LARGE || sent === TOO_LARGE) return 'value_invalid';
    if (status >= 100 && status <= 999) line.status = status;
    if (received !== NONE) line.bytesIn = received;
    if (sent !== NONE) line.bytesOut = sent;
    return null;
  }

  #whole(text: string): number {
    const from = this.#at;
    const end = this.#skip(text);
    if (text.charCodeAt(from) === DASH) return NONE;
    const value = wholeAt(text, from, end);
    return value >= 0 || value === TOO_LARGE ? value : MALFORMED;
  }

  #texts(line: LogLine, text: string): LineRefusal | null {
    if (text.charCodeAt(this.#at) !== 34) return 'line_malformed';
    const end = closingQuote(text, this.#at + 1);
    if (end < 0) return 'line_malformed';
    addRequest(line, text, this.#at + 1, end);
    this.#at = end + 2;
    if (text.charCodeAt(this.#at) !== 34) return null;
    const agentEnd = closingQuote(text, this.#at + 1);
    if (agentEnd < 0) return 'line_malformed';
    line.userAgent = present(unescaped(text.slice(this.#at + 1, agentEnd)));
    this.#at = agentEnd + 2;
    return null;
  }
}

const kinds: ReadonlyMap<string, CallKind | null> = new Map([
  ['http', null],
  ['https', null],
  ['h2', null],
  ['grpcs', 'grpc'],
  ['ws', 'websocket'],
  ['wss', 'websocket'],
]);
/** Behind the agent stand cipher, protocol, target group, and then the trace id. */
const TRACE_ID = 3;

export const alb: LogFormat = {
  name: 'aws-alb',
  plain: () => new PlainLoadBalancerReader(),
  open() {
    const reader = new LoadBalancerReader();
    return lineParser((text) => {
      const space = text.indexOf(' ');
      const kind = kinds.get(text.slice(0, space));
      if (space < 0 || kind === undefined) return 'line_malformed';
      const line = reader.read(text, space + 1);
      if (typeof line === 'string') return line;
      line.requestId = reader.fieldBehind(text, TRACE_ID);
      if (kind !== null) line.kind = kind;
      return line;
    });
  },
};

export const elbClassic: LogFormat = {
  name: 'aws-elb-classic',
  aliases: ['aws-elb'],
  open() {
    const reader = new LoadBalancerReader();
    return lineParser((text) => reader.read(text, 0));
  },
};
