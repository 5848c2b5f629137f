import { BAD_TIME, NO_TIME } from './calendar.ts';
import { ClfClock } from './clf-clock.ts';
import { lineParser } from './line-parser.ts';
import { type LogFormat, newLogLine, type Parsed } from './log-line.ts';
import { count, microseconds, PER_MILLISECOND, statusCode } from './quantities.ts';
import { addRequestText } from './request-line.ts';
import { closingQuote, withoutPort } from './text-fields.ts';

/** Frontend, backend/server, five timers, status, bytes, two cookies, flags, connections, queue. */
const MIDDLE =
  /^\S{1,300} \S{1,300}\/\S{1,300} (-?\d{1,10}\/-?\d{1,10}\/-?\d{1,10}\/-?\d{1,10}\/)\+?(-?\d{1,10}) (-1|\d{3}|-) \+?(-?\d{1,16}) \S{1,500} \S{1,500} \S{4} \d{1,9}\/\d{1,9}\/\d{1,9}\/\d{1,9}\/\+?\d{1,9} \d{1,9}\/\d{1,9} /;

/**
 * `option httplog` and its HTTPS variant. Captured headers stand in braces before the request and depend on the configuration.
 *
 * From   https://docs.haproxy.org/dev/configuration.html#8.2.3
 */
export const haproxyHttp: LogFormat = {
  name: 'haproxy-http',
  aliases: ['haproxy'],
  open() {
    const clock = new ClfClock();
    return lineParser((text) => parse(text, clock));
  },
};

function parse(text: string, clock: ClfClock): Parsed {
  const [open, tsUs] = acceptDate(text, clock);
  if (tsUs < 0) return tsUs === BAD_TIME ? 'time_invalid' : 'line_malformed';
  const rest = text.slice(clock.end + 2);
  const match = text.startsWith('] ', clock.end) ? MIDDLE.exec(rest) : null;
  const quote = match ? rest.indexOf('"', match[0].length) : -1;
  if (!match || quote < 0) return 'line_malformed';
  const line = newLogLine(tsUs);
  line.clientIp = clientOf(text.slice(0, open));
  line.durationUs = microseconds(match[2], PER_MILLISECOND);
  line.status = statusCode(match[3]);
  line.bytesOut = count(match[4]);
  // A line that is too long for syslog ends within the request.
  const end = closingQuote(rest, quote + 1);
  addRequestText(line, rest.slice(quote + 1, end < 0 ? rest.length : end));
  return line;
}

/** The first bracket that holds a time: structured data of syslog may stand in front. */
function acceptDate(text: string, clock: ClfClock): [open: number, tsUs: number] {
  for (let open = text.indexOf(' ['); open >= 0; open = text.indexOf(' [', open + 2)) {
    const tsUs = clock.read(text, open + 2);
    if (tsUs !== NO_TIME) return [open, tsUs];
  }
  return [-1, NO_TIME];
}

function clientOf(before: string): string | undefined {
  const client = withoutPort(before.slice(before.lastIndexOf(' ') + 1));
  // A socket of the same machine has a number in place of an address.
  return client === 'unix' ? undefined : client;
}
