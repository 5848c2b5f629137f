import { firstText, instantOf, type JsonObject, jsonParser, timeRefusal } from './json-fields.ts';
import { type LogFormat, newLogLine, type Parsed } from './log-line.ts';
import { count, microsecondsOfNanos, statusCode } from './quantities.ts';
import { addRequestText, addTargetText } from './request-line.ts';
import { withoutPort } from './text-fields.ts';

/** From https://doc.traefik.io/traefik/observability/access-logs/; the fields of a call have one name in versions 1 to 3. */
export const traefikJson: LogFormat = {
  name: 'traefik-json',
  open: () => jsonParser(parse),
};

function parse(fields: JsonObject): Parsed {
  // Which fields are kept is configured; Traefik's own log has level, msg and time, and none of these.
  const isCall = ['DownstreamStatus', 'RequestMethod', 'RequestPath', 'RequestLine', 'OriginStatus'].some(
    (name) => name in fields,
  );
  if (!isCall) return 'record_other';
  const tsUs = instantOf(fields.StartUTC, fields.StartLocal, fields.time);
  if (tsUs < 0) return timeRefusal(tsUs);
  const line = newLogLine(tsUs);
  const requestLine = firstText(fields, 'RequestLine');
  if (requestLine !== undefined) addRequestText(line, requestLine);
  line.method = firstText(fields, 'RequestMethod') ?? line.method;
  addTargetText(line, firstText(fields, 'RequestPath'));
  line.protocol = firstText(fields, 'RequestProtocol') ?? line.protocol;
  line.status = statusCode(fields.DownstreamStatus) ?? statusCode(fields.OriginStatus);
  line.bytesIn = count(fields.RequestContentSize);
  line.bytesOut = count(fields.DownstreamContentSize) ?? count(fields.OriginContentSize);
  line.durationUs = microsecondsOfNanos(fields.Duration);
  line.clientIp = firstText(fields, 'ClientHost') ?? withoutPort(firstText(fields, 'ClientAddr') ?? '');
  line.user = firstText(fields, 'ClientUsername');
  line.userAgent = firstText(fields, 'request_User-Agent');
  line.host = firstText(fields, 'RequestHost', 'RequestAddr');
  line.requestId = firstText(fields, 'request_X-Request-Id');
  return line;
}
