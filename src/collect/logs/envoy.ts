import { BAD_TIME } from './calendar.ts';
import { IsoClock } from './iso-clock.ts';
import { lineParser } from './line-parser.ts';
import { type LogFormat, type LogLine, newLogLine, type Parsed } from './log-line.ts';
import { count, microseconds, PER_MILLISECOND, statusCode } from './quantities.ts';
import { addRequestText } from './request-line.ts';
import { closingQuote, type Field, fieldsOf, firstAddress, present, unescaped, withoutPort } from './text-fields.ts';

const FIELDS = 40;

/**
 * Envoy's default text, and Istio's, which has more fields in its middle and at its end.
 *
 * From   https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
 */
export const envoy: LogFormat = {
  name: 'envoy',
  open() {
    const clock = new IsoClock();
    return lineParser((text) => parse(text.startsWith('ACCESS [') ? text.slice('ACCESS '.length) : text, clock));
  },
};

function parse(text: string, clock: IsoClock): Parsed {
  const tsUs = text.startsWith('[') ? clock.read(text, 1) : -1;
  if (tsUs < 0) return tsUs === BAD_TIME ? 'time_invalid' : 'line_malformed';
  const request = clock.end + 3;
  const requestEnd = text.startsWith('] "', clock.end) ? closingQuote(text, request) : -1;
  const fields = requestEnd < 0 ? null : fieldsOf(text, requestEnd + 1, FIELDS);
  const at = fields ? numbersAt(fields) : -1;
  if (!fields || at < 0 || !/^(?:\d{1,3}|-)$/.test(fields[0]!.text)) return 'line_malformed';
  const line = newLogLine(tsUs);
  addRequestText(line, text.slice(request, requestEnd));
  line.status = statusCode(fields[0]!.text);
  line.bytesIn = count(fields[at]!.text);
  line.bytesOut = count(fields[at + 1]!.text);
  line.durationUs = microseconds(fields[at + 2]!.text, PER_MILLISECOND);
  addTexts(line, fields, at + 4);
  return line;
}

/** Bytes received, bytes sent, duration and the upstream's time: three or four bare numbers, then quoted fields. */
function numbersAt(fields: readonly Field[]): number {
  const isNumber = (field: Field | undefined) => field && !field.isQuoted && /^(?:\d{1,16}|-)$/.test(field.text);
  for (let at = 2; at + 5 < fields.length; at++) {
    const four = fields.slice(at, at + 4);
    if (four.every(isNumber) && fields[at + 4]!.isQuoted && fields[at + 5]!.isQuoted) return at;
  }
  return -1;
}

function addTexts(line: LogLine, fields: readonly Field[], at: number): void {
  const [forwarded, agent, requestId, authority, , , , , remote] = fields.slice(at).map(({ text }) => text);
  line.clientIp = firstAddress(forwarded) ?? (remote === undefined ? undefined : withoutPort(remote));
  line.userAgent = present(agent && unescaped(agent));
  line.requestId = present(requestId);
  line.host = present(authority);
  if (line.userAgent?.startsWith('grpc-')) line.kind = 'grpc';
}
