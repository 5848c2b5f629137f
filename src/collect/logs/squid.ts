import { isPlausible } from './calendar.ts';
import { lineParser } from './line-parser.ts';
import { type LogFormat, newLogLine, type Parsed } from './log-line.ts';
import { count, epochUs, microseconds, PER_MILLISECOND, statusCode } from './quantities.ts';
import { addTargetText } from './request-line.ts';
import { present } from './text-fields.ts';

const NATIVE =
  /^(\d{9,11}\.\d{3}) +(-?\d{1,12}) (\S{1,300}) ([A-Z_]{2,60})\/(\d{3}) (-?\d{1,16}) (\S{1,60}) (\S+) (\S+) ([A-Z_]{3,60})\/(\S+) (\S+)/;

/** From https://wiki.squid-cache.org/Features/LogFormat, the native format. */
export const squid: LogFormat = {
  name: 'squid',
  open: () => lineParser(parse),
};

function parse(text: string): Parsed {
  const match = NATIVE.exec(text);
  if (!match) return 'line_malformed';
  const [, time, elapsed, client, , status, size, method, url, user] = match;
  const tsUs = epochUs(time);
  if (!isPlausible(tsUs)) return 'time_invalid';
  const line = newLogLine(tsUs);
  line.durationUs = microseconds(elapsed, PER_MILLISECOND);
  line.clientIp = present(client);
  line.status = statusCode(status);
  line.bytesOut = count(size);
  line.user = present(user);
  // A connection that asked for nothing has the method NONE and an address that names the error.
  if (method !== 'NONE' && method !== '-') line.method = method;
  if (!url!.startsWith('error:')) addTargetText(line, url);
  return line;
}
