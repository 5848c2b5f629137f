import { BAD_TIME } from './calendar.ts';
import { ClfClock } from './clf-clock.ts';
import { lineParser } from './line-parser.ts';
import { type LineRefusal, type LogFormat, type LogLine, newLogLine } from './log-line.ts';
import { count, microseconds, PER_SECOND, statusCode } from './quantities.ts';
import { addRequestText, addTargetText } from './request-line.ts';
import { closingQuote, present, unescaped } from './text-fields.ts';

/** `[time] ` in front; what follows is read by another. */
function afterTime(text: string, clock: ClfClock): { line: LogLine; rest: string } | LineRefusal {
  const tsUs = text.startsWith('[') ? clock.read(text, 1) : -1;
  if (tsUs === BAD_TIME) return 'time_invalid';
  if (tsUs < 0 || !text.startsWith('] ', clock.end)) return 'line_malformed';
  return { line: newLogLine(tsUs), rest: text.slice(clock.end + 2) };
}

// Of the statuses in front of the method the last one is the answer; the others are of the cache and the upstreams.
const MANAGER_HEAD = /^(?:\S{1,100} ){0,8}?(\d{3}|-) - (\S{1,40}) (https?|-) (\S{1,300}) "/;
const MANAGER_TAIL =
  /^ \[Client ([^\]\s]{0,100})\] \[Length (\d{1,16}|-)\](?: \[Gzip [^\]]{0,40}\])?(?: \[Sent-to [^\]]{0,300}\])?(?: "|$)/;

/** From the `proxy` and `standard` formats of https://github.com/NginxProxyManager/nginx-proxy-manager */
export const nginxProxyManager: LogFormat = {
  name: 'nginx-proxy-manager',
  open() {
    const clock = new ClfClock();
    return lineParser((text) => {
      const begun = afterTime(text, clock);
      return typeof begun === 'string' ? begun : (managerLine(begun.line, begun.rest) ?? 'line_malformed');
    });
  },
};

function managerLine(line: LogLine, rest: string): LogLine | null {
  const head = MANAGER_HEAD.exec(rest);
  const uriEnd = head ? closingQuote(rest, head[0].length) : -1;
  const tail = uriEnd < 0 ? null : MANAGER_TAIL.exec(rest.slice(uriEnd + 1));
  if (!head || !tail) return null;
  line.status = statusCode(head[1]);
  line.method = /^[A-Za-z_-]+$/.test(head[2]!) ? present(head[2]) : undefined;
  if (line.method !== undefined) addTargetText(line, unescaped(rest.slice(head[0].length, uriEnd)));
  line.host = present(head[4]);
  line.clientIp = present(tail[1]);
  line.bytesOut = count(tail[2]);
  line.userAgent = agentOf(rest, uriEnd + 1 + tail[0].length);
  return line;
}

/** The agent is the first of the two quoted fields at the end. */
function agentOf(rest: string, from: number): string | undefined {
  const end = closingQuote(rest, from);
  return present(unescaped(rest.slice(from, end < 0 ? rest.length : end)));
}

const PLUS_HEAD = /^(\S{1,300}) (\S{1,100}) (\d{1,9}\.\d{1,6}|-) "/;
const PLUS_TAIL = /^ (\d{3}|-) (\d{1,16}|-) (\d{1,16}|-)(?: (\S+)(?: (.*))?)?$/s;

/** From https://github.com/ZoeyVid/NPMplus; referer and agent are not quoted. */
export const npmplus: LogFormat = {
  name: 'npmplus',
  open() {
    const clock = new ClfClock();
    return lineParser((text) => {
      const begun = afterTime(text, clock);
      return typeof begun === 'string' ? begun : (plusLine(begun.line, begun.rest) ?? 'line_malformed');
    });
  },
};

function plusLine(line: LogLine, rest: string): LogLine | null {
  const head = PLUS_HEAD.exec(rest);
  const end = head ? closingQuote(rest, head[0].length) : -1;
  const tail = end < 0 ? null : PLUS_TAIL.exec(rest.slice(end + 1));
  if (!head || !tail) return null;
  if (head[1] !== '_') line.host = present(head[1]);
  line.clientIp = present(head[2]);
  line.durationUs = microseconds(head[3], PER_SECOND);
  addRequestText(line, rest.slice(head[0].length, end));
  line.status = statusCode(tail[1]);
  line.bytesOut = count(tail[2]);
  line.userAgent = present(tail[5]?.replace(/^"(.*)"$/s, '$1'));
  return line;
}
